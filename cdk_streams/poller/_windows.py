"""Tumbling windows: which records share one, when it closes, and its state.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html. A window begins at a
multiple of its length since the epoch and holds records by their creation time. It only moves
forward: a record written before the open window began is counted to it, and a late one opens no
window that has ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from cdk_streams.mapping import MAX_WINDOW_STATE_BYTES
from cdk_streams.poller._batches import created_ms, json_bytes
from cdk_streams.poller._effects import OpenWindow, TimeWindow
from cdk_streams.poller._event_source_mapping import EventSourceMapping
from cdk_streams.poller._events import Record
from cdk_streams.poller._state import Batch, Closing, Lane, Shard, StepContext

__all__ = [
    "close_window",
    "closing",
    "count_within",
    "flush_due_ms",
    "is_too_large",
    "open_window",
    "state_bytes",
    "time_window",
]


def _start_ms(length_ms: int, record: Record, at_ms: int) -> int:
    created = created_ms(record, at_ms)
    return created - created % length_ms


def open_window(context: StepContext, lane: Lane, records: Sequence[Record]) -> Lane:
    """Open the window of the first record unless one is open; every window starts with `{}`."""
    length = context.mapping.tumbling_window_ms
    if length is None or lane.window is not None or not records:
        return lane
    start_ms = max(_start_ms(length, records[0], context.at_ms), lane.window_floor_ms)
    return lane._replace(window=OpenWindow(start_ms, {}))


def close_window(mapping: EventSourceMapping, lane: Lane, closing: Closing) -> Lane:
    """Close the window: its closing call has succeeded, or Lambda has discarded it.

    Late records open no earlier window than the next one; after an early end, the same one again.
    """
    floor_ms = lane.window_floor_ms
    if lane.window is not None:
        length = 0 if closing is Closing.EARLY else mapping.tumbling_window_ms or 0
        floor_ms = max(floor_ms, lane.window.start_ms + length)
    return lane._replace(window=None, window_floor_ms=floor_ms)


def count_within(context: StepContext, lane: Lane, start: int, stop: int) -> int:
    """Return how many of `pending[:stop]` lie before the window's end; `start` are known to."""
    length = context.mapping.tumbling_window_ms
    if length is None:
        return stop
    if lane.window is None:
        opened = max(_start_ms(length, lane.pending[0], context.at_ms), lane.window_floor_ms)
    else:
        opened = lane.window.start_ms
    for place in range(start, stop):
        if created_ms(lane.pending[place], context.at_ms) >= opened + length:
            return place
    return stop


def closing(context: StepContext, shard: Shard, lane: Lane) -> Closing:
    """Say whether the open window closes now: a later record has come, or none will come.

    Recorded: the window's end alone does not close it, the first record of a later window does.
    A window that is too large is closed by the call that made it so, unless that was cut short.
    """
    length = context.mapping.tumbling_window_ms
    if length is None or lane.window is None:
        return Closing.NO
    if is_too_large(lane):
        return Closing.EARLY
    if lane.pending:
        over = _start_ms(length, lane.pending[0], context.at_ms) > lane.window.start_ms
    else:
        due = flush_due_ms(context, lane)
        over = shard.closed or (due is not None and due <= context.at_ms)
    return Closing.FINAL if over else Closing.NO


def flush_due_ms(context: StepContext, lane: Lane) -> int | None:
    """Return when an idle window is closed; None when it is left open."""
    length, after = (
        context.mapping.tumbling_window_ms,
        context.mapping.assumptions.idle_window_flush_ms,
    )
    if length is None or lane.window is None or after is None:
        return None
    return lane.window.start_ms + length + after


def time_window(mapping: EventSourceMapping, lane: Lane, batch: Batch) -> TimeWindow | None:
    """Return what a call tells the function of its window; None without windows."""
    length, window = mapping.tumbling_window_ms, lane.window
    if length is None or window is None:
        return None
    return TimeWindow(
        window.start_ms,
        window.start_ms + length,
        window.state,
        final=batch.closing is not Closing.NO,
        early=batch.closing is Closing.EARLY,
    )


def is_too_large(lane: Lane) -> bool:
    """Whether the window's state has outgrown what Lambda carries on."""
    return state_bytes(lane) > MAX_WINDOW_STATE_BYTES


def state_bytes(lane: Lane) -> int:
    """Return what the window's state takes of a call's payload."""
    return 0 if lane.window is None else json_bytes(lane.window.state)
