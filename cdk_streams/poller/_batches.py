"""The records of one call: how many fit (batch size, payload size), and which are too old."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from cdk_streams.mapping import MAX_PAYLOAD_BYTES, STREAM_RETENTION
from cdk_streams.poller._effects import Invoke, TimeWindow
from cdk_streams.poller._events import Record
from cdk_streams.poller._timestamps import seconds_text

__all__ = [
    "RETENTION_MS",
    "PayloadFit",
    "count_older",
    "created_ms",
    "fit_payload",
    "invocation_event",
    "json_bytes",
    "payload_bytes_at_most",
    "room_bytes",
    "sequence_number",
    "split_into_calls",
    "window_bounds",
]

RETENTION_MS: Final = round(STREAM_RETENTION.total_seconds() * 1000)
"""The stream's 24 hours, after which DynamoDB trims a record."""

_ENVELOPE_BYTES: Final = len('{"Records":[]}')
_IMAGES: Final = ("NewImage", "OldImage", "Keys")
_WORST_BYTES_PER_CHARACTER: Final = len("\\u0000")
_WORST_BYTES_AROUND_ATTRIBUTE: Final = len('"":{"NULL":false},')
_WORST_BYTES_AROUND_RECORD: Final = 1024


def sequence_number(record: Record) -> str:
    """Return the record's sequence number, decimal text of varying length."""
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def created_ms(record: Record, otherwise_ms: int) -> int:
    """Return when the record was written; `otherwise_ms` for one that does not say."""
    seconds = record["dynamodb"].get("ApproximateCreationDateTime")
    return otherwise_ms if seconds is None else round(seconds * 1000)


def count_older(records: Sequence[Record], age_ms: int, at_ms: int) -> int:
    """Return how many records at the front are older than an age; exactly as old is not older.

    An old record behind a younger one is not counted: records leave a batch from the front only.
    """
    count = 0
    while count < len(records) and at_ms - created_ms(records[count], at_ms) > age_ms:
        count += 1
    return count


def invocation_event(invoke: Invoke, stream_arn: str) -> dict[str, Any]:
    """Return the event that the function is called with, keys in AWS's order.

    `{"Records": […]}`; with a tumbling window also `shardId`, `eventSourceARN`, `window`, `state`,
    `isFinalInvokeForWindow` and `isWindowTerminatedEarly`. The records are those that were read,
    not copies.
    """
    event: dict[str, Any] = {"Records": list(invoke.records)}
    if (window := invoke.window) is not None:
        event |= {
            "shardId": invoke.shard_id,
            "eventSourceARN": stream_arn,
            "window": window_bounds(window),
            "state": window.state,
            "isFinalInvokeForWindow": window.final,
            "isWindowTerminatedEarly": window.early,
        }
    return event


def window_bounds(window: TimeWindow) -> dict[str, str]:
    """`{"start": "2026-09-17T14:11:10Z", "end": "2026-09-17T14:11:20Z"}`."""
    return {"start": seconds_text(window.start_ms), "end": seconds_text(window.end_ms)}


def json_bytes(value: Any) -> int:
    """Return the length of a value as compact JSON in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class PayloadFit(NamedTuple):
    """The first `fits` records go into one call; together they are `at_most` bytes of JSON."""

    fits: int = 0
    at_most: int = 0


def fit_payload(
    records: Sequence[Record], size: int, so_far: PayloadFit, beside_bytes: int = 0
) -> PayloadFit:
    """Return how many of the first `size` records fit into one call; at least one.

    `so_far` is the size of the same records before more came, so that each is weighed once.
    `beside_bytes` is what the event holds beside its records. Encoding every record to learn its
    length would be most of a simulation's time, so an upper bound is tried first.
    """
    count = min(size, len(records))
    budget = room_bytes(PayloadFit()) - beside_bytes
    at_most = so_far.at_most + payload_bytes_at_most(records[so_far.fits : count])
    if at_most <= budget:
        return PayloadFit(count, at_most)
    used = 0
    for index in range(count):
        weight = json_bytes(records[index]) + (index > 0)
        if index > 0 and used + weight > budget:
            return PayloadFit(index, used)
        used += weight
    return PayloadFit(count, used)


def split_into_calls(records: Sequence[Record], size: int) -> Iterator[Sequence[Record]]:
    """Yield the records call by call: at most `size` of them, and what a payload of 6 MB holds."""
    while records:
        count = fit_payload(records, size, PayloadFit()).fits
        yield records[:count]
        records = records[count:]


def room_bytes(gathered: PayloadFit) -> int:
    """Return how much more a call can hold beside what is gathered, when nothing else is sent."""
    return MAX_PAYLOAD_BYTES - _ENVELOPE_BYTES - gathered.at_most


def payload_bytes_at_most(records: Sequence[Record]) -> int:
    """Return an upper bound of the bytes of the records' JSON; bounds of parts can be added.

    Sound for any content: no character takes more than six bytes, and a nested value's JSON has
    no more characters than its `repr`. Joining is the fastest way to count characters.
    """
    names: list[str] = []
    contents: list[Any] = []
    for record in records:
        change = record["dynamodb"]
        for images in _IMAGES:
            if images in change and (image := change[images]):
                names += image
                for value in image.values():
                    contents += value.values()
    try:
        characters = len("".join(contents))
    except TypeError:
        characters = sum(len(each if isinstance(each, str) else repr(each)) for each in contents)
    characters += len("".join(names))
    return (
        len(records) * _WORST_BYTES_AROUND_RECORD
        + len(contents) * _WORST_BYTES_AROUND_ATTRIBUTE
        + characters * _WORST_BYTES_PER_CHARACTER
    )
