"""The records of one table's stream, shard by shard, as GetRecords gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cdk_streams.poller import Read, ShardSeen, sequence_number
from cdk_streams.simulator._dynamodb.shards import Shard, Shards
from cdk_streams.simulator._records import Record

__all__ = ["StreamLog"]


class StreamLog:
    """What was written to each shard, and which shards are closed."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards
        self._records: dict[str, list[Record]] = {}
        self._places: dict[str, int] = {}

    def append(self, shard: Shard, change: Record) -> None:
        """Add a record at the end of a shard."""
        records = self._records.setdefault(shard.shard_id, [])
        self._places[_sequence(change)] = len(records)
        records.append(change)

    def end(self, shard_id: str) -> int:
        """Return the place behind a shard's last record."""
        return len(self._records.get(shard_id, ()))

    def place_after(self, read: Read, latest: int) -> int:
        """Return the place where a read goes on; `latest` is where LATEST was when it began."""
        if read.after is not None:
            return self._places[read.after] + 1
        return latest if read.start == "LATEST" else 0

    def records(self, shard_id: str, place: int, limit: int) -> Sequence[Record]:
        """Return up to `limit` records of a shard from a place on."""
        return self._records.get(shard_id, [])[place : place + limit]

    def closed(self, shard_id: str) -> bool:
        """Say whether the shard takes no more records."""
        return all(shard.shard_id != shard_id for shard in self._shards.open)

    def described(self) -> tuple[ShardSeen, ...]:
        """Return all shards as DescribeStream does."""
        return tuple(
            ShardSeen(shard.shard_id, shard.parents, closed=self.closed(shard.shard_id))
            for shard in self._shards.all
        )


def _sequence(change: dict[str, Any]) -> str:
    number: str = sequence_number(change)
    return number
