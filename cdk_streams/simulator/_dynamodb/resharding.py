"""Shards that change while a world runs: which one, and how."""

from __future__ import annotations

from cdk_streams.simulator._dynamodb.shards import Shard, Shards
from cdk_streams.simulator._engine.rng import Rng

__all__ = ["change_shards", "describe_change"]

_MOST_SHARDS = 8


def change_shards(shards: Shards, rng: Rng, at_s: float) -> tuple[Shard, ...]:
    """Split, merge or continue a shard, whichever is drawn; return the shards that were made."""
    how = rng.choice(("split", "split", "merge", "roll"))
    shard = rng.choice(shards.open)
    pairs = shards.neighbours()
    if how == "merge" and pairs:
        return shards.merge(*rng.choice(pairs), at_s)
    if how == "split" and len(shards.open) < _MOST_SHARDS:
        return shards.split(shard, at_s)
    return shards.roll(shard, at_s)


def describe_change(made: tuple[Shard, ...]) -> str:
    """Say which shards became which: `3d110129 → 5f0a77c1 and 90b3e2d4`."""
    parents = " and ".join(each[-8:] for each in made[0].parents)
    children = " and ".join(each.shard_id[-8:] for each in made)
    return f"{parents} → {children}"
