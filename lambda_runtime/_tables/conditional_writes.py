"""Conditional writes that a retry, a duplicate or a late redrive of a change cannot undo.

Lambda delivers at least once, and a failed record comes back hours later when someone redrives it.
A guarded write carries the change's sequence number into the target item, with the condition that
the item holds no newer one, so the target always ends in the newest state:

    table = boto3.resource("dynamodb").Table("projection")

    @on.default
    def project(change: Change) -> None:
        write_once(table, change)

A delete leaves a tombstone instead of nothing: a late insert would find nothing to compare itself
with and bring the item back. DynamoDB's time to live removes the tombstone once no older change
can arrive any more; readers skip it with `is_tombstone`.

Sequence numbers are compared as text of 40 digits, padded with zeros. They have 21 to 40 digits
and no fixed length, so as they come their text would not compare as they do; and DynamoDB refuses
numbers of more than 38 digits.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
"""

from __future__ import annotations

from lambda_runtime._changes.changes import Remove
from lambda_runtime._values.decoding import decode_map
from lambda_runtime.errors import GuardError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from lambda_runtime._changes.changes import Change

    class Table(Protocol):
        """The one method of boto3's Table that the guard calls."""

        def put_item(self, **request: Any) -> Any:
            """Write an item if the request's condition holds."""


__all__ = [
    "DELETED",
    "EXPIRES_AT",
    "SEQUENCE",
    "TOMBSTONE_DAYS",
    "guarded_delete",
    "guarded_put",
    "is_tombstone",
    "padded",
    "write_once",
]

SEQUENCE = "_stream_sequence"
"""The attribute of a target item that holds the newest change applied to it."""
DELETED = "_stream_deleted"
"""The attribute that makes a target item a tombstone: True."""
EXPIRES_AT = "_stream_expires_at"
"""A tombstone's time to live, seconds since 1970; switch it on for the target table."""
TOMBSTONE_DAYS = 15
"""How long a tombstone stays: a queue keeps a message for redrive for at most 14 days."""

_DIGITS = 40
_DAY_S = 86_400


def guarded_put(change: Change, item: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The arguments of boto3's `Table.put_item` that store what a change leads to, once.

    Args:
        change: What happened.
        item: The whole target item with its key; None means a copy of the change's new image,
            its numbers exact whatever the router's `numbers` says. It depends on this change
            alone, because it replaces the item that is there. The guard's attribute takes
            56 bytes, so an item of more than 400 KB without them cannot be stored.

    Returns:
        `{"Item": {…}, "ConditionExpression": …, "ExpressionAttributeNames": …, …}` in Python's
        values, to be called or put into a transaction. The same change gives the same request.
    """
    return _request(change, decode_map(change.new.raw) if item is None else dict(item))


def guarded_delete(change: Change, keys: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The arguments of `Table.put_item` that replace an item by its tombstone, once.

    Args:
        change: What happened: a Remove, or any change after which the target has no such item.
        keys: The target's key; None means the change's own keys.

    The tombstone expires `TOMBSTONE_DAYS` after the change was made.
    """
    expires_at = int(change.created_at.timestamp()) + TOMBSTONE_DAYS * _DAY_S
    keys = decode_map(change.keys.raw) if keys is None else keys
    tombstone = {**keys, DELETED: True, EXPIRES_AT: expires_at}
    return _request(change, tombstone)


def write_once(
    table: Table,
    change: Change,
    item: Mapping[str, Any] | None = None,
    *,
    keys: Mapping[str, Any] | None = None,
    deleted: bool | None = None,
) -> bool:
    """Carry out the guarded write of a change: a tombstone for a Remove, else a put of `item`.

    Args:
        table: boto3's `Table`, or a `MemoryTable` in a test.
        change: What happened.
        item: As for `guarded_put`; a tombstone does not use it.
        keys: As for `guarded_delete`; only a tombstone uses it.
        deleted: True leaves a tombstone whatever the change was, for an item that leaves a
            projection while it stays in its table. None asks whether the change is a Remove.

    Returns:
        True when the change was applied; False when the target holds this change or a newer one
        already, and nothing is left to do.
    """
    if deleted is None:
        deleted = isinstance(change, Remove)
    request = guarded_delete(change, keys) if deleted else guarded_put(change, item)
    try:
        table.put_item(**request)
    except Exception as error:
        # botocore's ClientError, told by its content so that botocore is not imported here.
        response = getattr(error, "response", None) or {}
        refused = response.get("Error", {})
        if refused.get("Code") == "ConditionalCheckFailedException":
            return False
        if "item size" in str(refused.get("Message")).lower():
            error.add_note(
                f"{SEQUENCE} takes {len(SEQUENCE) + _DIGITS} bytes of the item's 400 KB; "
                "store a smaller item, or part of it elsewhere"
            )
        raise
    return True


def is_tombstone(item: Mapping[str, Any]) -> bool:
    """Whether a target item stands for a deleted one."""
    return item.get(DELETED) is True


def padded(sequence_number: str) -> str:
    """A sequence number as text that compares as the number does: 40 digits."""
    digits = sequence_number.lstrip("0")
    if not (sequence_number.isascii() and sequence_number.isdigit()) or len(digits) > _DIGITS:
        raise GuardError(f"a sequence number has 1 to {_DIGITS} digits, got {sequence_number!r}")
    return digits.zfill(_DIGITS)


def _request(change: Change, item: dict[str, Any]) -> dict[str, Any]:
    number = padded(change.sequence_number)
    return {
        "Item": {**item, SEQUENCE: number},
        "ConditionExpression": "attribute_not_exists(#sequence) OR #sequence < :sequence",
        "ExpressionAttributeNames": {"#sequence": SEQUENCE},
        "ExpressionAttributeValues": {":sequence": number},
    }
