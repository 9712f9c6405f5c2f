"""The shards of one stream: which item goes where, and how shards split and merge.

An item's partition key has one place between 0 and 2^64, and an open shard owns a range of places.
A closed shard takes no more records; its children are read after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise

from cdk_streams.simulator._records import START_MS

__all__ = ["FIRST_SHARD", "Shard", "Shards", "place_of"]

FIRST_SHARD = "shardId-00000001789654273755-3d110129"
"""The first shard of every simulated stream, as one was named on AWS."""

_PLACES = 2**64


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard that owns the places from `low` up to, and not including, `high`."""

    shard_id: str
    low: int
    high: int
    parents: tuple[str, ...] = ()


def place_of(partition_key: str) -> int:
    """Return the place of a partition key; `hash()` would differ from one process to the next."""
    return int.from_bytes(blake2b(partition_key.encode(), digest_size=8).digest(), "big")


class Shards:
    """The shards of a stream, open and closed; ids look like those of DynamoDB."""

    def __init__(self, stream_arn: str, count: int) -> None:
        self._arn = stream_arn
        self._made = 0
        self.open: list[Shard] = []
        self._open_ids: set[str] = set()
        self.all: list[Shard] = []
        edges = [_PLACES * index // count for index in range(count + 1)]
        for low, high in pairwise(edges):
            self._add(low, high, (), at_s=0)

    def of(self, place: int) -> Shard:
        """Return the open shard that owns the place."""
        return next(shard for shard in self.open if shard.low <= place < shard.high)

    def is_open(self, shard_id: str) -> bool:
        """Whether the shard takes records."""
        return shard_id in self._open_ids

    def split(self, shard: Shard, at_s: float) -> tuple[Shard, ...]:
        """Close the shard and open two that halve its range."""
        middle = (shard.low + shard.high) // 2
        self._close(shard)
        parents = (shard.shard_id,)
        return (
            self._add(shard.low, middle, parents, at_s),
            self._add(middle, shard.high, parents, at_s),
        )

    def roll(self, shard: Shard, at_s: float) -> tuple[Shard, ...]:
        """Close the shard and open one for the same range, as DynamoDB does every few hours."""
        self._close(shard)
        return (self._add(shard.low, shard.high, (shard.shard_id,), at_s),)

    def merge(self, left: Shard, right: Shard, at_s: float) -> tuple[Shard, ...]:
        """Close two neighbours and open one for both ranges."""
        if left.high != right.low:
            raise ValueError(
                f"two shards merge where one ends and the next begins, got {left.shard_id} and "
                f"{right.shard_id}; pass neighbours, the lower one first"
            )
        self._close(left)
        self._close(right)
        return (self._add(left.low, right.high, (left.shard_id, right.shard_id), at_s),)

    def neighbours(self) -> list[tuple[Shard, Shard]]:
        """Return the pairs of open shards that can merge, the lowest range first."""
        ordered = sorted(self.open, key=lambda shard: shard.low)
        return list(pairwise(ordered))

    def _close(self, shard: Shard) -> None:
        self.open.remove(shard)
        self._open_ids.remove(shard.shard_id)

    def _add(self, low: int, high: int, parents: tuple[str, ...], at_s: float) -> Shard:
        self._made += 1
        made_ms = START_MS + int(at_s * 1000)
        mark = blake2b(f"{self._arn} {self._made}".encode(), digest_size=4).hexdigest()
        name = FIRST_SHARD if self._made == 1 else f"shardId-{made_ms:020}-{mark}"
        shard = Shard(name, low, high, parents)
        self.open.append(shard)
        self._open_ids.add(shard.shard_id)
        self.all.append(shard)
        return shard
