"""A run as one HTML page that needs nothing beside itself: lanes, iterator age, every event."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, TypeAlias

from cdk_streams.simulator._timeline.events import EVENT_KINDS, EventKind, TimelineEvent
from cdk_streams.simulator._timeline.text import (
    Column,
    TimelineSource,
    columns,
    describe,
    events_of,
)

__all__ = ["timeline_html"]

_Member: TypeAlias = tuple[str, str, str]
"""A consumer ("" for the table itself), a table and a shard."""


def timeline_html(run: TimelineSource, *, title: str = "Stream timeline") -> str:
    """Draw a world, or a run of `simulate`, as a page; it follows the reader's light or dark.

    The page loads nothing, and its content security policy lets no script run but its own.
    """
    # An HTML parser reads "</script" and "<!--" in a script element, whatever they stand in.
    data = json.dumps(_data(events_of(run), title), separators=(",", ":")).replace("<", "\\u003c")
    return _page().replace("/*RUN*/", data)


@cache
def _page() -> str:
    """Return the page with the hash of its script; the run is not in it yet."""
    page = files("cdk_streams.simulator._timeline").joinpath("page.html").read_text("utf-8")
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return page.replace("SCRIPT_HASH", digest)


def _data(events: Sequence[TimelineEvent], title: str) -> dict[str, Any]:
    drawn = columns(events)
    letters = {(each.table, each.shard_id): each.letter for each in drawn}
    groups = list(dict.fromkeys(each.group for each in drawn))
    rows = _rows(events, drawn)
    lanes = {member: number for number, row in enumerate(rows) for member in row}
    kinds = list(EVENT_KINDS)
    counts = Counter(each.kind for each in events)
    return {
        "title": title,
        "span_ms": max((each.at_ms for each in events), default=0),
        "facts": _facts(events, counts),
        "kinds": [
            {
                "symbol": row.symbol,
                "meaning": row.meaning,
                "tone": row.tone,
                "count": counts[kind],
            }
            for kind, row in EVENT_KINDS.items()
        ],
        "groups": [_group(group, rows, letters) for group in groups],
        "events": [
            [
                each.at_ms,
                kinds.index(each.kind),
                _index(groups, (each.consumer, each.table)),
                lanes.get((each.consumer, each.table, each.shard_id), -1),
                each.took_ms,
                each.age_ms,
                describe(each, letters),
            ]
            for each in events
        ],
    }


def _rows(events: Sequence[TimelineEvent], drawn: Sequence[Column]) -> list[list[_Member]]:
    """Share out rows: a shard takes over that of one whose events have all been."""
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


def _facts(events: Sequence[TimelineEvent], counts: Counter[EventKind]) -> list[list[Any]]:
    """Return the figures at the top, each with whether it should worry the reader."""
    oldest_ms = max((each.age_ms or 0 for each in events), default=0)
    lasted_ms = max((each.at_ms for each in events), default=0)
    figures = {
        "duration": (_span(lasted_ms), False),
        "writes": (_counted(counts, "write"), False),
        "calls": (_counted(counts, "call"), False),
        "failed calls": (counts["failed"] + counts["timeout"], False),
        "failure records": (counts["sent"], False),
        "highest iterator age": (_span(oldest_ms), False),
        "lost or trimmed": (counts["lost"] + counts["trimmed"], True),
        "broken invariants": (counts["broken"], True),
    }
    return [
        [name, f"{value:,}" if isinstance(value, int) else value, bool(alarms and value)]
        for name, (value, alarms) in figures.items()
    ]


def _counted(counts: Counter[EventKind], group: str) -> int:
    return sum(count for kind, count in counts.items() if EVENT_KINDS[kind].group == group)


def _span(milliseconds: int) -> str:
    for unit, length_ms in (("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if milliseconds >= 2 * length_ms or unit == "s":
            return f"{milliseconds / length_ms:,.1f} {unit}"
    return ""  # pragma: no cover - the loop's last round returns
