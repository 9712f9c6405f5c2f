"""The times in which a shard stands still: a batch failed, and nothing was settled since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from cdk_streams.simulator._timeline.events import EventKind, TimelineEvent

__all__ = ["StandingShard", "standing_shards"]

_FAILS: Final[set[EventKind]] = {"failed", "timeout", "throttled", "duplicate"}
_SETTLES: Final[set[EventKind]] = {
    "handled",
    "sent",
    "lost",
    "age_exceeded",
    "trimmed",
    "filtered",
    "partial",
}


class StandingShard(NamedTuple):
    """A shard of a consumer from its first failing call to the next event that settles records.

    `attempts` counts the calls in between; `ended` is False when the run ended first.
    """

    consumer: str
    table: str
    shard_id: str
    from_ms: int
    to_ms: int
    attempts: int
    ended: bool


def standing_shards(events: Sequence[TimelineEvent]) -> list[StandingShard]:
    """Return the shards that stood still for any time, in the order in which they ended."""
    found: list[StandingShard] = []
    begun: dict[tuple[str, str, str], tuple[int, int]] = {}
    for each in events:
        key = (each.consumer, each.table, each.shard_id)
        if each.kind in _FAILS:
            from_ms, attempts = begun.get(key, (each.at_ms - each.took_ms, 0))
            begun[key] = (from_ms, attempts + 1)
        elif each.kind in _SETTLES and key in begun:
            from_ms, attempts = begun.pop(key)
            found.append(StandingShard(*key, from_ms, each.at_ms, attempts, ended=True))
    last_ms = max((each.at_ms for each in events), default=0)
    found += [
        StandingShard(*key, from_ms, last_ms, attempts, ended=False)
        for key, (from_ms, attempts) in begun.items()
    ]
    return [each for each in found if each.to_ms > each.from_ms or not each.ended]
