"""The plots of a page: iterator age, batch size, waiting records, concurrency, over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cdk_streams.mapping import STREAM_RETENTION
from cdk_streams.simulator._timeline.events import EVENT_KINDS, EventKind, TimelineEvent
from cdk_streams.simulator._timeline.timeline_setup import TimelineSetup

__all__ = ["Line", "Plot", "plots"]

_Member = tuple[str, str, str]
"""A consumer, a table and a shard ("" for all of them)."""
# What takes records out of the poller, besides calls.
_SETTLES: Final[set[EventKind]] = {"filtered", "sent", "lost", "age_exceeded", "trimmed"}


@dataclass(slots=True)
class Line:
    """One line: `points` are (milliseconds since the start, value)."""

    member: _Member
    points: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with its lines and limits (name, value); `unit` is `ms` or "" for a count.

    `stepped`: a value holds until the next point.
    """

    name: str
    unit: str
    stepped: bool
    lines: list[Line]
    limits: list[tuple[str, int]]


def plots(events: Sequence[TimelineEvent], setup: TimelineSetup) -> list[Plot]:
    """Return the plots for which something was measured; the others are left out."""
    calls = [each for each in events if EVENT_KINDS[each.kind].group == "call"]
    ages = ((each, each.at_ms - each.took_ms, each.age_ms) for each in calls)
    sizes = ((each, each.at_ms, len(each.sequence_numbers) or None) for each in calls)
    names = {each.consumer for each in calls}
    known = [each for each in setup.consumers if each.name in names]
    record_ages = [
        (f"maximum record age of {each.name}", round(age.total_seconds() * 1000))
        for each in known
        if (age := each.settings.max_record_age) is not None and age < STREAM_RETENTION
    ]
    retention = ("24 hours: DynamoDB trims", round(STREAM_RETENTION.total_seconds() * 1000))
    reserves = [
        (f"reserved concurrency of {each.name}", each.reserved_concurrency)
        for each in known
        if each.reserved_concurrency is not None
    ]
    batch_sizes = [(f"batch size of {each.name}", each.settings.batch_size) for each in known]
    drawn = [
        Plot("Iterator age", "ms", False, _by_shard(ages), [*record_ages, retention]),
        Plot("Batch size", "", False, _by_shard(sizes), batch_sizes),
        Plot("Waiting records", "", True, _waiting(events, setup), []),
        Plot("Concurrency", "", True, _concurrency(calls), reserves),
    ]
    return [each for each in drawn if each.lines]


def _by_shard(points: Iterable[tuple[TimelineEvent, int, int | None]]) -> list[Line]:
    lines: dict[_Member, Line] = {}
    for event, at_ms, value in points:
        if value is not None:
            member = (event.consumer, event.table, event.shard_id)
            lines.setdefault(member, Line(member)).points.append((at_ms, value))
    return [Line(each.member, sorted(each.points)) for each in lines.values()]


def _waiting(events: Sequence[TimelineEvent], setup: TimelineSetup) -> list[Line]:
    """Return, for each consumer of a table with known writes, the records not settled yet."""
    readers = dict.fromkeys((each.consumer, each.table) for each in events if each.consumer)
    written = {each.table for each in events if EVENT_KINDS[each.kind].group == "write"}
    return [
        _waiting_of(consumer, table, events, setup)
        for consumer, table in readers
        if table in written
    ]


def _waiting_of(
    consumer: str, table: str, events: Sequence[TimelineEvent], setup: TimelineSetup
) -> Line:
    known = setup.consumer(consumer)
    # What was written before LATEST is never read, so it does not wait.
    counts = known is None or known.settings.starting_position != "LATEST"
    line, waiting, settled = Line((consumer, table, "")), set[str](), set[str]()
    for each in events:
        if each.table != table:
            continue
        before = len(waiting)
        if EVENT_KINDS[each.kind].group == "write" and counts:
            waiting.update(number for number in each.sequence_numbers if number not in settled)
        elif each.consumer == consumer:
            counts = counts or each.kind == "start" or bool(each.sequence_numbers)
            done = _settled(each)
            settled.update(done)
            waiting.difference_update(done)
        if len(waiting) != before:
            line.points.append((each.at_ms, len(waiting)))
    return line


def _settled(event: TimelineEvent) -> tuple[str, ...]:
    if event.kind == "handled" or event.kind in _SETTLES:
        return event.sequence_numbers
    return event.sequence_numbers[: event.handled or 0] if event.kind == "partial" else ()


def _concurrency(calls: Sequence[TimelineEvent]) -> list[Line]:
    """Return the calls under way of each consumer; one that took no time does not count."""
    changes: dict[_Member, list[tuple[int, int]]] = {}
    for each in calls:
        if each.took_ms:
            moments = changes.setdefault((each.consumer, each.table, ""), [])
            moments += [(each.at_ms - each.took_ms, 1), (each.at_ms, -1)]
    lines = []
    for member, moments in changes.items():
        line, running = Line(member), 0
        for at_ms, change in sorted(moments):
            running += change
            if line.points and line.points[-1][0] == at_ms:
                line.points.pop()
            line.points.append((at_ms, running))
        lines.append(line)
    return lines
