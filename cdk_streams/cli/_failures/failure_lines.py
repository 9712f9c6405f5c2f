"""A failure record as lines for a terminal and as JSON, without the data of its records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from cdk_streams.arns import Arn
from cdk_streams.cli._terminal_lines import printable
from cdk_streams.mapping import STREAM_RETENTION
from cdk_streams.redrive import FailureMessage, FailureRecord, FoundFailure

__all__ = ["as_json", "function_of", "head_lines", "moment_text", "read_back_until"]


def head_lines(found: FoundFailure, now: datetime) -> Iterator[str]:
    """Yield what failed, when, and for how long its records can be had."""
    title, failure = click.style(found.id, bold=True), found.failure
    if failure is None:
        yield f"{title} {click.style(f'cannot be read: {printable(found.fault)}', fg='red')}"
    else:
        after = f" after {failure.attempts:,} attempts" if failure.attempts else ""
        sent = f", {moment_text(failure.sent_at)}" if failure.sent_at else ""
        yield f"{title} {function_of(failure)}: {failure.condition}{after}{sent}"
        yield f"  {_range(failure)}, {_read_back(found, now)}"
    for each in dict.fromkeys(_places(found)):
        yield f"  in {printable(each)}"


def as_json(found: FoundFailure, now: datetime) -> dict[str, Any]:
    """Return the failure record as the list has it; null is what it does not say."""
    failure = found.failure
    listed: dict[str, Any] = {"id": found.id, "in": [*dict.fromkeys(_places(found))]}
    if failure is None:
        return {**listed, "problem": found.fault}
    until = read_back_until(found)
    return {
        **listed,
        "function": failure.function_arn,
        "stream": failure.stream_arn,
        "condition": failure.condition,
        "attempts": failure.attempts,
        "sent_at": _iso(failure.sent_at),
        "shard": failure.shard_id,
        "first": failure.first,
        "last": failure.last,
        "records": failure.size,
        "written_at": _iso(failure.written_at),
        "read_back_until": _iso(until),
        "trimmed": None if until is None else until <= now,
    }


def function_of(failure: FailureRecord) -> str:
    """Return the function's name with its version or alias."""
    return failure.function_arn.split(":function:")[-1]


def read_back_until(found: FoundFailure) -> datetime | None:
    """Return when the first record leaves the stream; None when unknown, or not read from it."""
    failure = found.failure
    if failure is None or failure.payload is not None or failure.written_at is None:
        return None
    return failure.written_at + STREAM_RETENTION


def _read_back(found: FoundFailure, now: datetime) -> str:
    if found.failure is not None and found.failure.payload is not None:
        return "its records are in the object" if found.object else "its record is in the message"
    until = read_back_until(found)
    if until is None:
        return "can be read back until 24 h after its records were written"
    if until <= now:
        return f"could be read back until {moment_text(until)}"
    hours, minutes = divmod(int((until - now).total_seconds()) // 60, 60)
    return f"can be read back for {hours} h {minutes} min"


def _range(failure: FailureRecord) -> str:
    table = f"table {Arn.parse(failure.stream_arn).name}, shard {failure.shard_id}"
    if failure.first is None:
        return table
    many = f"{failure.size:,} record{'s' * (failure.size != 1)}"
    to = "" if failure.first == failure.last else f" to {failure.last}"
    return f"{table}, {many}: {failure.first}{to}"


def _places(found: FoundFailure) -> Iterator[str]:
    for each in found.holders:
        yield each.queue_url if isinstance(each, FailureMessage) else str(each)
    if found.object is not None:
        yield str(found.object)


def moment_text(moment: datetime) -> str:
    """Return a moment as people read it: `2026-01-31 08:00:00 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
