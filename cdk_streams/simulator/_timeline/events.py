"""What happened in a run, one value for each line of its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from cdk_streams.simulator._dynamodb.numbering import sequence_number

__all__ = ["SYMBOLS", "EventKind", "TimelineEvent", "clock_text", "name_records"]

EventKind: TypeAlias = Literal[
    "insert",
    "modify",
    "remove",
    "expire",
    "shards",
    "start",
    "handled",
    "partial",
    "failed",
    "timeout",
    "throttled",
    "duplicate",
    "filtered",
    "sent",
    "lost",
    "aged",
    "trimmed",
    "broken",
]

SYMBOLS: Final[dict[EventKind, tuple[str, str]]] = {
    "insert": ("+", "an item was inserted"),
    "modify": ("~", "an item was modified"),
    "remove": ("-", "an item was removed"),
    "expire": ("e", "an item expired (time to live)"),
    "shards": ("Y", "a shard was closed: split, merged or continued"),
    "start": (">", "the consumer begins to read"),
    "handled": ("o", "a batch was handled"),
    "partial": ("p", "a batch was handled in part"),
    "failed": ("x", "the function failed"),
    "timeout": ("t", "the function ran into its timeout"),
    "throttled": ("h", "the function was not called (throttled)"),
    "duplicate": ("d", "handled, but the poller forgot: the records come again"),
    "filtered": ("f", "records that no filter matches"),
    "sent": ("F", "a failure record reached its destination"),
    "lost": ("L", "a failure record was lost"),
    "aged": ("a", "records passed their record age"),
    "trimmed": ("T", "DynamoDB trimmed records that nobody had handled"),
    "broken": ("!", "an invariant broke"),
}
"""Each kind's symbol in a timeline, and what it means."""

if set(SYMBOLS) != set(get_args(EventKind)):  # pragma: no cover - a fault of this file
    raise AssertionError("each kind has one symbol")


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One thing that happened, when it was over.

    `shard_id` is "" for what has no shard, `consumer` for what befalls the table itself.
    `sequence_numbers` are those of its records, in order; `took_ms` is 0 for a moment; `age_ms`
    is the age of the youngest record when a batch was sent, None for anything else.
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
    first, last = _short(sequence_numbers[0]), _short(sequence_numbers[-1])
    count = len(sequence_numbers)
    return first if count == 1 else f"{first}-{last} ({count})"


def _short(sequence: str) -> str:
    place = int(sequence) // 10**20
    return f"#{place}" if place and sequence_number(place) == sequence else f"…{sequence[-6:]}"
