"""Marks: what each source item has given to a view so far, and by which change.

A mark is the memory that makes a view exact. A change is applied when it is newer than the mark
of its item, and it replaces what the mark says the item gave, not what the change's old image
says: so a change that comes twice, late, or never at all leaves no trace once a newer one has come.

    {"item": '{"order_id":{"S":"o-1"}}', "_stream_sequence": "0000…4263", "at": 1789654328,
     "key": {"customer": "c-1"}, "content": {"orders": 1, "total": 30}}

An item that a scan has seen has `"scanned": True`, and `at` is the moment of which everything made
before is in it. Changes made before that moment are old news to it, whatever their numbers.

The mark of an item that gives nothing (it was removed, or is in no group) stays for 15 days, longer
than any redrive can take, and then expires by time to live.
"""

from __future__ import annotations

import json
from binascii import b2a_base64

from lambda_runtime._tables.conditional_writes import EXPIRES_AT, SEQUENCE, TOMBSTONE_DAYS, padded
from lambda_runtime._values.decoding import decode_map
from lambda_runtime._values.numbers_as import exact
from lambda_runtime.views._contributions import Contribution
from lambda_runtime.views._transactions import TRIES, Write, pause, typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from lambda_runtime._changes.parsing import Change

__all__ = ["ITEM", "MOST_READ", "Mark", "Prepared", "is_newer", "mark_write", "read_marks"]

ITEM = "item"
"""The partition key of the table of marks: a source item's key as JSON text."""
MOST_READ = 100
"""Items in one BatchGetItem."""

_MOST_KEY_BYTES = 2048
_DAY_S = 86_400
_AT, _SCANNED, _KEY, _CONTENT = "at", "scanned", "key", "content"


class Prepared:
    """What one change leads to: its item, its place, and what the item gives from then on.

    `scanned` says that it is no change, but an item as a scan saw it; see `backfill_event`.
    """

    __slots__ = ("at", "contribution", "expires_at", "item", "scanned", "sequence")

    def __init__(self, change: Change, contribution: Contribution | None) -> None:
        self.item = _mark_id(change.keys.raw)
        self.sequence = padded(change.sequence_number)
        self.scanned = int(self.sequence) == 0
        self.contribution = contribution
        self.at = int(change.created_at.timestamp())
        # Counted from the change itself, so that a redrive of it asks for the very same write.
        self.expires_at = self.at + TOMBSTONE_DAYS * _DAY_S


class Mark:
    """The newest change applied of one item, and what the item gives since; None: nothing.

    `at` is when the change was made, in seconds since 1970; of a scan (`scanned`), the moment of
    which everything made before is in it.
    """

    __slots__ = ("at", "contribution", "scanned", "sequence")

    def __init__(
        self, sequence: str, at: int, contribution: Contribution | None, *, scanned: bool
    ) -> None:
        self.sequence = sequence
        self.at = at
        self.contribution = contribution
        self.scanned = scanned


def is_newer(each: Prepared, mark: Mark | None, since: float) -> bool:
    """Tell whether a change, or an item as a scan saw it, is newer than what its mark says.

    Of an item without a mark, a change made before `since` is not: the view has not seen all of the
    item's changes, and a newer one may have been handled before the view was there.
    """
    if mark is None:
        return each.scanned or each.at >= since
    if each.scanned:
        return each.at > mark.at
    return each.sequence > mark.sequence and (each.at >= mark.at or not mark.scanned)


def _mark_id(keys: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text for a source item's typed keys, the same from a stream and from a scan."""
    text = json.dumps({name: _plain(keys[name]) for name in sorted(keys)}, separators=(",", ":"))
    if len(text) <= _MOST_KEY_BYTES:  # ASCII: as many bytes as characters
        return text
    from hashlib import sha256  # noqa: PLC0415 - few tables have keys of 2 KB

    return f"sha256:{sha256(text.encode()).hexdigest()}"


def read_marks(client: Any, table: str, ids: Sequence[str]) -> dict[str, Mark]:
    """Read the marks of up to 100 items, consistently; an item without one is not in the answer."""
    found: dict[str, Mark] = {}
    wanted: Any = {table: {"Keys": [{ITEM: {"S": one}} for one in ids], "ConsistentRead": True}}
    for tries in range(TRIES):
        answer = client.batch_get_item(RequestItems=wanted)
        for row in answer["Responses"].get(table, ()):
            found[row[ITEM]["S"]] = _mark(row)
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return found
        pause(tries)
    raise TimeoutError(f"the table of marks {table!r} is throttled; give it more capacity")


def mark_write(
    table: str, each: Prepared, before: Mark | None, content: Mapping[str, Any] | None
) -> Write:
    """Return the write of an item's mark, which fails unless `before` is there still.

    Args:
        table: The table of marks.
        each: The item's newest change.
        before: The mark as it was read; None: there was none.
        content: What the mark keeps of what the item gives; None: it gives nothing.
    """
    sequence = before.sequence if each.scanned and before is not None else each.sequence
    row: dict[str, Any] = {ITEM: each.item, SEQUENCE: sequence, _AT: each.at}
    if each.scanned:
        row[_SCANNED] = True
    if each.contribution is None:
        row[EXPIRES_AT] = each.expires_at
    else:
        row[_KEY], row[_CONTENT] = dict(each.contribution.key), dict(content or {})
    request: dict[str, Any] = {
        "TableName": table,
        "Item": typed(row),
        "ConditionExpression": "attribute_not_exists(#sequence)",
        "ExpressionAttributeNames": {"#sequence": SEQUENCE},
    }
    if before is not None:
        # Every write of a mark changes one of the two.
        request["ConditionExpression"] = "#sequence = :sequence AND #at = :at"
        request["ExpressionAttributeNames"]["#at"] = _AT
        request["ExpressionAttributeValues"] = typed(
            {":sequence": before.sequence, ":at": before.at}
        )
    return Write(((ITEM, each.item),), {"Put": request})


def _mark(row: Mapping[str, Any]) -> Mark:
    values = decode_map(row)
    given = None
    if _KEY in values:
        given = Contribution(tuple(sorted(values[_KEY].items())), values[_CONTENT])
    return Mark(values[SEQUENCE], int(values[_AT]), given, scanned=_SCANNED in values)


def _plain(value: Mapping[str, Any]) -> dict[str, str]:
    """Write a key attribute in one way: numbers without zeros at the end, bytes as base64."""
    ((tag, content),) = value.items()
    if tag == "N":
        content = str(exact(content).normalize())
    elif not isinstance(content, str):
        content = b2a_base64(bytes(content), newline=False).decode()
    return {tag: content}
