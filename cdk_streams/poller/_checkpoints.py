"""The position of a shard: how far everything is dealt with, over all its lanes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from cdk_streams.poller._batches import sequence_number
from cdk_streams.poller._effects import Checkpoint, OpenWindow
from cdk_streams.poller._events import Record
from cdk_streams.poller._state import Lane, Shard, Turn

__all__ = ["advance", "first_waiting", "pass_over", "still_unsettled"]


def first_waiting(lane: Lane) -> Record | None:
    """Return the first record that the lane still has to deal with."""
    for batch in lane.work:
        if batch.records:
            return batch.records[0]
    return lane.pending[0] if lane.pending else None


def pass_over(turn: Turn, shard: Shard, lane: Lane, records: Sequence[Record]) -> None:
    """Move the checkpoint after records that the lane has just dealt with; it has dropped them."""
    if not records:
        return
    if len(shard.lanes) > 1:
        advance(turn, shard, _position(shard, lane), lane.window)
    elif lane.work or lane.pending or shard.rereading:
        advance(turn, shard, sequence_number(records[-1]), lane.window)
    else:
        # Nothing waits, so the filtered records behind these are passed too.
        advance(turn, shard, shard.after, lane.window)


def advance(turn: Turn, shard: Shard, position: str | None, window: OpenWindow | None) -> None:
    """Ask to store the position, and the window open there, when it is a new one."""
    if position is not None and position != turn.checkpoint:
        turn.checkpoint = position
        turn.effects.append(Checkpoint(shard.shard_id, position, window))


def still_unsettled(unsettled: tuple[str, ...], checkpoint: str | None) -> tuple[str, ...]:
    """Return the numbers behind the checkpoint; sequence numbers are compared as integers."""
    if not unsettled or checkpoint is None:
        return unsettled
    return unsettled[bisect_left(unsettled, int(checkpoint) + 1, key=int) :]


def _position(shard: Shard, changed: Lane) -> str | None:
    """Return the last number before every lane's first waiting record."""
    if shard.rereading:
        return None
    lanes = (changed if lane.number == changed.number else lane for lane in shard.lanes)
    waiting = [int(sequence_number(each)) for lane in lanes if (each := first_waiting(lane))]
    if not waiting:
        return shard.after
    place = bisect_left(shard.unsettled, min(waiting), key=int)
    return shard.unsettled[place - 1] if place else None
