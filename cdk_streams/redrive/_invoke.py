"""The event source mapping behind a failure record, and the call of its function.

settings = mapping_settings(client("lambda"), *mapping_key(body))   # the filters of the mapping
mapping_key(body) in bucket_mappings(client("lambda"))["failed"]    # it sends to that bucket
answer = invoker(client("lambda"), "arn:…:function:audit")({"Records": [...]}, "request-1")
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from cdk_streams.arns import Arn, is_service
from cdk_streams.errors import DeploymentError
from cdk_streams.lambda_local import InvokeResponse
from cdk_streams.mapping import MappingSettings
from cdk_streams.redrive._failure_record import MappingKey

__all__ = [
    "CALL_LIMIT_S",
    "bucket_mappings",
    "invoker",
    "mapping_settings",
    "on_failure_arn",
]

CALL_LIMIT_S = 920
"""The read timeout that a Lambda client needs, in seconds: a function may run for 900 s."""

_THROTTLES = {"TooManyRequestsException", "ThrottlingException"}


def mapping_settings(lambda_api: Any, function: str, stream: str) -> MappingSettings:
    """Return the settings of the function's mapping to the stream, as they are now.

    Its filters say which records of the range the function gets.

    Raises:
        DeploymentError: Its mapping is gone.

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
        raise DeploymentError(
            f"{function} has no mapping to {stream}; its filters would say which records "
            "the function gets"
        )
    return MappingSettings.from_api(lambda_api.get_event_source_mapping(UUID=found[0]))


def bucket_mappings(lambda_api: Any) -> Mapping[str, set[MappingKey]]:
    """Return, by the name of a bucket, whose failure records are sent there as of now."""
    mappings: defaultdict[str, set[MappingKey]] = defaultdict(set)
    for page in lambda_api.get_paginator("list_event_source_mappings").paginate():
        for each in page["EventSourceMappings"]:
            arn = on_failure_arn(each)
            if is_service(arn, "s3"):
                mappings[Arn.parse(arn).name].add(
                    (each["FunctionArn"], each.get("EventSourceArn", ""))
                )
    return dict(mappings)


def invoker(lambda_api: Any, function_arn: str) -> Callable[[Any, str], InvokeResponse]:
    """Return how to call the deployed function and wait for its answer, as `carry_out` does it.

    The client must not repeat a call by itself and must wait for `CALL_LIMIT_S`.
    """

    def call(event: Any, request_id: str) -> InvokeResponse:
        try:
            answer = lambda_api.invoke(
                FunctionName=function_arn,
                InvocationType="RequestResponse",
                Payload=_compact(event),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _THROTTLES:
                return InvokeResponse(request_id, throttled=True)
            raise
        body = answer["Payload"].read()
        kind = answer.get("FunctionError")
        return InvokeResponse(request_id, body, function_error=kind, error_type=_type(kind, body))

    return call


def _compact(event: Any) -> bytes:
    """Return an event as Lambda measures it; what is no Unicode is escaped."""
    try:
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(event, separators=(",", ":")).encode()


def _type(function_error: str | None, body: bytes) -> str | None:
    """Return the exception's name; Lambda names none for a function that timed out."""
    if function_error is None:
        return None
    try:
        return str(json.loads(body)["errorType"])
    except (ValueError, KeyError, TypeError):
        return function_error


def on_failure_arn(mapping: Mapping[str, Any]) -> str:
    """Return the ARN that a mapping of the Lambda API sends failure records to, or "none"."""
    on_failure = (mapping.get("DestinationConfig") or {}).get("OnFailure") or {}
    return str(on_failure.get("Destination") or "none")
