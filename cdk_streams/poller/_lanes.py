"""One lane of a shard: the table of its transitions, and the gathering of its batches.

A lane handles its records in order, one call at a time. Transitions follow each other until the
lane has to wait for a call, a failure record, a time or more records:

    gather a batch → discard records past their maximum age → call
    → checkpoint; after a failure: go on behind the failed record, bisect, retry or discard

The halves of a bisected batch are handled one after the other, before what follows the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from cdk_streams.poller import _calls, _windows
from cdk_streams.poller._batches import PayloadFit, fit_payload, room_bytes
from cdk_streams.poller._events import CallEnded, FailureSent, Woken
from cdk_streams.poller._state import Batch, Closing, Lane, Phase, Shard, StepContext

__all__ = ["TRANSITIONS", "RecordsAdded", "react"]


class RecordsAdded(NamedTuple):
    """Records were added to the lane's `pending`, or the shard has no more to come."""


Signal: TypeAlias = RecordsAdded | Woken | CallEnded | FailureSent
Transition: TypeAlias = Callable[[StepContext, Shard, Lane, Any], Lane]


# What a lane in one of these does next depends on the records it has.
_FREE: Final = (Phase.IDLE, Phase.GATHERING)


def react(context: StepContext, shard: Shard, lane: Lane, signal: Signal) -> Lane:
    """Take a lane through its transition for a signal; one that is not in the table is late."""
    transition = TRANSITIONS.get((lane.phase, type(signal)))
    if transition is None:
        return lane
    lane = transition(context, shard, lane, signal)
    return _proceed(context, shard, lane) if lane.phase in _FREE else lane


def _proceed(context: StepContext, shard: Shard, lane: Lane) -> Lane:
    """Take a lane on until it waits: for records, a call, a delivery or a moment."""
    while context.enabled:
        if not lane.work:
            lane = _gather(context, shard, lane)
            if not lane.work:
                return lane
        lane = _calls.attempt(context, shard, lane)
        if lane.phase is not Phase.IDLE:
            return lane
    # Disabled: what is not done is read again from the checkpoint.
    return lane._replace(pending=(), work=(), gathering_since_ms=None, gathered=PayloadFit())


def _gather(context: StepContext, shard: Shard, lane: Lane) -> Lane:
    """Form the next batch, or wait for the records that complete it."""
    closing = _windows.closing(context, shard, lane)
    if closing is not Closing.NO:
        return lane._replace(work=(Batch((), context.new_id(), closing=closing),))
    if not lane.pending:
        due_ms = _windows.flush_due_ms(context, lane)
        return lane if due_ms is None else _calls.wake(context, shard, lane, Phase.IDLE, due_ms)
    size = context.mapping.settings.batch_size
    room = min(size, len(lane.pending))
    room = _windows.count_within(context, lane, lane.gathered.fits, room)
    state_bytes = _windows.state_bytes(lane)
    gathered = fit_payload(lane.pending, room, lane.gathered, state_bytes)
    if gathered.fits == len(lane.pending) < size and not shard.closed:
        since_ms, window_ms = lane.gathering_since_ms, context.mapping.batching_window_ms
        gathering = since_ms is not None and context.at_ms < since_ms + window_ms
        # An only lane with room has a read under way, or gets one at the end of this step.
        if gathering or (shard.more and (shard.reading or len(shard.lanes) == 1)):
            # The batching window is still open, or more is there to be read.
            return lane._replace(phase=Phase.GATHERING, gathered=gathered)
        if since_ms is None and window_ms:
            lane = lane._replace(gathering_since_ms=context.at_ms, gathered=gathered)
            return _calls.wake(context, shard, lane, Phase.GATHERING, context.at_ms + window_ms)
    batch = Batch(
        lane.pending[: gathered.fits],
        context.new_id(),
        oversized=gathered.at_most > room_bytes(PayloadFit()) - state_bytes,
    )
    return lane._replace(
        phase=Phase.IDLE,
        work=(batch,),
        pending=lane.pending[gathered.fits :],
        gathering_since_ms=None,
        gathered=PayloadFit(),
    )


def _records_added(_context: StepContext, _shard: Shard, lane: Lane, _signal: RecordsAdded) -> Lane:
    return lane


def _woken(_context: StepContext, _shard: Shard, lane: Lane, event: Woken) -> Lane:
    return lane._replace(phase=Phase.IDLE) if event.timer == lane.token else lane


TRANSITIONS: Final[dict[tuple[Phase, type], Transition]] = {
    (Phase.IDLE, RecordsAdded): _records_added,
    (Phase.IDLE, Woken): _woken,
    (Phase.GATHERING, RecordsAdded): _records_added,
    (Phase.GATHERING, Woken): _woken,
    (Phase.CALLING, CallEnded): _calls.ended,
    (Phase.WAITING, Woken): _woken,
    (Phase.SENDING, FailureSent): _calls.sent,
}
