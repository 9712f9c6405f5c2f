"""The events of a timeline: one value for each line, and one table of their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from cdk_streams.simulator._dynamodb.numbering import sequence_number

__all__ = [
    "EVENT_KINDS",
    "FATE_KINDS",
    "EventKind",
    "KindRow",
    "TimelineEvent",
    "clock_text",
    "describe_failure",
    "name_record",
    "name_records",
    "write_kind",
]

EventKind: TypeAlias = Literal[
    "insert",
    "modify",
    "remove",
    "expire",
    "shards",
    "start",
    "update",
    "handled",
    "partial",
    "failed",
    "timeout",
    "throttled",
    "duplicate",
    "filtered",
    "sent",
    "lost",
    "age_exceeded",
    "trimmed",
    "broken",
]


class KindRow(NamedTuple):
    """How a kind is drawn: its symbol, what it means, the page's colour, and what it counts as.

    `tone` is a colour of the page's style sheet; `group` is `write`, `call` or "".
    """

    symbol: str
    meaning: str
    tone: Literal["write", "ok", "warn", "bad", "odd", "dead"]
    group: Literal["write", "call", ""] = ""


EVENT_KINDS: Final[dict[EventKind, KindRow]] = {
    "insert": KindRow("+", "an item was inserted", "write", "write"),
    "modify": KindRow("~", "an item was modified", "write", "write"),
    "remove": KindRow("-", "an item was removed", "write", "write"),
    "expire": KindRow("e", "an item expired (time to live)", "write", "write"),
    "shards": KindRow("Y", "a shard was closed: split, merged or continued", "odd"),
    "start": KindRow(">", "the consumer begins to read", "odd"),
    "update": KindRow("u", "the mapping's settings were updated", "odd"),
    "handled": KindRow("o", "a batch was handled", "ok", "call"),
    "partial": KindRow("p", "a batch was handled in part", "warn", "call"),
    "failed": KindRow("x", "the function failed", "bad", "call"),
    "timeout": KindRow("t", "the function ran into its timeout", "bad", "call"),
    "throttled": KindRow("h", "the function was not called (throttled)", "odd", "call"),
    "duplicate": KindRow(
        "d", "handled, no checkpoint stored: the records come again", "odd", "call"
    ),
    "filtered": KindRow("f", "records that no filter matches", "write"),
    "sent": KindRow("F", "a failure record reached its destination", "dead"),
    "lost": KindRow("L", "a failure record was lost", "bad"),
    "age_exceeded": KindRow("a", "records passed their record age", "dead"),
    "trimmed": KindRow("T", "DynamoDB trimmed records that nobody had handled", "bad"),
    "broken": KindRow("!", "an invariant broke", "bad"),
}
"""Each kind of event. A new one is a row here, a name in `EventKind`, and its cause."""

if set(EVENT_KINDS) != set(get_args(EventKind)):  # pragma: no cover - a fault of this file
    raise AssertionError("each kind has one row")

FATE_KINDS: Final[Mapping[str, EventKind]] = {
    "filtered": "filtered",
    "age_exceeded": "age_exceeded",
    "trimmed": "trimmed",
}
"""The kind of event for records that left the poller without a call; others have none."""

_WRITES: Final[Mapping[str, EventKind]] = {
    "INSERT": "insert",
    "MODIFY": "modify",
    "REMOVE": "remove",
}


class TimelineEvent(NamedTuple):
    """One line of a timeline, stamped when it was over.

    `at_ms` counts from the start. `shard_id` is "" for what has no shard, `consumer` for writes
    to the table and changes of its shards. `sequence_numbers` are those of its records, in order;
    `took_ms` is 0 for a moment; `age_ms` is the age of the youngest record when a batch was sent,
    None for anything else. `handled` is how many of its records, from the first on, a partial batch
    response settled; None for anything else.
    """

    at_ms: int
    kind: EventKind
    table: str
    shard_id: str = ""
    consumer: str = ""
    sequence_numbers: tuple[str, ...] = ()
    took_ms: int = 0
    attempt: int = 0
    age_ms: int | None = None
    detail: str = ""
    handled: int | None = None


def write_kind(record: Mapping[str, Any]) -> EventKind:
    """Return the kind of the write behind a stream record."""
    return "expire" if "userIdentity" in record else _WRITES[record["eventName"]]


def describe_failure(body: Mapping[str, Any]) -> str:
    """Describe a failure record: `RetryAttemptsExhausted, 2 record(s)`."""
    context, batch = body["requestContext"], body["DDBStreamBatchInfo"]
    return f"{context['condition']}, {batch.get('batchSize', 0)} record(s)"


def clock_text(at_ms: int) -> str:
    """Return a time since the start as `00:01:02.345`, with days in front when there are any."""
    seconds, milliseconds = divmod(at_ms, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    text = f"{hour:02}:{minute:02}:{second:02}.{milliseconds:03}"
    return f"{days}d {text}" if days else text


def name_records(sequence_numbers: tuple[str, ...]) -> str:
    """Name a batch in few characters: `#3`, `#3-#7 (5)`.

    Records of a world and of the builders go by their place in the stream, others by the last
    digits of their sequence number.
    """
    if not sequence_numbers:
        return "no records"
    first, last = name_record(sequence_numbers[0]), name_record(sequence_numbers[-1])
    count = len(sequence_numbers)
    return first if count == 1 else f"{first}-{last} ({count})"


def name_record(sequence: str) -> str:
    """Name one record: `#3` by its place in the stream, else `…` and the last six digits."""
    place = int(sequence) // 10**20
    return f"#{place}" if place and sequence_number(place) == sequence else f"…{sequence[-6:]}"
