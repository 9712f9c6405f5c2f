"""The requests of a replica: conditional puts of an item or of a tombstone.

The guard is that of `guarded_put`: the target item holds the sequence number of the newest change
applied to it. With a transform it also holds which source item it stands for, `_stream_source`:

* an item whose source item is another one and lives is never overwritten or removed;
* a key that another source item has given up (a tombstone) may be taken.

A backfill uses the same guard. Its mark is the time at which the item was read, behind a minus
sign: text that is lower than every sequence number, so every change of the stream is newer.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
"""

from __future__ import annotations

from typing import Any

from lambda_runtime import encode
from lambda_runtime._tables.conditional_writes import (
    DELETED,
    EXPIRES_AT,
    SEQUENCE,
    TOMBSTONE_DAYS,
    padded,
)

__all__ = [
    "ORIGIN",
    "OWNER",
    "VERSION",
    "backfill_mark",
    "conditional_put",
    "expiry",
    "is_guard_attribute",
    "put_request",
    "tombstone_request",
]

OWNER = "_stream_source"
"""The attribute that names the source item of a transformed item: its key as JSON text."""
ORIGIN = "_stream_origin"
"""The attribute that names the table in which a two-way item was written last."""
VERSION = "_stream_version"
"""The attribute that holds the version with which a two-way item was replicated."""

_GUARD = frozenset({SEQUENCE, DELETED, EXPIRES_AT, OWNER, ORIGIN, VERSION})
_DAY_S = 86_400


def is_guard_attribute(name: str) -> bool:
    """Whether an attribute is a replica's own and no data of the item."""
    return name in _GUARD


def backfill_mark(read_at_s: float) -> str:
    """The mark of an item that was read from the source at this time, in seconds since 1970.

    It is as long as the mark of a change, and lower than any: `-…01795676400000`.
    """
    return "-" + padded(str(int(read_at_s * 1000)))[1:]


def put_request(
    table: str, item: dict[str, dict[str, Any]], mark: str, owner: str | None = None
) -> dict[str, Any]:
    """The arguments of a client's `put_item` that store an item unless a newer one is there.

    Args:
        table: The target's name or ARN.
        item: The target item in typed values.
        mark: `padded(change.sequence_number)`, or a `backfill_mark`.
        owner: The key of the source item as text, for an item that a transform made.
    """
    return _guarded(table, item, mark, owner, may_take=True)


def tombstone_request(
    table: str,
    keys: dict[str, dict[str, Any]],
    mark: str,
    created_at_s: float,
    owner: str | None = None,
) -> dict[str, Any]:
    """The arguments of `put_item` that replace an item by its tombstone, unless a newer is there.

    Args:
        table: The target's name or ARN.
        keys: The key of the target item in typed values.
        mark: `padded(change.sequence_number)`.
        created_at_s: When the change was made; the tombstone expires `TOMBSTONE_DAYS` later.
        owner: As for `put_request`.
    """
    return _guarded(table, {**keys, **expiry(created_at_s)}, mark, owner, may_take=False)


def expiry(created_at_s: float) -> dict[str, dict[str, Any]]:
    """Return the attributes that make an item a tombstone, in typed values."""
    expires_at = int(created_at_s) + TOMBSTONE_DAYS * _DAY_S
    return {DELETED: {"BOOL": True}, EXPIRES_AT: {"N": str(expires_at)}}


def conditional_put(
    table: str,
    item: dict[str, dict[str, Any]],
    condition: str,
    names: dict[str, str],
    values: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """The arguments of `put_item`; a refused request answers with the item that is there."""
    return {
        "TableName": table,
        "Item": item,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _guarded(
    table: str, item: dict[str, dict[str, Any]], mark: str, owner: str | None, *, may_take: bool
) -> dict[str, Any]:
    stored = encode(mark, binary="bytes")
    names, values = {"#sequence": SEQUENCE}, {":sequence": stored}
    newer = "#sequence < :sequence"
    guarded = {**item, SEQUENCE: stored}
    if owner is not None:
        names["#owner"], values[":owner"] = OWNER, {"S": owner}
        guarded[OWNER] = {"S": owner}
        newer = f"(#owner = :owner AND {newer})"
        if may_take:
            names["#deleted"], values[":true"] = DELETED, {"BOOL": True}
            newer += " OR (#owner <> :owner AND #deleted = :true)"
    condition = f"attribute_not_exists(#sequence) OR {newer}"
    return conditional_put(table, guarded, condition, names, values)
