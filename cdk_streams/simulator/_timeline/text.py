"""A run as text: one line for each event, one column for each shard, one symbol for each kind.

                  Orders  audit
    time          ab      ab
    00:00:00.000  +.      ..     Orders a #1
    00:00:00.250  ..      o.     audit a #1, age 0.3 s

Columns stand in groups, one for each table and one for each consumer of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import Protocol, TypeAlias, runtime_checkable

from cdk_streams.simulator._timeline.events import (
    EVENT_KINDS,
    TimelineEvent,
    clock_text,
    name_records,
)

__all__ = ["Column", "TimelineSource", "columns", "describe", "events_of", "timeline"]


@runtime_checkable
class HasTimeline(Protocol):
    """A `World`, a `Run`, or anything else that keeps a timeline."""

    @property
    def timeline(self) -> Sequence[TimelineEvent]:
        """What happened, in order."""
        ...


TimelineSource: TypeAlias = HasTimeline | Sequence[TimelineEvent]
"""What can be drawn: a world, a run of `simulate`, or events."""


def events_of(source: TimelineSource) -> Sequence[TimelineEvent]:
    """Return the events of a world or a run, in order."""
    return source.timeline if isinstance(source, HasTimeline) else source


@dataclass(frozen=True, slots=True)
class Column:
    """One shard of a table (`consumer` is "") or of a consumer; `letter` names the shard."""

    consumer: str
    table: str
    shard_id: str
    letter: str

    @property
    def group(self) -> tuple[str, str]:
        """The columns that stand together, under one name."""
        return self.consumer, self.table


def columns(events: Iterable[TimelineEvent]) -> list[Column]:
    """Return the columns: tables first, then consumers, shards in the order they appear."""
    shards: dict[str, dict[str, str]] = {}
    tables: dict[tuple[str, str], None] = {}
    consumers: dict[tuple[str, str], None] = {}
    for each in events:
        if each.shard_id:
            known = shards.setdefault(each.table, {})
            known.setdefault(each.shard_id, ascii_letters[len(known) % len(ascii_letters)])
        if each.consumer:
            consumers.setdefault((each.consumer, each.table))
        elif each.table:
            tables.setdefault(("", each.table))
    return [
        Column(consumer, table, shard_id, letter)
        for consumer, table in [*tables, *consumers]
        for shard_id, letter in shards.get(table, {}).items()
    ]


def timeline(run: TimelineSource, *, title: str = "") -> str:
    """Draw a world, or a run of `simulate`, as text.

    A point is a shard at rest, a blank one that is not there yet or no more.
    """
    events = events_of(run)
    drawn = columns(events)
    alive = _lifetimes(events)
    letters = {(each.table, each.shard_id): each.letter for each in drawn}
    lines = [title, ""] if title else []
    lines += [*_legend(events), *_shard_names(drawn), "", *_head(drawn)]
    for number, each in enumerate(events):
        cells = _cells(drawn, each, alive, number)
        lines.append(f"{clock_text(each.at_ms):<12}  {cells}  {describe(each, letters)}".rstrip())
    return "\n".join(lines) + "\n"


def describe(event: TimelineEvent, letters: Mapping[tuple[str, str], str]) -> str:
    """Say what happened, for the end of a line: `audit a #3-#5 (3), attempt 2, age 0.3 s`."""
    where = [event.consumer or event.table]
    if event.shard_id:
        where.append(letters.get((event.table, event.shard_id), ""))
    if event.sequence_numbers or event.attempt:
        where.append(name_records(event.sequence_numbers))
    parts = [" ".join(part for part in where if part)]
    if event.handled is not None:
        parts.append(f"{event.handled} of {len(event.sequence_numbers)} handled")
    if event.attempt > 1:
        parts.append(f"attempt {event.attempt}")
    if event.age_ms is not None:
        parts.append(f"age {event.age_ms / 1000:.1f} s")
    if event.took_ms >= 1000:  # noqa: PLR2004 - a second is when a duration is worth reading
        parts.append(f"took {event.took_ms / 1000:.1f} s")
    if event.detail:
        parts.append(event.detail)
    return ", ".join(part for part in parts if part)


def _legend(events: Iterable[TimelineEvent]) -> list[str]:
    seen = {each.kind for each in events}
    return [f"  {row.symbol}  {row.meaning}" for kind, row in EVENT_KINDS.items() if kind in seen]


def _shard_names(drawn: Sequence[Column]) -> list[str]:
    names = {(each.table, each.letter): each.shard_id for each in drawn}
    return [f"  {letter}  {shard_id} of {table}" for (table, letter), shard_id in names.items()]


def _groups(drawn: Sequence[Column]) -> dict[tuple[str, str], list[Column]]:
    groups: dict[tuple[str, str], list[Column]] = {}
    for each in drawn:
        groups.setdefault(each.group, []).append(each)
    return groups


def _head(drawn: Sequence[Column]) -> list[str]:
    names, marks = [], []
    for (consumer, table), members in _groups(drawn).items():
        name = consumer or table
        width = max(len(name), len(members))
        names.append(name.ljust(width))
        marks.append("".join(each.letter for each in members).ljust(width))
    return [
        f"{'':<12}  {'  '.join(names)}".rstrip(),
        f"{'time':<12}  {'  '.join(marks)}".rstrip(),
    ]


def _cells(
    drawn: Sequence[Column],
    event: TimelineEvent,
    alive: Mapping[tuple[str, str], tuple[int, int]],
    number: int,
) -> str:
    parts = []
    here = event.consumer, event.table
    for group, members in _groups(drawn).items():
        text = ""
        for each in members:
            first, last = alive[each.table, each.shard_id]
            if group == here and each.shard_id == event.shard_id:
                text += EVENT_KINDS[event.kind].symbol
            else:
                text += "." if first <= number <= last else " "
        parts.append(text.ljust(max(len(group[0] or group[1]), len(members))))
    return "  ".join(parts)


def _lifetimes(events: Sequence[TimelineEvent]) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the first and the last line at which each shard is shown.

    One that was closed is shown until nothing more happens in it, any other to the end.
    """
    found: dict[tuple[str, str], tuple[int, int]] = {}
    closed = {(each.table, each.shard_id) for each in events if each.kind == "shards"}
    for number, each in enumerate(events):
        if each.shard_id:
            key = (each.table, each.shard_id)
            last = number if key in closed else len(events)
            found[key] = (found.get(key, (number, number))[0], last)
    return found
