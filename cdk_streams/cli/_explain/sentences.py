"""An explanation in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from cdk_streams.cli._printed_numbers import counted

if TYPE_CHECKING:
    from cdk_streams.analysis import Explanation

__all__ = ["as_text"]


def as_text(label: str, found: Explanation, *, has_rate: bool) -> str:
    """Return the lines about one mapping; `label` says which settings it has.

    `has_rate` tells that the outage at a rate was asked for.
    """
    mapping = found.mapping
    title = f"{mapping.logical_id} ({mapping.function} reads {mapping.stream.table})"
    lines = [f"{title}, {label}" if label else title]
    for heading, sentences in (
        ("A poison record", _poison(found)),
        (f"An outage of {_length(found.outage.length)}", _outage(found)),
        (f"A handler of {_length(found.slow.length)} for each batch", _slow(found)),
        *([(_rate_heading(found), _at_rate(found))] if has_rate else []),
        ("Alarms", _alarms(found)),
    ):
        lines.append(f"  {heading}")
        lines += [f"    {each}" for each in sentences]
    return "\n".join(lines)


def _poison(found: Explanation) -> Iterator[str]:
    poison = found.poison
    yield (
        f"Its shard stands still for {_length(poison.blocked)}; "
        f"{counted(poison.calls, 'invocation')} of the function hold the record."
    )
    if poison.trimmed:
        yield (
            f"DynamoDB trims the record after 24 hours, and with it {poison.trimmed - 1:,} other "
            f"records of the {poison.records:,} in this run. Nothing is sent anywhere."
        )
    if poison.discarded:
        innocent = poison.discarded - 1
        others = (
            f", and {counted(innocent, 'record')} of its batch that would succeed"
            if innocent
            else ""
        )
        yield f"Then it is discarded{others}."
        yield _destination(found, poison.delivered, poison.lost)
    elif found.mapping.settings.on_failure is None:
        yield "There is no on-failure destination: what Lambda discards is lost."
    if poison.readable is not None and not _holds_data(found):
        yield f"What was discarded stays in the stream for another {_length(poison.readable)}."


def _destination(found: Explanation, delivered: int, lost: int) -> str:
    if lost:
        return f"There is no on-failure destination: failure records that are lost: {lost:,}."
    holds = "the records themselves" if _holds_data(found) else "sequence numbers, not the data"
    return (
        f"Failure records that reach {found.mapping.destination}: {delivered:,}. They hold {holds}."
    )


def _outage(found: Explanation) -> Iterator[str]:
    outage = found.outage
    yield (
        f"Of {outage.written:,} records written to one shard, one a second, {outage.discarded:,} "
        f"are discarded and {outage.trimmed:,} trimmed; the others are processed late."
    )
    if outage.discarded:
        yield _destination(found, outage.delivered, outage.lost)
    yield (
        f"The iterator age reaches {_length(outage.most_age)}; the last of these records is done "
        f"with {_length(outage.caught_up)} after the outage."
    )


def _rate_heading(found: Explanation) -> str:
    rate = found.at_rate
    if rate is None:
        return "An outage at a rate of writes"
    return (
        f"An outage of {_length(rate.length)} at {rate.writes_per_second:,g} writes a second "
        f"to {counted(rate.shards, 'shard')}, over 24 h"
    )


def _at_rate(found: Explanation) -> Iterator[str]:
    rate = found.at_rate
    if rate is None:
        yield "It cannot be worked out from counts: the mapping has a tumbling window."
        return
    yield (
        f"Of {rate.written:,} records {rate.discarded:,} are discarded, and "
        f"{rate.age_exceeded:,} reach their maximum age or are trimmed."
    )
    caught_up = (
        "records are still handled more than 10 s after their write at the end"
        if rate.caught_up is None
        else f"records are handled within 10 s of their write {_length(rate.caught_up)} after the "
        "outage"
    )
    yield f"The iterator age reaches {_length(rate.most_age)}; {caught_up}."


def _slow(found: Explanation) -> Iterator[str]:
    slow = found.slow
    if slow.times_out:
        yield (
            f"The function's timeout is {_length(found.mapping.timeout)}: every batch times out, "
            "which is an outage."
        )
    else:
        yield f"A shard gets through {slow.per_second:,.1f} records a second, in full batches."


def _alarms(found: Explanation) -> Iterator[str]:
    for each in found.alarms:
        moments = (("a poison record", each.poison), ("the outage", each.outage))
        told = [f"{_length(at)} after {name} first fails" for name, at in moments if at is not None]
        goes_off = f"goes off {', and '.join(told)}" if told else "stays OK in both"
        yield f"{each.alarm.logical_id} ({each.alarm.metric}): {goes_off}."
    if not found.alarms:
        yield "The template has none on the iterator age or the failure queue of this mapping."


def _holds_data(found: Explanation) -> bool:
    destination = found.mapping.settings.on_failure
    return isinstance(destination, str) and destination.startswith("arn:aws:s3:")


def _length(length: timedelta) -> str:
    """Return a length of time in words: `1 d 3 h`, `3 min 42 s`."""
    seconds = round(length.total_seconds())
    if seconds == 0 and length:
        return "less than 1 s"
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
