"""A DynamoDB Streams API in memory, with everything that can go wrong under the test's control.

    streams = FakeStreams()
    streams.add_shard("shard-1")
    streams.write("shard-1", {"pk": {"S": "order-1"}})
    streams.fail("get_records", "ThrottlingException")   # the next call fails so
    ShardReader(streams, streams.arn, "shard-1", AtStart()).read()

It answers as the boto3 client does: the same shapes, the same errors. `calls` lists every
operation asked of it, failures included.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

__all__ = ["FakeStreams"]

_FIRST_NUMBER = 100_000_000_000_000_000_000
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Shard:
    parent: str | None
    closed: bool = False
    trimmed_to: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)


class FakeStreams:
    """A fake `dynamodbstreams` client with one stream.

    Shards are listed in the order in which they were added, `page_size` of them a page.
    """

    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000"

    def __init__(self, *, page_size: int = 100) -> None:
        self.calls: list[str] = []
        self._page_size = page_size
        self._shards: dict[str, _Shard] = {}
        self._failures: defaultdict[str, deque[str]] = defaultdict(deque)
        self._next_number = _FIRST_NUMBER
        self._generation = 0

    def add_shard(self, shard_id: str, parent: str | None = None) -> None:
        """Open a shard; a parent is closed with it, as a split does."""
        self._shards[shard_id] = _Shard(parent)
        if parent in self._shards:
            self.close_shard(parent)

    def close_shard(self, shard_id: str) -> None:
        """End a shard: readers get what it holds and then no further iterator."""
        self._shards[shard_id].closed = True

    def write(
        self,
        shard_id: str,
        image: Mapping[str, Any],
        *,
        event_name: str = "INSERT",
        created: datetime = _EPOCH,
        user_identity: Mapping[str, str] | None = None,
    ) -> str:
        """Add a record whose key is the image's first attribute; return its sequence number."""
        number = str(self._next_number)
        self._next_number += 1
        key = next(iter(image))
        record: dict[str, Any] = {
            "eventID": f"{int(number):032x}",
            "eventName": event_name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": created,
                "Keys": {key: image[key]},
                ("OldImage" if event_name == "REMOVE" else "NewImage"): dict(image),
                "SequenceNumber": number,
                "SizeBytes": 20,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }
        if user_identity:
            record["userIdentity"] = dict(user_identity)
        self._shards[shard_id].records.append(record)
        return number

    def fail(self, operation: str, *codes: str) -> None:
        """Let the next calls of `operation` fail, one with each error code."""
        self._failures[operation].extend(codes)

    def expire_iterators(self) -> None:
        """Let every iterator given out so far be older than 15 minutes."""
        self._generation += 1

    def trim(self, shard_id: str, through: str) -> None:
        """Remove the records up to and with the number `through`, as 24 hours would."""
        self._shards[shard_id].trimmed_to = int(through)

    def describe_stream(self, **request: Any) -> dict[str, Any]:
        """Answer DescribeStream, page after page."""
        self._begin("describe_stream")
        ids = list(self._shards)
        start = request.get("ExclusiveStartShardId")
        first = ids.index(start) + 1 if start else 0
        page = ids[first : first + self._page_size]
        description: dict[str, Any] = {
            "StreamArn": self.arn,
            "StreamStatus": "ENABLED",
            "Shards": [self._described(shard_id) for shard_id in page],
        }
        if first + self._page_size < len(ids):
            description["LastEvaluatedShardId"] = page[-1]
        return {"StreamDescription": description}

    def get_shard_iterator(self, **request: Any) -> dict[str, str]:
        """Answer GetShardIterator; the iterator's text is the last number that it is behind."""
        self._begin("get_shard_iterator")
        if (shard := self._shards.get(request["ShardId"])) is None:
            raise _error("ResourceNotFoundException", "get_shard_iterator")
        match request["ShardIteratorType"]:
            case "TRIM_HORIZON":
                behind = shard.trimmed_to
            case "LATEST":
                behind = self._next_number - 1
            case kind:
                at_it = kind == "AT_SEQUENCE_NUMBER"
                behind = int(request["SequenceNumber"]) - at_it
                if behind < shard.trimmed_to:
                    raise _error("TrimmedDataAccessException", "get_shard_iterator")
        return {"ShardIterator": self._iterator(request["ShardId"], behind)}

    def get_records(self, **request: Any) -> dict[str, Any]:
        """Answer GetRecords."""
        self._begin("get_records")
        shard_id, generation, behind = request["ShardIterator"].split("|")
        if int(generation) != self._generation:
            raise _error("ExpiredIteratorException", "get_records")
        shard = self._shards[shard_id]
        if int(behind) < shard.trimmed_to and any(
            int(behind) < _number(record) <= shard.trimmed_to for record in shard.records
        ):
            raise _error("TrimmedDataAccessException", "get_records")
        first = bisect_right(shard.records, int(behind), key=_number)
        page = shard.records[first : first + request.get("Limit", 1000)]
        answer: dict[str, Any] = {"Records": page}
        if not shard.closed or len(shard.records) > first + len(page):
            last = _number(page[-1]) if page else int(behind)
            answer["NextShardIterator"] = self._iterator(shard_id, last)
        return answer

    def _begin(self, operation: str) -> None:
        self.calls.append(operation)
        if self._failures[operation]:
            raise _error(self._failures[operation].popleft(), operation)

    def _iterator(self, shard_id: str, behind: int) -> str:
        return f"{shard_id}|{self._generation}|{behind}"

    def _described(self, shard_id: str) -> dict[str, Any]:
        shard = self._shards[shard_id]
        numbers = {"StartingSequenceNumber": str(_FIRST_NUMBER)}
        if shard.closed:
            numbers["EndingSequenceNumber"] = str(self._next_number)
        parent = {} if shard.parent is None else {"ParentShardId": shard.parent}
        return {"ShardId": shard_id, "SequenceNumberRange": numbers, **parent}


def _number(record: Mapping[str, Any]) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as the test asked"}}, operation)
