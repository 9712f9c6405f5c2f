"""A run as Chrome trace JSON, which ui.perfetto.dev and chrome://tracing draw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cdk_streams.simulator._timeline.events import EVENT_KINDS, TimelineEvent, name_records
from cdk_streams.simulator._timeline.series import plots
from cdk_streams.simulator._timeline.text import TimelineSource, columns, events_of
from cdk_streams.simulator._timeline.timeline_setup import setup_of

__all__ = ["timeline_trace"]


def timeline_trace(run: TimelineSource, *, title: str = "Stream timeline") -> str:
    """Write a world, or a run of `simulate`, as Chrome trace JSON for ui.perfetto.dev.

    A process is a table or a consumer, a thread a shard; calls are slices, other events instants,
    and the plots of the page are counters. Calls beside each other in one shard (a parallelization
    factor) are in threads of their own. Times are microseconds since the start of the run.
    """
    events = events_of(run)
    drawn = columns(events)
    groups = list(dict.fromkeys(each.group for each in drawn))
    threads = {(*each.group, each.shard_id): number for number, each in enumerate(drawn, 1)}
    traced = [_named("process_name", 0, 0, title)]
    for number, (consumer, table) in enumerate(groups, 1):
        traced.append(_named("process_name", number, 0, consumer or f"writes to {table}"))
    for each in drawn:
        thread = threads[*each.group, each.shard_id]
        process = groups.index(each.group) + 1
        traced.append(_named("thread_name", process, thread, f"{each.letter} {each.shard_id}"))
    beside = _calls_beside_others(events)
    more: dict[tuple[int, int], int] = {}
    for place, event in enumerate(events):
        group = (event.consumer, event.table)
        process = groups.index(group) + 1 if group in groups else 0
        thread = threads.get((*group, event.shard_id), 0)
        if thread and (lane := beside.get(place, 0)):
            if (thread, lane) not in more:
                more[thread, lane] = len(drawn) + len(more) + 1
                name = f"{drawn[thread - 1].letter} {event.shard_id}, lane {lane + 1}"
                traced.append(_named("thread_name", process, more[thread, lane], name))
            thread = more[thread, lane]
        traced.append(_event(event, process, thread))
    traced += _counters(events, run, groups)
    return json.dumps({"traceEvents": traced, "displayTimeUnit": "ms"}, separators=(",", ":"))


def _calls_beside_others(events: Sequence[TimelineEvent]) -> dict[int, int]:
    """Return the lane of each call by its place: 0, or the first in which no other call runs."""
    calls = [
        (event.at_ms - event.took_ms, event.at_ms, place)
        for place, event in enumerate(events)
        if EVENT_KINDS[event.kind].group == "call"
    ]
    ends: dict[tuple[str, str, str], list[int]] = {}
    found: dict[int, int] = {}
    for begun_ms, ended_ms, place in sorted(calls):
        event = events[place]
        lanes = ends.setdefault((event.consumer, event.table, event.shard_id), [])
        free = (lane for lane, end_ms in enumerate(lanes) if end_ms <= begun_ms)
        lane = next(free, len(lanes))
        lanes[lane : lane + 1] = [ended_ms]
        found[place] = lane
    return found


def _named(kind: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _event(event: TimelineEvent, process: int, thread: int) -> dict[str, Any]:
    row = EVENT_KINDS[event.kind]
    facts: dict[str, Any] = {"meaning": row.meaning}
    if event.sequence_numbers:
        facts["records"] = name_records(event.sequence_numbers)
        facts["sequence numbers"] = ", ".join(event.sequence_numbers)
    if event.attempt:
        facts["attempt"] = event.attempt
    if event.age_ms is not None:
        facts["age in milliseconds"] = event.age_ms
    if event.detail:
        facts["detail"] = event.detail
    traced = {"name": event.kind, "cat": row.tone, "pid": process, "tid": thread, "args": facts}
    if row.group == "call":
        begun_ms = event.at_ms - event.took_ms
        return {**traced, "ph": "X", "ts": begun_ms * 1000, "dur": event.took_ms * 1000}
    # A broken invariant belongs to the whole run: a line through all processes.
    # What belongs to no shard, such as a consumer's start, goes through its process.
    scope = "g" if event.kind == "broken" else "t" if thread else "p"
    return {**traced, "ph": "i", "s": scope, "ts": event.at_ms * 1000}


def _counters(
    events: Sequence[TimelineEvent], run: TimelineSource, groups: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    return [
        {
            "ph": "C",
            "name": f"{plot.name} {line.member[2]}".strip(),
            "pid": groups.index(line.member[:2]) + 1,
            "ts": at_ms * 1000,
            "args": {plot.unit or "count": value},
        }
        for plot in plots(events, setup_of(run))
        for line in plot.lines
        for at_ms, value in line.points
    ]
