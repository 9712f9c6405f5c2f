"""Every failure record in the destinations for them, each with its plan or with why there is none.

    result = find_failures(client, destinations, limit=100)
    for found in result.found:
        found.plan or found.fault

A message chooses neither what is called nor what is read: the function it names must have a mapping
to the stream it names, and a bucket is read only while a mapping sends failure records to it.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.errors import DeploymentError, SourceError, StreamsError
from cdk_streams.live import Client
from cdk_streams.mapping import MappingSettings
from cdk_streams.redrive._bucket_objects import (
    FailureObject,
    is_notification,
    list_objects,
    named_object,
    read_object,
)
from cdk_streams.redrive._invoke import bucket_mappings, mapping_key, mapping_settings
from cdk_streams.redrive._plan import RedrivePlan, plan_redrive
from cdk_streams.redrive._queue_messages import (
    FailureMessage,
    give_back,
    is_test_event,
    read_failures,
)
from cdk_streams.redrive._stack_destinations import Destination, FailureBucket, FailureQueue

__all__ = ["EXPECTED_ERRORS", "FoundFailure", "SearchResult", "find_failures"]

EXPECTED_ERRORS = (StreamsError, ClientError, BotoCoreError)
"""What keeps one failure record from being redriven and says nothing about the others."""

# A message that comes back while the queue is read means that the queue was read once.
_MOST_REPEATED = 10


@dataclass(frozen=True, slots=True)
class FoundFailure:
    """A failure record with its plan, or with the reason (`fault`) why there is none.

    `holder` is deleted when it is dealt with: a message, or an object that no message names.
    `object` is where the failure record was read, unless that is the message itself.
    """

    holder: FailureMessage | FailureObject
    body: Mapping[str, Any]
    object: FailureObject | None = None
    plan: RedrivePlan | None = None
    fault: str = ""


@dataclass(slots=True)
class SearchResult:
    """What was found: failure records in the order of their shards, and S3's test events.

    `skipped` counts messages of other consumers, by the URL of their queue.
    """

    found: list[FoundFailure] = field(default_factory=list)
    tests: list[FailureMessage] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def find_failures(client: Client, destinations: Sequence[Destination], limit: int) -> SearchResult:
    """Read at most `limit` messages and objects; what is received stays hidden for a while."""
    result, reading = SearchResult(), _Reading(client)
    for destination in destinations:
        left = limit - len(result.found)
        match destination:
            case FailureQueue():
                _search_queue(reading, destination, left, result)
            case FailureBucket():
                result.found += _search_bucket(reading, destination, left)
    result.found = sorted(map(reading.planned, result.found), key=_sort_key)
    return result


class _Reading:
    """Reads what messages and buckets run; what it asks of mappings it asks once."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._streams = client("dynamodbstreams")
        self._settings = cache(lambda *who: mapping_settings(client("lambda"), *who))
        self._bucket_mappings = cache(lambda: bucket_mappings(client("lambda")))

    def contents(self, message: FailureMessage) -> list[FoundFailure]:
        """Return the failure records of a message: its own, or those whose objects it names."""
        if not is_notification(message.body):
            return [FoundFailure(message, message.body)]
        return [self._named(message, record) for record in message.body["Records"]]

    def read(self, holder: FailureMessage | FailureObject, location: FailureObject) -> FoundFailure:
        """Return the failure record in an object."""
        try:
            if location.bucket not in self._bucket_mappings():
                raise DeploymentError(
                    f"no mapping sends failure records to the bucket {location.bucket}, "
                    f"so {location} is not read"
                )
            return FoundFailure(holder, read_object(self.client("s3"), location), location)
        except EXPECTED_ERRORS as error:
            return FoundFailure(holder, {}, location, fault=str(error))

    def planned(self, found: FoundFailure) -> FoundFailure:
        """Return a failure record with its plan, or with the reason why there is none."""
        if found.fault:
            return found
        try:
            return replace(found, plan=self._plan(found))
        except EXPECTED_ERRORS as error:
            return replace(found, fault=str(error))

    def _named(self, message: FailureMessage, record: Mapping[str, Any]) -> FoundFailure:
        try:
            location = named_object(record)
        except SourceError as error:
            return FoundFailure(message, {}, fault=str(error))
        return self.read(message, location)

    def _plan(self, found: FoundFailure) -> RedrivePlan:
        who, settings = mapping_key(found.body), MappingSettings()
        # What is no failure record is told by the plan.
        if all(who):
            if found.object is not None and who not in self._bucket_mappings()[found.object.bucket]:
                raise DeploymentError(
                    f"{who[0]} has no mapping to {who[1]} that sends failure records to the bucket "
                    f"{found.object.bucket}, so it is not called"
                )
            if "payload" not in found.body:
                settings = self._settings(*who)
        return plan_redrive(found.body, self._streams, settings)


def _search_queue(reading: _Reading, queue: FailureQueue, limit: int, result: SearchResult) -> None:
    """Add what a queue holds, each message once and with its last receipt."""
    sqs = reading.client("sqs")
    messages: dict[str, FailureMessage] = {}
    kept: dict[str, list[FoundFailure]] = {}
    repeated = 0
    for message in read_failures(sqs, queue.url) if limit > 0 else ():
        key = json.dumps(message.body, sort_keys=True) if message.body else message.receipt
        repeated = repeated + 1 if key in messages else 0
        if key not in messages and not is_test_event(message.body):
            contents = reading.contents(message)
            if any(each.fault or queue.takes(each.body) for each in contents):
                kept[key] = contents
        messages[key] = message
        if len(kept) == limit or repeated == _MOST_REPEATED:
            break
    for key, message in messages.items():
        if key in kept:
            result.found += [replace(each, holder=message) for each in kept[key]]
        elif is_test_event(message.body):
            result.tests.append(message)
        else:
            give_back(sqs, message)
            result.skipped[queue.url] += 1


def _search_bucket(reading: _Reading, bucket: FailureBucket, limit: int) -> Iterator[FoundFailure]:
    """Yield what lies under a bucket's prefix."""
    objects = list_objects(reading.client("s3"), bucket.name, bucket.prefix)
    for location in islice(objects, max(0, limit)):
        yield reading.read(location, location)


def _sort_key(found: FoundFailure) -> tuple[str, str, float]:
    """Return what sorts failure records as their records were written, a shard at a time."""
    if found.plan is None:
        return "", "", 0
    batch = found.body["DDBStreamBatchInfo"]
    # The last call of a window has no records, and follows them.
    first = batch.get("startSequenceNumber")
    return batch["streamArn"], batch["shardId"], int(first) if first else math.inf
