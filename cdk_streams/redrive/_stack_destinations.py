"""Where a deployed stack's failure records lie: queues, and buckets that no queue is told of.

    for destination in stack_destinations(client, stack="Shop", consumer="Audit"):
        match destination:
            case FailureQueue(url=url): ...
            case FailureBucket(name=name): ...
            case UnsupportedDestination(arn=arn): ...

A bucket whose notification goes to a queue, as OnFailure.QUEUE_WITH_PAYLOAD makes it, is read by
way of that queue: what is deleted there is what is not done yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cdk_streams.errors import SourceError
from cdk_streams.live._deployed_stack import Client
from cdk_streams.mapping import FAILURE_OBJECTS
from cdk_streams.redrive._invoke import MappingKey, mapping_key, on_failure_arn

__all__ = [
    "Destination",
    "FailureBucket",
    "FailureQueue",
    "UnsupportedDestination",
    "queue_url",
    "stack_destinations",
]

_MAPPING = "AWS::Lambda::EventSourceMapping"
_EVENTS = {"s3:ObjectCreated:*", "s3:ObjectCreated:Put"}


@dataclass(frozen=True, slots=True)
class FailureQueue:
    """A queue with failure records; those of which `mappings` (function and stream ARN) matter.

    `mappings` is None when all of them do.
    """

    url: str
    mappings: frozenset[MappingKey] | None = None

    def takes(self, body: Mapping[str, Any]) -> bool:
        """Tell whether the failure record is of one of the mappings, or of nobody at all."""
        who = mapping_key(body)
        return self.mappings is None or who in self.mappings or not all(who)


@dataclass(frozen=True, slots=True)
class FailureBucket:
    """A bucket with the failure records of one mapping under `prefix`."""

    name: str
    prefix: str


@dataclass(frozen=True, slots=True)
class UnsupportedDestination:
    """What cannot be looked at: a consumer (its logical id) and where it sends to instead."""

    consumer: str
    arn: str


Destination = FailureQueue | FailureBucket | UnsupportedDestination


def stack_destinations(
    client: Client, *, stack: str, consumer: str | None = None
) -> tuple[Destination, ...]:
    """Return the destinations that the stack's mappings send failure records to, queues first.

    `consumer` is a mapping's logical id, or what it begins with: a construct's id.

    Raises:
        SourceError: There is no such mapping, or none of them sends where records can be had.

    """
    mappings = _mappings(client, stack, consumer)
    senders: defaultdict[str, set[MappingKey]] = defaultdict(set)
    buckets: list[FailureBucket] = []
    unsupported: list[UnsupportedDestination] = []
    for name, mapping in mappings.items():
        match _destination(client, name, mapping):
            case FailureBucket() as bucket:
                buckets.append(bucket)
            case UnsupportedDestination() as other:
                unsupported.append(other)
            case queue:
                senders[queue].add((mapping["FunctionArn"], mapping["EventSourceArn"]))
    if not (senders or buckets):
        shown = ", ".join(f"{each.consumer}: {each.arn}" for each in unsupported) or "none"
        raise SourceError(
            f"failure records must go to a queue or a bucket to be redriven, got {shown}; a queue "
            "that a topic passes them to is named by itself"
        )
    sqs = client("sqs")
    queues = [FailureQueue(queue_url(sqs, arn), frozenset(of)) for arn, of in senders.items()]
    return (*sorted(queues, key=lambda each: each.url), *buckets, *unsupported)


def queue_url(sqs: Any, named: str) -> str:
    """Return a queue's URL, given that or its ARN."""
    if "://" in named:
        return named
    parts = named.split(":")
    if len(parts) != 6 or parts[2] != "sqs":  # noqa: PLR2004 - arn:partition:sqs:region:account:name
        raise SourceError(f"the queue must be given by its URL or its ARN, got {named}")
    answer = sqs.get_queue_url(QueueName=parts[5], QueueOwnerAWSAccountId=parts[4])
    return str(answer["QueueUrl"])


def _mappings(client: Client, stack: str, consumer: str | None) -> dict[str, Mapping[str, Any]]:
    """Return the stack's mappings, as Lambda has them, by logical id."""
    uuids = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in _resources(client("cloudformation"), stack)
        if each["ResourceType"] == _MAPPING
    }
    named = [name for name in uuids if name.startswith(consumer or "")]
    if not named:
        got = f", got {consumer}" if consumer else ""
        raise SourceError(
            f"the consumer must be one of {', '.join(uuids) or 'none'} in the stack {stack}{got}"
        )
    lambda_api = client("lambda")
    found = {name: lambda_api.get_event_source_mapping(UUID=uuids[name]) for name in named}
    # A stack may have functions that read queues or Kinesis streams.
    return {name: each for name, each in found.items() if ":dynamodb:" in each["EventSourceArn"]}


def _resources(cloudformation: Any, stack: str) -> list[Mapping[str, Any]]:
    try:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        return [each for page in pages for each in page["StackResourceSummaries"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise SourceError(
            f"the stack must be deployed in the account and Region that are asked, got {stack}, "
            "which is not"
        ) from None


def _destination(
    client: Client, name: str, mapping: Mapping[str, Any]
) -> str | FailureBucket | UnsupportedDestination:
    """Return where one mapping's failure records lie; of a queue its ARN."""
    arn = on_failure_arn(mapping)
    match arn.split(":"):
        case [_, _, "sqs", *_]:
            return arn
        case [_, _, "s3", *_, bucket]:
            prefix = f"{FAILURE_OBJECTS}{mapping['UUID']}/"
            told = client("s3").get_bucket_notification_configuration(Bucket=bucket)
            for queue in _notified(told, "Queue", prefix):
                return queue
            for topic in _notified(told, "Topic", prefix):
                return UnsupportedDestination(name, f"{arn}, of which it tells {topic}")
            return FailureBucket(bucket, prefix)
    return UnsupportedDestination(name, arn)


def _notified(configuration: Mapping[str, Any], kind: str, prefix: str) -> Iterator[str]:
    """Yield the queues or topics that are told of every object written under the prefix."""
    for each in configuration.get(f"{kind}Configurations", []):
        rules = each.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        wanted = {rule["Name"].lower(): rule["Value"] for rule in rules}
        if (
            _EVENTS.intersection(each["Events"])
            and prefix.startswith(wanted.get("prefix", ""))
            and not wanted.get("suffix")
        ):
            yield each[f"{kind}Arn"]
