"""A run as one HTML page that needs nothing beside itself: its data, beside page.html, css, js."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, TypeAlias

from cdk_streams.simulator._timeline.batch_trees import BatchNode, batch_trees
from cdk_streams.simulator._timeline.causes import causes
from cdk_streams.simulator._timeline.events import (
    EVENT_KINDS,
    EventKind,
    TimelineEvent,
    name_record,
    name_records,
)
from cdk_streams.simulator._timeline.series import Plot, plots
from cdk_streams.simulator._timeline.standing_shards import standing_shards
from cdk_streams.simulator._timeline.text import (
    Column,
    TimelineSource,
    columns,
    describe,
    events_of,
)
from cdk_streams.simulator._timeline.timeline_setup import ConsumerSetup, TimelineSetup, setup_of

__all__ = ["timeline_html"]

_Record: TypeAlias = tuple[str, str, str]
"""A table, a shard and a sequence number."""
_Member: TypeAlias = tuple[str, str, str]
"""A consumer ("" for the table itself), a table and a shard."""


def timeline_html(run: TimelineSource, *, title: str = "Stream timeline") -> str:
    """Draw a world, or a run of `simulate`, as a page; it follows the reader's light or dark.

    The page loads nothing, and its content security policy lets no script and no style in but its
    own. It opens at what went wrong. `#record=SEQUENCE_NUMBER` behind its address follows a record,
    `#t=MILLISECONDS` goes to a moment. No item's attributes are on it.
    """
    data = json.dumps(_data(events_of(run), title, setup_of(run)), separators=(",", ":"))
    # An HTML parser reads "</script" and "<!--" in a script element, whatever they stand in.
    return _page().replace("/*RUN*/", data.replace("<", "\\u003c"))


@cache
def _page() -> str:
    """Return the page with its style and its script, and their hashes; the run is not in it yet."""
    style, script, page = (
        files("cdk_streams.simulator._timeline").joinpath(name).read_text("utf-8")
        for name in ("page.css", "page.js", "page.html")
    )
    policy = page.replace("STYLE_HASH", _digest(style)).replace("SCRIPT_HASH", _digest(script))
    return policy.replace("/*STYLE*/", style).replace("/*SCRIPT*/", script)


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


def _data(events: Sequence[TimelineEvent], title: str, setup: TimelineSetup) -> dict[str, Any]:
    drawn = columns(events)
    letters = {(each.table, each.shard_id): each.letter for each in drawn}
    groups = list(dict.fromkeys(each.group for each in drawn))
    rows = _rows(events, drawn)
    lanes = {member: number for number, row in enumerate(rows) for member in row}
    records = _records(events)
    counts = Counter(each.kind for each in events)
    return {
        "title": title,
        "span_ms": max((each.at_ms for each in events), default=0),
        "facts": _facts(events, counts, setup),
        "causes": [[each.text, each.place] for each in causes(events)],
        "kinds": [
            {
                "symbol": row.symbol,
                "meaning": row.meaning,
                "tone": row.tone,
                "group": row.group,
                "count": counts[kind],
            }
            for kind, row in EVENT_KINDS.items()
        ],
        "groups": [_group(group, rows, letters) for group in groups],
        "events": [_event(each, groups, lanes, records, letters) for each in events],
        "records": [[number, name_record(number)] for _, _, number in records],
        "standing": [
            [lanes[each[:3]], each.from_ms, each.to_ms, each.attempts, each.ended]
            for each in standing_shards(events)
            if each[:3] in lanes
        ],
        "trees": [_tree(each) for each in batch_trees(events)],
        "plots": [_plot(each, letters) for each in plots(events, setup)],
        "setup": _setup(setup),
    }


def _event(
    event: TimelineEvent,
    groups: Sequence[tuple[str, str]],
    lanes: Mapping[_Member, int],
    records: Mapping[_Record, int],
    letters: Mapping[tuple[str, str], str],
) -> list[Any]:
    return [
        event.at_ms,
        list(EVENT_KINDS).index(event.kind),
        _index(groups, (event.consumer, event.table)),
        lanes.get((event.consumer, event.table, event.shard_id), -1),
        event.took_ms,
        event.age_ms,
        _ranges([records[_record(event, each)] for each in event.sequence_numbers]),
        event.attempt,
        describe(event, letters),
    ]


def _record(event: TimelineEvent, number: str) -> _Record:
    return event.table, event.shard_id, number


def _records(events: Sequence[TimelineEvent]) -> dict[_Record, int]:
    """Number the records so that those of a batch are neighbours."""
    found = {_record(each, number) for each in events for number in each.sequence_numbers}
    in_order = sorted(found, key=lambda each: (each[0], each[1], int(each[2])))
    return {each: place for place, each in enumerate(in_order)}


def _ranges(places: Sequence[int]) -> list[int]:
    """Shorten `[3, 4, 5, 9]` to `[3, 5, 9, 9]`: firsts and lasts by turns."""
    found: list[int] = []
    for place in places:
        if found and place == found[-1] + 1:
            found[-1] = place
        else:
            found += [place, place]
    return found


def _tree(node: BatchNode) -> dict[str, Any]:
    return {
        "name": name_records(node.numbers),
        "attempts": node.attempts,
        "failure": node.failure,
        "parts": [_tree(each) for each in node.parts],
    }


def _plot(plot: Plot, letters: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    lines = [
        [f"{each.member[0]} {letters.get(each.member[1:], '')}".strip(), each.points]
        for each in plot.lines
    ]
    return {
        "name": plot.name,
        "unit": plot.unit,
        "stepped": plot.stepped,
        "lines": lines,
        "limits": plot.limits,
    }


def _setup(setup: TimelineSetup) -> dict[str, Any]:
    """Return what is known of the run, settings in a template's words."""
    return {
        "seed": setup.seed,
        "replay": setup.replay,
        "consumers": [
            [each.name, {**each.settings.to_template(), **_function(each)}]
            for each in setup.consumers
        ],
    }


def _function(consumer: ConsumerSetup) -> dict[str, Any]:
    known: dict[str, Any] = {}
    if consumer.timeout is not None:
        known["Timeout"] = f"{consumer.timeout.total_seconds():g} s"
    if consumer.reserved_concurrency is not None:
        known["ReservedConcurrentExecutions"] = consumer.reserved_concurrency
    return known


def _rows(events: Sequence[TimelineEvent], drawn: Sequence[Column]) -> list[list[_Member]]:
    """Return the row of each shard; one that begins later reuses the row of one that ended."""
    spans: dict[_Member, tuple[int, int]] = {}
    for number, each in enumerate(events):
        key = (each.consumer, each.table, each.shard_id)
        spans[key] = (spans.get(key, (number, number))[0], number)
    rows: list[list[_Member]] = []
    for group in dict.fromkeys(each.group for each in drawn):
        members = [key for key in spans if key[:2] == group and key[2]]
        mine: list[list[_Member]] = []
        for key in sorted(members, key=lambda member: spans[member]):
            free = (row for row in mine if spans[row[-1]][1] < spans[key][0])
            row = next(free, None)
            if row is None:
                mine.append([key])
            else:
                row.append(key)
        rows += mine
    return rows


def _group(
    group: tuple[str, str],
    rows: Sequence[Sequence[_Member]],
    letters: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    consumer, table = group
    lanes = [
        {
            "letter": " ".join(letters[member[1:]] for member in row),
            "shards": [member[2] for member in row],
        }
        for row in rows
        if row[0][:2] == group
    ]
    return {"name": consumer or f"writes to {table}", "of": table, "lanes": lanes}


def _index(groups: Sequence[tuple[str, str]], group: tuple[str, str]) -> int:
    return groups.index(group) if group in groups else -1


def _facts(
    events: Sequence[TimelineEvent], counts: Counter[EventKind], setup: TimelineSetup
) -> list[list[Any]]:
    """Return the figures at the top, each with whether it shows a problem.

    What was not measured is left out: writes of records that were given, ages without a call.
    """
    ages_ms = [each.age_ms for each in events if each.age_ms is not None]
    writes, broken = _counted(counts, "write"), counts["broken"]
    figures: dict[str, tuple[int | str | None, bool]] = {
        "duration": (_span(max((each.at_ms for each in events), default=0)), False),
        "writes": (writes if writes or setup.tables else None, False),
        "calls": (_counted(counts, "call"), False),
        "failed calls": (counts["failed"] + counts["timeout"], False),
        "failure records": (counts["sent"] + counts["lost"], False),
        "highest iterator age": (_span(max(ages_ms)) if ages_ms else None, False),
        "lost or trimmed": (counts["lost"] + counts["trimmed"], True),
        "broken invariants": (broken if broken or setup.invariants else None, True),
    }
    return [
        [name, f"{value:,}" if isinstance(value, int) else value, bool(alarms and value)]
        for name, (value, alarms) in figures.items()
        if value is not None
    ]


def _counted(counts: Counter[EventKind], group: str) -> int:
    return sum(count for kind, count in counts.items() if EVENT_KINDS[kind].group == group)


def _span(milliseconds: int) -> str:
    for unit, length_ms in (("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if milliseconds >= 2 * length_ms or unit == "s":
            return f"{milliseconds / length_ms:,.1f} {unit}"
    return ""  # pragma: no cover - the loop's last round returns
