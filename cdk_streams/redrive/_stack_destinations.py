"""On-failure destinations of a deployed stack: SQS queues, and S3 buckets that notify no queue.

    for destination in stack_destinations(client, stack="Shop", consumer="Audit"):
        match destination:
            case FailureQueue(url=url): ...
            case FailureBucket(name=name): ...
            case UnsupportedDestination(arn=arn): ...

A bucket that notifies a queue, as OnFailure.QUEUE_WITH_PAYLOAD makes it, is read by way of that
queue: what is deleted there is what is done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cdk_streams.arns import Arn, is_service
from cdk_streams.errors import DeploymentError, SourceError
from cdk_streams.live import Client, queue_url
from cdk_streams.mapping import FAILURE_OBJECTS
from cdk_streams.redrive._failure_record import MappingKey, mapping_key
from cdk_streams.redrive._invoke import on_failure_arn

__all__ = [
    "Destination",
    "FailureBucket",
    "FailureQueue",
    "UnsupportedDestination",
    "destination_of",
    "stack_destinations",
    "stack_mappings",
    "stack_resources",
]

_MAPPING = "AWS::Lambda::EventSourceMapping"
_EVENTS = {"s3:ObjectCreated:*", "s3:ObjectCreated:Put"}


@dataclass(frozen=True, slots=True)
class FailureQueue:
    """A queue of failure records; `mappings` None: of every mapping, otherwise of these only.

    `has_rejects`: its messages are those of a reject queue, whose records are taken from them.
    """

    url: str
    mappings: frozenset[MappingKey] | None = None
    has_rejects: bool = False

    def takes(self, body: Mapping[str, Any]) -> bool:
        """Tell whether a failure record is of one of the mappings, or names no mapping at all."""
        key = mapping_key(body)
        return self.mappings is None or key in self.mappings or not all(key)


@dataclass(frozen=True, slots=True)
class FailureBucket:
    """A bucket with the failure records of one mapping, whose keys begin with `prefix`."""

    name: str
    prefix: str


@dataclass(frozen=True, slots=True)
class UnsupportedDestination:
    """A destination that cannot be read: a consumer's logical id, and what it sends to."""

    consumer: str
    arn: str


Destination = FailureQueue | FailureBucket | UnsupportedDestination
"""An on-failure destination of a deployed stack."""


def stack_destinations(
    client: Client, *, stack: str, consumer: str | None = None
) -> tuple[Destination, ...]:
    """Return the on-failure destinations of the stack's mappings, queues first.

    `consumer` is a mapping's logical id, or what it begins with: a construct's id.

    Raises:
        DeploymentError: There is no such stack or mapping, or no destination that can be read.

    """
    senders: defaultdict[str, set[MappingKey]] = defaultdict(set)
    buckets: list[FailureBucket] = []
    unsupported: list[UnsupportedDestination] = []
    for name, mapping in stack_mappings(client, stack, consumer).items():
        match destination_of(client, name, mapping):
            case FailureBucket() as bucket:
                buckets.append(bucket)
            case UnsupportedDestination() as other:
                unsupported.append(other)
            case queue:
                senders[queue].add((mapping["FunctionArn"], mapping["EventSourceArn"]))
    if not (senders or buckets):
        shown = ", ".join(f"{each.consumer}: {each.arn}" for each in unsupported) or "none"
        raise DeploymentError(
            f"failure records must go to a queue or a bucket to be redriven, got {shown}; name the "
            "queue behind a topic with --queue"
        )
    sqs = client("sqs")
    queues = [FailureQueue(queue_url(sqs, arn), frozenset(of)) for arn, of in senders.items()]
    return (*sorted(queues, key=lambda each: each.url), *buckets, *unsupported)


def stack_mappings(
    client: Client, stack: str, consumer: str | None = None
) -> dict[str, Mapping[str, Any]]:
    """Return the stack's mappings of DynamoDB streams, as Lambda has them, by logical id.

    `consumer` is a mapping's logical id, or what it begins with: a construct's id.

    Raises:
        DeploymentError: There is no such stack or mapping.

    """
    uuids = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in stack_resources(client("cloudformation"), stack)
        if each["ResourceType"] == _MAPPING
    }
    named = [name for name in uuids if name.startswith(consumer or "")]
    if not named:
        got = f", got {consumer}" if consumer else ""
        raise DeploymentError(
            f"the consumer must be one of {', '.join(uuids) or 'none'} in the stack {stack}{got}"
        )
    lambda_api = client("lambda")
    found = {name: lambda_api.get_event_source_mapping(UUID=uuids[name]) for name in named}
    # A stack may have functions that read queues or Kinesis streams.
    return {
        name: each
        for name, each in found.items()
        if is_service(each.get("EventSourceArn"), "dynamodb")
    }


def stack_resources(cloudformation: Any, stack: str) -> list[Mapping[str, Any]]:
    """Return the resources of a deployed stack, as CloudFormation lists them.

    Raises:
        DeploymentError: There is no such stack.

    """
    try:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        return [each for page in pages for each in page["StackResourceSummaries"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise DeploymentError(
            f"there is no stack {stack} in the account and Region that were asked"
        ) from None


def destination_of(
    client: Client, name: str, mapping: Mapping[str, Any]
) -> str | FailureBucket | UnsupportedDestination:
    """Return where one mapping's failure records are: a queue's ARN, a bucket, or neither.

    `name` is the mapping's logical id, `mapping` what the Lambda API says of it.
    """
    text = on_failure_arn(mapping)
    try:
        arn = Arn.parse(text)
    except SourceError:
        return UnsupportedDestination(name, text)
    read = _READERS.get(arn.service)
    return UnsupportedDestination(name, text) if read is None else read(client, name, mapping, arn)


def _queue(_client: Client, _name: str, _mapping: Mapping[str, Any], arn: Arn) -> str:
    return str(arn)


def _bucket(
    client: Client, name: str, mapping: Mapping[str, Any], arn: Arn
) -> str | FailureBucket | UnsupportedDestination:
    prefix = f"{FAILURE_OBJECTS}{mapping['UUID']}/"
    rules = client("s3").get_bucket_notification_configuration(Bucket=arn.name)
    for queue in _notified(rules, "Queue", prefix):
        return queue
    for topic in _notified(rules, "Topic", prefix):
        return UnsupportedDestination(name, f"{arn}, which notifies {topic}")
    return FailureBucket(arn.name, prefix)


# The kinds of destination that can be read back, by their service.
_READERS: Mapping[
    str,
    Callable[[Client, str, Mapping[str, Any], Arn], str | FailureBucket | UnsupportedDestination],
] = {"sqs": _queue, "s3": _bucket}


def _notified(configuration: Mapping[str, Any], kind: str, prefix: str) -> Iterator[str]:
    """Yield the queues or topics that are notified of every object written under the prefix."""
    for each in configuration.get(f"{kind}Configurations", []):
        rules = each.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        wanted = {rule["Name"].lower(): rule["Value"] for rule in rules}
        if (
            _EVENTS.intersection(each["Events"])
            and prefix.startswith(wanted.get("prefix", ""))
            and not wanted.get("suffix")
        ):
            yield each[f"{kind}Arn"]
