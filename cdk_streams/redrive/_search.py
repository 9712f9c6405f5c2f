"""Failure records of destinations, in the order in which their records were written.

    result, planner = find_failures(client, destinations, limit=100), FailurePlanner(client)
    for found in map(planner.plan, result.found):
        found.plan or found.fault

What is listed holds no records, so that thousands of failure records fit into little memory.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from cdk_streams.errors import SourceError
from cdk_streams.live import Client
from cdk_streams.redrive._bucket_objects import (
    FailureObject,
    is_notification,
    list_objects,
    named_object,
)
from cdk_streams.redrive._failure_record import parse_failure
from cdk_streams.redrive._found_failure import FoundFailure, Holder
from cdk_streams.redrive._planner import EXPECTED_ERRORS, FailurePlanner
from cdk_streams.redrive._queue_messages import (
    FailureMessage,
    give_all_back,
    is_test_event,
    receive_messages,
)
from cdk_streams.redrive._rejects import rejected_as_failure
from cdk_streams.redrive._stack_destinations import Destination, FailureBucket, FailureQueue

__all__ = ["SearchResult", "find_failures"]

# A message that comes back while the queue is read means that the queue was read once.
_MOST_REPEATED = 10
# Long enough to read a queue of thousands before its first message comes back, and short enough to
# be waited for when the process is killed.
_HIDDEN_S = 300


@dataclass(slots=True)
class SearchResult:
    """The result of a search: failure records in the order of their shards, and S3's test events.

    `skipped` counts messages of other consumers, by the URL of their queue. `is_limited`: there may
    be more than the limit allowed to read.
    """

    found: list[FoundFailure] = field(default_factory=list)
    tests: list[FailureMessage] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    is_limited: bool = False


def find_failures(
    client: Client,
    destinations: Sequence[Destination],
    limit: int | None,
    *,
    on_progress: Callable[[int], None] = lambda _count: None,
) -> SearchResult:
    """Return the failure records of destinations: of at most `limit` messages and objects.

    None as `limit` reads all of them.
    A message that is returned is hidden for some minutes. The others that were received with it can
    be received again at once, also after an error. `on_progress` gets 1 for each that was read.
    """
    result, reading = SearchResult(), _Reading(client, on_progress)
    most = math.inf if limit is None else limit
    try:
        for destination in destinations:
            left = most - len(result.found)
            match destination:
                case FailureQueue():
                    _search_queue(reading, destination, left, result)
                case FailureBucket():
                    result.found += _search_bucket(reading, destination, left)
        result.is_limited = len(result.found) >= most
        result.found = sorted(_merged(result.found), key=_sort_key)
    except BaseException:
        reading.give_back([holder for each in result.found for holder in each.holders])
        reading.give_back(result.tests)
        raise
    return result


class _Reading:
    """Reads what messages and objects hold."""

    def __init__(self, client: Client, on_progress: Callable[[int], None]) -> None:
        self.client = client
        self._planner = FailurePlanner(client)
        self._on_progress = on_progress

    def contents(self, message: FailureMessage, *, has_rejects: bool) -> list[FoundFailure]:
        """Return the failure records of a message: its own, or those whose objects it names."""
        if has_rejects:
            return [self._rejected(message)]
        if not is_notification(message.body):
            return [self._found(message, message.body)]
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
        """Return the failure record in an object, without its payload: an event of up to 6 MB."""
        try:
            body = self._planner.read_object(location)
        except EXPECTED_ERRORS as error:
            return self._counted(FoundFailure((holder,), {}, location, fault=str(error)))
        payload = {"payload": ""} if "payload" in body else {}
        return self._found(holder, {**body, **payload}, location)

    def give_back(self, holders: Sequence[Holder]) -> None:
        """Let the messages among these be received again at once."""
        messages = [each for each in holders if isinstance(each, FailureMessage)]
        give_all_back(self.client("sqs"), messages)

    def _rejected(self, message: FailureMessage) -> FoundFailure:
        """Return the record in a message of a reject queue."""
        try:
            return self._found(message, rejected_as_failure(message.body))
        except SourceError as error:
            return self._counted(FoundFailure((message,), {}, fault=str(error)))

    def _found(
        self, holder: Holder, body: Mapping[str, Any], location: FailureObject | None = None
    ) -> FoundFailure:
        found = FoundFailure((holder,), body, location)
        try:
            return self._counted(replace(found, failure=parse_failure(body)))
        except SourceError as error:
            return self._counted(replace(found, fault=str(error)))

    def _counted(self, found: FoundFailure) -> FoundFailure:
        self._on_progress(1)
        return found


def _search_queue(
    reading: _Reading, queue: FailureQueue, limit: float, result: SearchResult
) -> None:
    """Add what a queue holds, each message once and with its last receipt."""
    messages: dict[str, FailureMessage] = {}
    kept: dict[str, list[FoundFailure]] = {}
    sqs = reading.client("sqs")
    try:
        repeated = 0
        for page in receive_messages(sqs, queue.url, hidden_s=_HIDDEN_S) if limit > 0 else ():
            # All of the page is hidden now, and is kept or given back below.
            is_known = [each.id in messages for each in page]
            messages |= {each.id: each for each in page}
            for message, again in zip(page, is_known, strict=True):
                repeated = repeated + 1 if again else 0
                if again or is_test_event(message.body) or len(kept) >= limit:
                    continue
                contents = reading.contents(message, has_rejects=queue.has_rejects)
                if any(each.fault or queue.takes(each.body) for each in contents):
                    kept[message.id] = contents
            if len(kept) >= limit or repeated >= _MOST_REPEATED:
                break
    except BaseException:
        reading.give_back([*messages.values()])
        raise
    looked_at = len(kept) < limit
    others: list[FailureMessage] = []
    for key, message in messages.items():
        if key in kept:
            result.found += [replace(each, holders=(message,)) for each in kept[key]]
        elif is_test_event(message.body):
            result.tests.append(message)
        else:
            others.append(message)
            result.skipped[queue.url] += looked_at or not queue.takes(message.body)
    reading.give_back(others)


def _search_bucket(
    reading: _Reading, bucket: FailureBucket, limit: float
) -> Iterator[FoundFailure]:
    """Yield what lies under a bucket's prefix."""
    objects = list_objects(reading.client("s3"), bucket.name, bucket.prefix)
    most = None if limit == math.inf else max(0, int(limit))
    for location in islice(objects, most):
        yield reading.read(location, location)


def _merged(found: Sequence[FoundFailure]) -> list[FoundFailure]:
    """Return each batch once, with all its holders: Lambda and S3 may send a message twice."""
    batches: dict[Any, FoundFailure] = {}
    for number, each in enumerate(found):
        key = number if each.fault else each.identity
        if key in batches:
            holders = (*batches[key].holders, *each.holders)
            batches[key] = replace(batches[key], holders=holders)
        else:
            batches[key] = each
    return list(batches.values())


def _sort_key(found: FoundFailure) -> tuple[str, str, float]:
    """Return what sorts failure records as their records were written, a shard at a time."""
    failure = found.failure
    if failure is None:
        return "", "", 0
    # The last call of a window has no records, and follows them.
    first = math.inf if failure.first is None else int(failure.first)
    return failure.stream_arn, failure.shard_id, first
