"""Failure records of destinations, each with its plan or with the reason why there is none.

    result = find_failures(client, destinations, limit=100)
    for found in result.found:
        found.plan or found.fault

A message chooses neither what is called nor what is read: the function it names must have a mapping
to the stream it names, and a bucket is read only while a mapping sends failure records to it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import Any, TypeAlias

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
from cdk_streams.redrive._failure_record import parse_failure
from cdk_streams.redrive._invoke import bucket_mappings, mapping_settings
from cdk_streams.redrive._plan import RedrivePlan, plan_redrive
from cdk_streams.redrive._queue_messages import (
    FailureMessage,
    give_back,
    is_test_event,
    receive_messages,
)
from cdk_streams.redrive._rejects import rejected_as_failure
from cdk_streams.redrive._stack_destinations import Destination, FailureBucket, FailureQueue

__all__ = ["EXPECTED_ERRORS", "FoundFailure", "Holder", "SearchResult", "find_failures"]

EXPECTED_ERRORS = (StreamsError, ClientError, BotoCoreError)
"""What keeps one failure record from being redriven and says nothing about the others."""

Holder: TypeAlias = FailureMessage | FailureObject

# A message that comes back while the queue is read means that the queue was read once.
_MOST_REPEATED = 10


@dataclass(frozen=True, slots=True)
class FoundFailure:
    """A failure record with its plan, or with the reason (`fault`) why there is none.

    `holders` are deleted when it is redriven: the messages that hold or name it, or an object
    that no message names. `object` is where it was read, unless that is the message itself.
    """

    holders: tuple[Holder, ...]
    body: Mapping[str, Any]
    object: FailureObject | None = None
    plan: RedrivePlan | None = None
    fault: str = ""


@dataclass(slots=True)
class SearchResult:
    """What was found: failure records in the order of their shards, and S3's test events.

    `skipped` counts messages of other consumers, by the URL of their queue. `is_limited`: there may
    be more than the limit allowed to read.
    """

    found: list[FoundFailure] = field(default_factory=list)
    tests: list[FailureMessage] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    is_limited: bool = False


def find_failures(client: Client, destinations: Sequence[Destination], limit: int) -> SearchResult:
    """Read at most `limit` messages and objects; a message that is returned is hidden for a while.

    The others that were received with it can be received again at once, also after an error.
    """
    result, reading = SearchResult(), _Reading(client)
    try:
        for destination in destinations:
            left = limit - len(result.found)
            match destination:
                case FailureQueue():
                    _search_queue(reading, destination, left, result)
                case FailureBucket():
                    result.found += _search_bucket(reading, destination, left)
        result.is_limited = len(result.found) >= limit
        planned = sorted(map(reading.planned, _merged(result.found)), key=_sort_key)
    except BaseException:
        held = [holder for each in result.found for holder in each.holders]
        reading.give_back([*held, *result.tests])
        raise
    result.found = planned
    return result


class _Reading:
    """Reads what messages and buckets hold; what it asks of mappings it asks once."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._streams = client("dynamodbstreams")
        self._settings = cache(lambda *who: mapping_settings(client("lambda"), *who))
        self._bucket_mappings = cache(lambda: bucket_mappings(client("lambda")))

    def contents(self, message: FailureMessage) -> list[FoundFailure]:
        """Return the failure records of a message: its own, or those whose objects it names."""
        if not is_notification(message.body):
            return [FoundFailure((message,), message.body)]
        named: dict[FailureObject, FoundFailure] = {}
        faults: list[FoundFailure] = []
        for record in message.body["Records"]:
            try:
                location = named_object(record)
            except SourceError as error:
                faults.append(FoundFailure((message,), {}, fault=str(error)))
                continue
            # An object is one batch, however often it is named.
            if location not in named:
                named[location] = self.read(message, location)
        return [*named.values(), *faults[:1]]

    def read(self, holder: Holder, location: FailureObject) -> FoundFailure:
        """Return the failure record in an object."""
        try:
            if location.bucket not in self._bucket_mappings():
                raise DeploymentError(
                    f"no mapping sends failure records to the bucket {location.bucket}, "
                    f"so {location} is not read"
                )
            return FoundFailure((holder,), read_object(self.client("s3"), location), location)
        except EXPECTED_ERRORS as error:
            return FoundFailure((holder,), {}, location, fault=str(error))

    def planned(self, found: FoundFailure) -> FoundFailure:
        """Return a failure record with its plan, or with the reason why there is none."""
        if found.fault:
            return found
        try:
            return replace(found, plan=self._plan(found))
        except EXPECTED_ERRORS as error:
            return replace(found, fault=str(error))

    def give_back(self, holders: Sequence[Holder]) -> None:
        """Let the messages among these be received again at once."""
        for holder in holders:
            if isinstance(holder, FailureMessage):
                give_back(self.client("sqs"), holder)

    def _plan(self, found: FoundFailure) -> RedrivePlan:
        failure, settings = parse_failure(found.body), MappingSettings()
        who = failure.key
        if found.object is not None and who not in self._bucket_mappings()[found.object.bucket]:
            raise DeploymentError(
                f"{who[0]} has no mapping to {who[1]} that sends failure records to the bucket "
                f"{found.object.bucket}, so it is not called"
            )
        if failure.payload is None or found.object is None:
            # Who sends a message chooses no function and no stream without a mapping between them.
            settings = self._settings(*who)
        return plan_redrive(found.body, self._streams, settings)


def _search_queue(reading: _Reading, queue: FailureQueue, limit: int, result: SearchResult) -> None:
    """Add what a queue holds, each message once and with its last receipt."""
    messages: dict[str, FailureMessage] = {}
    kept: dict[str, list[FoundFailure]] = {}
    try:
        repeated = 0
        for page in receive_messages(reading.client("sqs"), queue.url) if limit > 0 else ():
            # All of the page is hidden now, and is kept or given back below.
            is_known = [each.id in messages for each in page]
            messages |= {each.id: each for each in page}
            for message, again in zip(page, is_known, strict=True):
                repeated = repeated + 1 if again else 0
                if again or is_test_event(message.body) or len(kept) >= limit:
                    continue
                contents = [_rejected(message)] if queue.has_rejects else reading.contents(message)
                if any(each.fault or queue.takes(each.body) for each in contents):
                    kept[message.id] = contents
            if len(kept) >= limit or repeated >= _MOST_REPEATED:
                break
    except BaseException:
        reading.give_back([*messages.values()])
        raise
    looked_at = len(kept) < limit
    for key, message in messages.items():
        if key in kept:
            result.found += [replace(each, holders=(message,)) for each in kept[key]]
        elif is_test_event(message.body):
            result.tests.append(message)
        else:
            reading.give_back([message])
            result.skipped[queue.url] += looked_at or not queue.takes(message.body)


def _search_bucket(reading: _Reading, bucket: FailureBucket, limit: int) -> Iterator[FoundFailure]:
    """Yield what lies under a bucket's prefix."""
    objects = list_objects(reading.client("s3"), bucket.name, bucket.prefix)
    for location in islice(objects, max(0, limit)):
        yield reading.read(location, location)


def _rejected(message: FailureMessage) -> FoundFailure:
    """Return the record in a message of a reject queue."""
    try:
        return FoundFailure((message,), rejected_as_failure(message.body))
    except SourceError as error:
        return FoundFailure((message,), {}, fault=str(error))


def _merged(found: Sequence[FoundFailure]) -> list[FoundFailure]:
    """Return each batch once, with all its holders: Lambda and S3 may send a message twice."""
    batches: dict[Any, FoundFailure] = {}
    for number, each in enumerate(found):
        key = number if each.fault else _batch(each, number)
        if key in batches:
            holders = (*batches[key].holders, *each.holders)
            batches[key] = replace(batches[key], holders=holders)
        else:
            batches[key] = each
    return list(batches.values())


def _batch(found: FoundFailure, number: int) -> Any:
    if found.object is not None:
        return found.object
    try:
        return parse_failure(found.body).batch
    except SourceError:
        return number


def _sort_key(found: FoundFailure) -> tuple[str, str, float]:
    """Return what sorts failure records as their records were written, a shard at a time."""
    if found.plan is None:
        return "", "", 0
    failure = found.plan.failure
    # The last call of a window has no records, and follows them.
    first = math.inf if failure.first is None else int(failure.first)
    return failure.stream_arn, failure.shard_id, first
