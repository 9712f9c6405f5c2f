"""Stream records from plain Python values, exactly as Lambda delivers them.

    handler({"Records": [modify({"pk": "1", "paid": False}, {"pk": "1", "paid": True})]}, None)

https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cdk_streams._argument_checks import check_instance, whole_number
from cdk_streams.errors import SourceError
from cdk_streams.mapping import TableStream
from cdk_streams.simulator._dynamodb.numbering import event_id, sequence_number
from cdk_streams.simulator._dynamodb.serialization import Attributes, size_bytes, stored

__all__ = [
    "START",
    "START_MS",
    "TTL_IDENTITY",
    "Record",
    "expire",
    "in_order",
    "insert",
    "modify",
    "record",
    "remove",
]

Record = dict[str, Any]
"""One element of an event's `Records`."""

START = datetime(2026, 1, 1, tzinfo=UTC)
"""When a record was written unless told otherwise; virtual time begins here."""

START_MS = int(START.timestamp()) * 1000
"""`START` in milliseconds since 1970."""

TTL_IDENTITY = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
"""Who deleted an item that expired; no other record has a `userIdentity`."""

# Made once: a record is built for each write of a test.
_ANY_TABLE = TableStream()

# NaN is no time either: it compares as False.
_YEAR_10000_S = 253_402_300_800

_IMAGES = {
    "KEYS_ONLY": (False, False),
    "NEW_IMAGE": (True, False),
    "OLD_IMAGE": (False, True),
    "NEW_AND_OLD_IMAGES": (True, True),
}


def insert(
    new: Mapping[str, Any],
    *,
    stream: TableStream | None = None,
    keys: str | Sequence[str] | None = None,
    number: int = 1,
    at: datetime | float = START,
) -> Record:
    """Build the record of an item that was not there before.

    Args:
        new: The item: `{"pk": "ORDER#1", "total": Decimal("9.90"), "lines": [{"sku": "A"}]}`.
        stream: The table and view type; left out, `TableStream()`.
        keys: Names of the key attributes, in place of the stream's.
        number: The record's place in its stream, from 1; its sequence number follows from it.
        at: When it was written, with a time zone, or in seconds since 1970.

    Raises:
        SourceError: An item without a key attribute, or an argument of the wrong kind.
        AttributeValueError: A value that DynamoDB cannot hold, such as a float.

    """
    return record("INSERT", None, stored(new), stream=_stream(stream, keys), number=number, at=at)


def modify(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    stream: TableStream | None = None,
    keys: str | Sequence[str] | None = None,
    number: int = 1,
    at: datetime | float = START,
) -> Record:
    """Build the record of an item that changed from `old` to `new`; the others as for `insert`.

    Raises:
        SourceError: The two have different keys, an item has no key attribute, or an argument is
            of the wrong kind.
        AttributeValueError: A value that DynamoDB cannot hold, such as a float.

    """
    source = _stream(stream, keys)
    return record("MODIFY", stored(old), stored(new), stream=source, number=number, at=at)


def remove(
    old: Mapping[str, Any],
    *,
    stream: TableStream | None = None,
    keys: str | Sequence[str] | None = None,
    number: int = 1,
    at: datetime | float = START,
) -> Record:
    """Build the record of an item that a request deleted; the arguments are those of `insert`."""
    return record("REMOVE", stored(old), None, stream=_stream(stream, keys), number=number, at=at)


def expire(
    old: Mapping[str, Any],
    *,
    stream: TableStream | None = None,
    keys: str | Sequence[str] | None = None,
    number: int = 1,
    at: datetime | float = START,
) -> Record:
    """Build the record of an item that DynamoDB's time to live deleted: it has a `userIdentity`.

    The arguments are those of `insert`.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
    """
    removed = remove(old, stream=stream, keys=keys, number=number, at=at)
    return {**removed, "userIdentity": dict(TTL_IDENTITY)}


def in_order(*records: Record, first: int = 1) -> list[Record]:
    """Number records as one shard holds them: the n-th argument becomes the n-th of its stream.

    `simulate(handler, in_order(insert(...), modify(...)))`; `first` is the first one's number.

    Raises:
        SourceError: An argument is no record, such as a list of them.

    """
    for each in records:
        if not isinstance(each, Mapping):
            raise SourceError(
                f"in_order takes stream records one by one, got a {type(each).__name__}; unpack a "
                "list with in_order(*records)"
            )
        if "eventSourceARN" not in each or "dynamodb" not in each:
            raise SourceError(
                "in_order takes stream records, got an object without eventSourceARN and dynamodb; "
                "make a record of an item with insert(item)"
            )
    whole_number("first", first, 1)
    return [_numbered(each, number) for number, each in enumerate(records, first)]


def record(
    name: str,
    old: Attributes | None,
    new: Attributes | None,
    *,
    stream: TableStream,
    number: int,
    at: datetime | float,
) -> Record:
    """Put a record together from the images that DynamoDB holds before and after."""
    keys = _keys_of(old if new is None else new, stream)
    if old is not None and new is not None and keys != _keys_of(old, stream):
        raise SourceError(
            f"a modified item keeps its key {', '.join(stream.keys)}, got another one; "
            "a changed key is a remove and an insert"
        )
    with_new, with_old = _IMAGES[stream.view_type]
    images = {}
    if with_new and new is not None:
        images["NewImage"] = new
    if with_old and old is not None:
        images["OldImage"] = old
    sequence = sequence_number(whole_number("number", number, 1))
    return {
        "eventID": event_id(stream.arn, sequence),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": stream.region,
        "dynamodb": {
            # Every recorded time is a float of whole seconds.
            "ApproximateCreationDateTime": float(int(_seconds(at))),
            "Keys": keys,
            **images,
            "SequenceNumber": sequence,
            "SizeBytes": size_bytes(keys, *images.values()),
            "StreamViewType": stream.view_type,
        },
        "eventSourceARN": stream.arn,
    }


def _seconds(at: datetime | float) -> float:
    if not isinstance(at, datetime):
        is_number = isinstance(at, (int, float)) and not isinstance(at, bool)
        if not is_number or not 0 <= at < _YEAR_10000_S:
            raise SourceError(
                f"at must be a datetime, or seconds since 1970 up to the year 9999, got {at!r}"
            )
        return at
    if at.tzinfo is None:
        raise SourceError(
            f"at must have a time zone, got {at.isoformat()}; add tzinfo=timezone.utc"
        )
    return at.timestamp()


def _numbered(each: Record, number: int) -> Record:
    sequence = sequence_number(number)
    return {
        **each,
        "eventID": event_id(each["eventSourceARN"], sequence),
        "dynamodb": {**each["dynamodb"], "SequenceNumber": sequence},
    }


def _stream(stream: TableStream | None, keys: str | Sequence[str] | None) -> TableStream:
    source = _ANY_TABLE if stream is None else stream
    check_instance("stream", source, TableStream, 'write TableStream("Orders", keys=["id"])')
    if keys is None:
        return source
    named: Any = (keys,) if isinstance(keys, str) else keys
    return replace(source, keys=named)


def _keys_of(item: Attributes | None, stream: TableStream) -> Attributes:
    attributes = item or {}
    missing = [name for name in stream.keys if name not in attributes]
    if missing:
        raise SourceError(
            f"an item of {stream.table} has the key attributes {', '.join(stream.keys)}, "
            f"got one without {', '.join(missing)}; add it, or name the table's own keys with keys="
        )
    for name in stream.keys:
        if not attributes[name].keys() & {"S", "N", "B"}:
            raise SourceError(
                f"the key attribute {name} of {stream.table} must be text, a number or bytes, got "
                f'{next(iter(attributes[name]))}; write plain values such as {{"{name}": "1"}}'
            )
    return {name: dict(attributes[name]) for name in stream.keys}
