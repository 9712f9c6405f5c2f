"""What the target of a replica should hold, and what it holds."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cdk_streams.data._side import Attributes, Side
from lambda_runtime import decode, encode
from lambda_runtime.replication import (
    DELETED,
    OWNER,
    ReplicaError,
    Transform,
    is_guard_attribute,
    target_items,
)

__all__ = [
    "Expected",
    "ExpectedItem",
    "data_of",
    "distinct",
    "expected_items",
    "found_items",
    "hashed",
    "is_tombstone",
    "source_key_of",
]


class ExpectedItem(NamedTuple):
    """An item that the target should hold, with its key and that of the source item."""

    item: Attributes
    key: Attributes
    source_key: Attributes


class Expected(NamedTuple):
    """What some source items stand for, by the hashed key; and a sentence for each fault."""

    items: dict[Hashable, ExpectedItem]
    faults: list[str]


def expected_items(
    items: Iterable[Attributes], source: Side, target: Side, transform: Transform | None
) -> Expected:
    """Transform source items as the replica does."""
    expected = Expected({}, [])
    for raw in items:
        source_key = source.key_of(raw)
        try:
            made = target_items(raw, target.keys, transform)
        except ReplicaError as error:
            expected.faults.append(f"{decode({'M': source_key})}: {error}")
            continue
        for item in made.values():
            key = target.key_of(item)
            expected.items[hashed(key)] = ExpectedItem(item, key, source_key)
    return expected


def found_items(target: Side, keys: Sequence[Attributes]) -> dict[Hashable, Attributes]:
    """The target items with these keys, tombstones too, by their hashed key."""
    return {hashed(target.key_of(item)): item for item in target.get(keys)}


def source_key_of(item: Attributes, source: Side, transform: Transform | None) -> Attributes | None:
    """The key of the source item that a target item stands for; None where it does not say."""
    if transform is None:
        return source.key_of(item) if all(name in item for name in source.keys) else None
    owner = item.get(OWNER, {}).get("S")
    if owner is None:
        return None
    made: Attributes = encode(decode({"M": json.loads(owner)}), binary="bytes")["M"]
    return made


def data_of(item: Attributes) -> Attributes:
    """An item without the attributes of a replica."""
    return {name: value for name, value in item.items() if not is_guard_attribute(name)}


def is_tombstone(item: Mapping[str, Any]) -> bool:
    """Whether an item in typed values stands for a deleted one."""
    return DELETED in item


def hashed(key: Attributes) -> Hashable:
    """A key that a dict takes, alike for both sides: the number 1.0 is 1."""
    return tuple(sorted((name, *value, decode(value)) for name, value in key.items()))


def distinct(keys: Iterable[Attributes]) -> list[Attributes]:
    """The keys, each once: DynamoDB refuses a request with one twice."""
    return list({hashed(key): key for key in keys}.values())
