"""The records of one table's stream, shard by shard, as GetRecords gives them."""

from __future__ import annotations

from typing import Final, Protocol

from cdk_streams.mapping import STREAM_RETENTION
from cdk_streams.poller import Read, ShardSeen, sequence_number
from cdk_streams.simulator._dynamodb.shards import Shard, Shards
from cdk_streams.simulator._records import Record

__all__ = ["LogReader", "StreamLog"]

_RETENTION_MS: Final = round(STREAM_RETENTION.total_seconds() * 1000)


class Subscriber(Protocol):
    """Who reads a stream."""

    def wake(self, shard_id: str) -> None:
        """Look at a shard that was written to."""
        ...

    def list_shards(self) -> None:
        """Look at the stream's shards, which have changed."""
        ...


class StreamLog:
    """What was written to each shard and when, in milliseconds since 1970, and who reads it."""

    def __init__(self, shards: Shards) -> None:
        self.shards = shards
        self.subscribers: list[Subscriber] = []
        self._entries: dict[str, list[tuple[int, Record]]] = {}
        self._places: dict[str, int] = {}

    def append(self, shard: Shard, change: Record, now_ms: int) -> None:
        """Add a record at the end of a shard."""
        entries = self.entries(shard.shard_id)
        self._places[sequence_number(change)] = len(entries)
        entries.append((now_ms, change))
        for each in self.subscribers:
            each.wake(shard.shard_id)

    def changed(self) -> None:
        """Let those who read the stream know that its shards have changed."""
        for each in self.subscribers:
            each.list_shards()

    def entries(self, shard_id: str) -> list[tuple[int, Record]]:
        """Return (moment, record) of all that was written to a shard, in order."""
        return self._entries.setdefault(shard_id, [])

    @property
    def length(self) -> int:
        """How many records were written, to all shards."""
        return len(self._places)

    def place_after(self, number: str) -> int:
        """Return the place behind the record with this sequence number."""
        return self._places[number] + 1


class LogReader:
    """A stream's log as one mapping reads it; a `StreamReader`."""

    def __init__(self, log: StreamLog) -> None:
        self._log = log
        self._cursors: dict[str, LogCursor] = {}

    def shards(self, now_ms: int) -> tuple[ShardSeen, ...]:  # noqa: ARG002 - a StreamReader's
        """Return all shards as DescribeStream does."""
        shards = self._log.shards
        return tuple(
            ShardSeen(each.shard_id, each.parents, closed=not shards.is_open(each.shard_id))
            for each in shards.all
        )

    def seek(self, read: Read, now_ms: int) -> LogCursor:  # noqa: ARG002 - a StreamReader's
        """Go behind the last record that was read, or to where the mapping starts."""
        cursor = self._cursors.get(read.shard_id)
        if cursor is None:
            cursor = self._cursors[read.shard_id] = LogCursor(self._log, read.shard_id)
        cursor.seek(read)
        return cursor


class LogCursor:
    """One mapping's place in a shard; a `ShardCursor`."""

    def __init__(self, log: StreamLog, shard_id: str) -> None:
        self._log = log
        self._shard_id = shard_id
        self._entries = log.entries(shard_id)
        self._latest = len(self._entries)
        self._place = 0

    def seek(self, read: Read) -> None:
        """Go behind the last record that was read, or to where the mapping starts."""
        if read.after is not None:
            self._place = self._log.place_after(read.after)
        else:
            self._place = self._latest if read.start == "LATEST" else 0

    @property
    def next_ms(self) -> int | None:
        """When the next record was written; None when there is none yet."""
        return self._entries[self._place][0] if self._place < len(self._entries) else None

    @property
    def closed(self) -> bool:
        """Whether the shard takes no more records."""
        return not self._log.shards.is_open(self._shard_id)

    def read(self, limit: int, now_ms: int) -> tuple[list[Record], list[Record]]:
        """Return the next records, and those whose 24 hours are over."""
        place = self._place
        found = [record for _, record in self._entries[place : place + limit]]
        self._place = place + len(found)
        old = 0
        while old < len(found) and now_ms - _created_ms(found[old]) > _RETENTION_MS:
            old += 1
        return (found[old:], found[:old]) if old else (found, [])


def _created_ms(record: Record) -> int:
    seconds: float = record["dynamodb"]["ApproximateCreationDateTime"]
    return round(seconds * 1000)
