"""Where failure records lie, by which settings they were read, and the function called again.

queues = failure_queues(client, stack="Shop", consumer="Audit")
settings = settings_behind(client("lambda"), *reader(body))   # the filters of the mapping
answer = calling(client("lambda"), "arn:…:function:audit")({"Records": [...]}, "request-1")
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cdk_streams.errors import SourceError
from cdk_streams.mapping import MappingSettings

from .deployment import Client
from .execution import Answer

__all__ = [
    "CALL_LIMIT_S",
    "FailureQueue",
    "calling",
    "failure_queues",
    "queue_url",
    "reader",
    "settings_behind",
]

CALL_LIMIT_S = 920
"""How long a client must wait for an answer: a function may run for 900 s."""

_MAPPING = "AWS::Lambda::EventSourceMapping"
_THROTTLES = {"TooManyRequestsException", "ThrottlingException"}


@dataclass(frozen=True, slots=True)
class FailureQueue:
    """A queue with failure records; those of which `readers` (function and stream ARN) matter.

    `readers` is None when all of them do.
    """

    url: str
    readers: frozenset[tuple[str, str]] | None = None

    def takes(self, body: Mapping[str, Any]) -> bool:
        """Tell whether the failure record is of one of the readers."""
        return self.readers is None or reader(body) in self.readers


def failure_queues(
    client: Client, *, stack: str, consumer: str | None = None
) -> tuple[FailureQueue, ...]:
    """Return the queues that the stack's mappings send failure records to.

    `consumer` is a mapping's logical id, or what it begins with: a construct's id.

    Raises:
        SourceError: There is no such mapping, or none of them has a queue.

    """
    pages = client("cloudformation").get_paginator("list_stack_resources")
    mappings = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack)
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == _MAPPING
    }
    named = [name for name in mappings if name.startswith(consumer or "")]
    if not named:
        got = f", got {consumer}" if consumer else ""
        raise SourceError(
            f"the consumer must be one of {', '.join(mappings) or 'none'} in the stack {stack}{got}"
        )
    lambda_api = client("lambda")
    found = {name: lambda_api.get_event_source_mapping(UUID=mappings[name]) for name in named}
    readers: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for each in found.values():
        if ":sqs:" in (queue := _destination(each)):
            readers[queue].add((each["FunctionArn"], each["EventSourceArn"]))
    if not readers:
        shown = ", ".join(f"{name}: {_destination(each)}" for name, each in found.items())
        raise SourceError(
            f"failure records must go to a queue to be redriven, got {shown}; a queue that a topic "
            "passes them to is named by itself"
        )
    sqs = client("sqs")
    return tuple(
        FailureQueue(queue_url(sqs, arn), frozenset(of)) for arn, of in sorted(readers.items())
    )


def queue_url(sqs: Any, named: str) -> str:
    """Return a queue's URL, given that or its ARN."""
    if not named.startswith("arn:"):
        return named
    parts = named.split(":")
    if len(parts) != 6 or parts[2] != "sqs":  # noqa: PLR2004 - arn:partition:sqs:region:account:name
        raise SourceError(f"the queue must be given by its URL or its ARN, got {named}")
    answer = sqs.get_queue_url(QueueName=parts[5], QueueOwnerAWSAccountId=parts[4])
    return str(answer["QueueUrl"])


def settings_behind(lambda_api: Any, function: str, stream: str) -> MappingSettings:
    """Return the settings of the function's mapping to the stream, as they are now.

    Its filters say which records of the range the function gets.

    Raises:
        SourceError: Its mapping is gone.

    """
    pages = lambda_api.get_paginator("list_event_source_mappings")
    try:
        found = [
            each["UUID"]
            for page in pages.paginate(FunctionName=function, EventSourceArn=stream)
            for each in page["EventSourceMappings"]
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        found = []
    if not found:
        raise SourceError(
            f"the mapping of {function} to {stream} must still be there, got none: its filters "
            "say which records the function is to get"
        )
    return MappingSettings.from_api(lambda_api.get_event_source_mapping(UUID=found[0]))


def calling(lambda_api: Any, function_arn: str) -> Callable[[Any, str], Answer]:
    """Return how to call the deployed function and wait for its answer, as `carry_out` does it.

    The client must not repeat a call by itself and must wait for `CALL_LIMIT_S`.
    """

    def call(event: Any, request_id: str) -> Answer:
        try:
            answer = lambda_api.invoke(
                FunctionName=function_arn,
                InvocationType="RequestResponse",
                Payload=json.dumps(event).encode(),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _THROTTLES:
                return Answer(request_id, throttled=True)
            raise
        body = answer["Payload"].read()
        kind = answer.get("FunctionError")
        return Answer(request_id, body, function_error=kind, error_type=_type(kind, body))

    return call


def _type(function_error: str | None, body: bytes) -> str | None:
    """Return the exception's name; of a function that timed out Lambda tells no type."""
    if function_error is None:
        return None
    try:
        return str(json.loads(body)["errorType"])
    except (ValueError, KeyError, TypeError):
        return function_error


def reader(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the function and the stream that a failure record names; "" for what it does not."""
    request, batch = body.get("requestContext"), body.get("DDBStreamBatchInfo")
    function = request.get("functionArn") if isinstance(request, Mapping) else None
    stream = batch.get("streamArn") if isinstance(batch, Mapping) else None
    return str(function or ""), str(stream or "")


def _destination(mapping: Mapping[str, Any]) -> str:
    on_failure = (mapping.get("DestinationConfig") or {}).get("OnFailure") or {}
    return str(on_failure.get("Destination") or "none")
