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
        entries = self._entries.setdefault(shard.shard_id, [])
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
        return self._entries.get(shard_id, [])

    @property
    def length(self) -> int:
        """How many records were written, to all shards."""
        return len(self._places)

    def place_after(self, number: str) -> int:
        """Return the place behind the record with this sequence number."""
        return self._places[number] + 1


class LogReader:
    """One mapping's places in a stream's log; a `StreamReader`."""

    def __init__(self, log: StreamLog) -> None:
        self._log = log
        self._latest: dict[str, int] = {}
        self._places: dict[str, int] = {}

    def shards(self, now_ms: int) -> tuple[ShardSeen, ...]:  # noqa: ARG002 - a StreamReader's
        """Return all shards as DescribeStream does."""
        return tuple(
            ShardSeen(shard.shard_id, shard.parents, closed=self.is_closed(shard.shard_id))
            for shard in self._log.shards.all
        )

    def seek(self, read: Read, now_ms: int) -> None:  # noqa: ARG002 - a StreamReader's
        """Go behind the last record that was read, or to where the mapping starts."""
        shard_id = read.shard_id
        latest = self._latest.setdefault(shard_id, len(self._log.entries(shard_id)))
        if read.after is not None:
            self._places[shard_id] = self._log.place_after(read.after)
        else:
            self._places[shard_id] = latest if read.start == "LATEST" else 0

    def next_ms(self, shard_id: str) -> int | None:
        """Return when the next record was written; None when there is none yet."""
        entries, place = self._log.entries(shard_id), self._places[shard_id]
        return entries[place][0] if place < len(entries) else None

    def fetch(self, shard_id: str, limit: int, now_ms: int) -> tuple[list[Record], list[Record]]:
        """Return the next records, and those whose 24 hours are over."""
        place = self._places[shard_id]
        found = [record for _, record in self._log.entries(shard_id)[place : place + limit]]
        self._places[shard_id] = place + len(found)
        old = 0
        while old < len(found) and now_ms - _created_ms(found[old]) > _RETENTION_MS:
            old += 1
        return (found[old:], found[:old]) if old else (found, [])

    def is_closed(self, shard_id: str) -> bool:
        """Whether the shard takes no more records."""
        return not self._log.shards.is_open(shard_id)


def _created_ms(record: Record) -> int:
    seconds: float = record["dynamodb"]["ApproximateCreationDateTime"]
    return round(seconds * 1000)
