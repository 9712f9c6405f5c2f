"""The checkpoint of a shard: the last sequence number up to which every record has been settled."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from cdk_streams.poller._batches import sequence_number
from cdk_streams.poller._effects import Checkpoint, OpenWindow
from cdk_streams.poller._events import Record
from cdk_streams.poller._state import Lane, Shard, StepContext

__all__ = ["advance", "advance_past", "first_waiting", "still_unsettled"]


def first_waiting(lane: Lane) -> Record | None:
    """Return the first record that the lane has not settled yet."""
    for batch in lane.work:
        if batch.records:
            return batch.records[0]
    return lane.pending[0] if lane.pending else None


def advance_past(context: StepContext, shard: Shard, lane: Lane, records: Sequence[Record]) -> None:
    """Move the checkpoint past records that the lane has just settled and no longer holds."""
    if not records:
        return
    if len(shard.lanes) > 1:
        advance(context, shard, _last_settled(shard, lane), lane.window)
    elif lane.work or lane.pending or shard.rereading:
        advance(context, shard, sequence_number(records[-1]), lane.window)
    else:
        # No record is waiting, so the checkpoint passes the filtered records behind these too.
        advance(context, shard, shard.after, lane.window)


def advance(
    context: StepContext, shard: Shard, number: str | None, window: OpenWindow | None
) -> None:
    """Ask to store a sequence number, with the window open behind it, when it is a new one."""
    if number is not None and number != context.checkpoint:
        context.checkpoint = number
        context.effects.append(Checkpoint(shard.shard_id, number, window))


def still_unsettled(unsettled: tuple[str, ...], checkpoint: str | None) -> tuple[str, ...]:
    """Return the sequence numbers after the checkpoint; they are compared as integers."""
    if not unsettled or checkpoint is None:
        return unsettled
    return unsettled[bisect_left(unsettled, int(checkpoint) + 1, key=int) :]


def _last_settled(shard: Shard, changed: Lane) -> str | None:
    """Return the last sequence number before the first waiting record of every lane."""
    if shard.rereading:
        return None
    lanes = (changed if lane.number == changed.number else lane for lane in shard.lanes)
    waiting = [int(sequence_number(each)) for lane in lanes if (each := first_waiting(lane))]
    if not waiting:
        return shard.after
    place = bisect_left(shard.unsettled, min(waiting), key=int)
    return shard.unsettled[place - 1] if place else None
