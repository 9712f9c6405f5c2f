"""Decoded values as plain JSON text: for logs, for queues, for a bucket of changes.

| value          | JSON                                                     |
|----------------|----------------------------------------------------------|
| Decimal, int   | a number with every digit: `12.50`, `1E+125`             |
| float          | a number, in its shortest text                           |
| bytes          | a string: base64                                         |
| set, frozenset | an array, sorted, so that one set is always one text     |
| datetime, date | a string: ISO 8601                                       |
| Item           | an object of its attributes                              |
| a change       | an object of what it has: event, table, user_identity,   |
|                | event_id, sequence_number, created_at, keys, new, old    |

No digit is lost in the text, but its reader may lose some: numbers are floats to JavaScript, and
to `json.loads` without `parse_float=Decimal`. Bytes and sets are not told from strings and arrays
again; where that matters, `json.dumps(encode(value))` keeps DynamoDB's types.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from math import isfinite

from lambda_runtime._changes.changes import Change
from lambda_runtime._changes.origin import read_source
from lambda_runtime.errors import AttributeValueError, kind_of

__all__ = ["to_json"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def to_json(value: Any) -> str:
    """Write anything that `decode` gives, an Item or a change as one line of ASCII JSON.

    Raises:
        AttributeValueError: for a value of another type, NaN, or a key that is no text.
        EventError: for a change whose record says something that cannot be read.
    """
    try:
        return _text(value)
    except RecursionError:
        raise AttributeValueError("nested deeper than Python can follow") from None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring_ascii(str.__str__(value))
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (Decimal, int, float)):
        return _number(value)
    if isinstance(value, Mapping):
        return _object(value.items())
    if isinstance(value, (list, tuple)):
        return _array(map(_text, value))
    return _other(value)


def _number(value: Decimal | float) -> str:
    if isinstance(value, int):
        return int.__repr__(value)
    if not (value.is_finite() if isinstance(value, Decimal) else isfinite(value)):
        raise AttributeValueError("JSON has no NaN and no Infinity")
    return str(value) if isinstance(value, Decimal) else float.__repr__(value)


def _object(members: Iterable[tuple[Any, Any]]) -> str:
    texts = []
    for name, one in members:
        if not isinstance(name, str):
            raise AttributeValueError(f"a key is {kind_of(name)}, expected str")
        texts.append(f"{encode_basestring_ascii(name)}:{_text(one)}")
    return f"{{{','.join(texts)}}}"


def _array(texts: Iterable[str]) -> str:
    return f"[{','.join(texts)}]"


def _ordered(members: AbstractSet[Any]) -> list[Any]:
    try:
        return sorted(members)
    except TypeError:
        raise AttributeValueError("the set mixes types, expected members of one type") from None


def _other(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return f'"{b2a_base64(value, newline=False).decode()}"'
    if isinstance(value, AbstractSet):
        return _array(_text(one) for one in _ordered(value))
    if isinstance(value, Change):
        return _object(_members(value))
    if hasattr(value, "isoformat"):
        return _text(value.isoformat())
    raise AttributeValueError(f"cannot write {kind_of(value)} as JSON")


# What a change is asked for when its record has the member behind it.
_PARTS = (
    ("event_id", "eventID"),
    ("sequence_number", "SequenceNumber"),
    ("created_at", "ApproximateCreationDateTime"),
    ("keys", "Keys"),
    ("new", "NewImage"),
    ("old", "OldImage"),
)


def _members(change: Change) -> Iterable[tuple[str, Any]]:
    record = change.record
    sent = {**record, **record["dynamodb"]}
    yield "event", record["eventName"]
    # Events written by hand often have a placeholder here.
    if (source := read_source(sent.get("eventSourceARN"))) is not None:
        yield "table", source.table
    if (identity := change.user_identity) is not None:
        yield "user_identity", {"type": identity.type, "principal_id": identity.principal_id}
    for name, member in _PARTS:
        if sent.get(member) is not None:
            yield name, getattr(change, name)
