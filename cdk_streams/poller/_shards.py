"""One shard: reads, filters, the spread of its records over lanes, and its checkpoint.

Records of one item always go to the same lane, and a lane works in order: so an item's changes are
handled in order at any parallelization factor.
"""

from __future__ import annotations

import json
from itertools import compress
from operator import not_
from zlib import crc32

from cdk_streams.mapping import GET_RECORDS_LIMIT, StartingPosition
from cdk_streams.poller._batches import room_bytes, sequence_number
from cdk_streams.poller._checkpoints import advance, first_waiting, still_unsettled
from cdk_streams.poller._effects import OpenWindow, PollBudget, Read, Settled, ShardDone
from cdk_streams.poller._events import (
    CallEnded,
    FailureSent,
    ReadFailed,
    Record,
    RecordsRead,
    Woken,
)
from cdk_streams.poller._lanes import RecordsAdded, react
from cdk_streams.poller._state import Lane, Phase, Shard, StepContext

__all__ = [
    "answered",
    "begin_shard",
    "halt",
    "read_failed",
    "records_came",
    "renew",
    "resume",
    "start",
]

_UNDER_WAY = (Phase.CALLING, Phase.SENDING)
_NOTHING_NEW = RecordsAdded()


def begin_shard(
    shard_id: str,
    parents: tuple[str, ...],
    start_at: StartingPosition,
    lanes: int,
    checkpoint: str | None,
    *,
    window: OpenWindow | None = None,
    window_floor_ms: int = 0,
) -> Shard:
    """Return a shard that is not read yet; a tumbling window goes with a single lane."""
    return Shard(
        shard_id,
        parents,
        start_at,
        tuple(
            Lane(number, window=window, window_floor_ms=window_floor_ms) for number in range(lanes)
        ),
        after=checkpoint,
        checkpoint=checkpoint,
    )


def renew(shard: Shard) -> Shard:
    """Return the shard as it was before its first read, with its checkpoint and open window."""
    parts = shard.shard_id, shard.parents, shard.start, len(shard.lanes), shard.checkpoint
    lane = shard.lanes[0]
    return begin_shard(*parts, window=lane.window, window_floor_ms=lane.window_floor_ms)


def start(context: StepContext, shard: Shard) -> Shard:
    """Begin to read a shard whose parents are done."""
    shard = shard._replace(started=True)
    return shard._replace(reading=True, read=_ask(context, shard))


def records_came(context: StepContext, shard: Shard, event: RecordsRead) -> Shard:
    """Take in the answer to a read."""
    if not shard.reading or event.read != shard.read:
        return shard
    records = tuple(event.records)
    context.measure("PolledEventCount", len(records))
    after = sequence_number(records[-1]) if records else shard.after
    unsettled = shard.unsettled
    if len(shard.lanes) > 1:
        unsettled += tuple(map(sequence_number, records))
    shard = shard._replace(
        reading=False,
        answered_ms=context.at_ms,
        more=event.more,
        closed=event.closed,
        after=after,
        unsettled=unsettled,
        lanes=_spread(shard, _chosen(context, shard, records)),
    )
    if event.more:
        # Batches with room wait for a read under way, so it is asked for before they form.
        read = _ask(context, shard)
        shard = shard._replace(reading=read > 0, read=read)
    lanes = [
        react(context, shard, lane, _NOTHING_NEW) if lane.pending or shard.closed else lane
        for lane in shard.lanes
    ]
    if not any(map(first_waiting, lanes)):
        advance(context, shard, shard.after, lanes[0].window)
    return _finish(context, shard, tuple(lanes))


def read_failed(context: StepContext, shard: Shard, event: ReadFailed) -> Shard:
    """Read again, no sooner than after an empty answer."""
    if not shard.reading or event.read != shard.read:
        return shard
    context.result = event.reason
    shard = shard._replace(reading=False, answered_ms=context.at_ms, more=False)
    return _finish(context, shard, shard.lanes)


def answered(context: StepContext, shard: Shard, event: CallEnded | FailureSent | Woken) -> Shard:
    """Pass an event to its lane."""
    lane = react(context, shard, shard.lanes[event.lane], event)
    if len(shard.lanes) == 1:
        return _finish(context, shard, (lane,))
    lanes = [lane if each.number == lane.number else each for each in shard.lanes]
    return _finish(context, shard, tuple(lanes))


def halt(shard: Shard) -> Shard:
    """Stop reading; keep only calls under way, because the rest is read again when enabled."""
    lanes = [
        lane._replace(pending=(), work=lane.work[:1])
        if lane.phase in _UNDER_WAY
        else Lane(lane.number, window=lane.window, window_floor_ms=lane.window_floor_ms)
        for lane in shard.lanes
    ]
    return shard._replace(
        lanes=tuple(lanes), reading=False, rereading=True, closed=False, more=False
    )


def resume(context: StepContext, shard: Shard) -> Shard:
    """Read on from the checkpoint after `halt`, once no call is under way."""
    return _finish(context, shard, shard.lanes)


def _chosen(context: StepContext, shard: Shard, records: tuple[Record, ...]) -> tuple[Record, ...]:
    """Return the records that a filter matches; the others are settled here."""
    matches = context.mapping.matches
    if matches is None or not records:
        return records
    chosen = [matches(record) for record in records]
    dropped = tuple(compress(records, map(not_, chosen)))
    context.measure("FilteredOutEventCount", len(dropped))
    if not dropped:
        return records
    context.effects.append(Settled(shard.shard_id, "filtered", dropped))
    return tuple(compress(records, chosen))


def _spread(shard: Shard, records: tuple[Record, ...]) -> tuple[Lane, ...]:
    """Append each record to the `pending` of its lane."""
    if not records:
        return shard.lanes
    if len(shard.lanes) == 1:
        lane = shard.lanes[0]
        return (lane._replace(pending=lane.pending + records),)
    queues: list[list[Record]] = [[] for _ in shard.lanes]
    for record in records:
        queues[_lane_of(record, len(queues))].append(record)
    return tuple(
        lane._replace(pending=lane.pending + tuple(queue))
        for lane, queue in zip(shard.lanes, queues, strict=True)
    )


def _lane_of(record: Record, lanes: int) -> int:
    """Return the lane of the record's item, by its key: partition and sort key together."""
    key = json.dumps(record["dynamodb"].get("Keys"), sort_keys=True)
    return crc32(key.encode()) % lanes


def _ask(context: StepContext, shard: Shard) -> int:
    """Ask for more records while a lane could use them; return the read's token, or 0."""
    if shard.rereading or shard.closed or not context.enabled:
        return 0
    size = context.mapping.settings.batch_size
    held = [len(lane.pending) for lane in shard.lanes]
    limit = max(context.mapping.assumptions.read_ahead, size)
    if min(held) >= size or sum(held) >= limit:
        return 0
    at_ms = context.at_ms
    if shard.answered_ms is not None and not shard.more:
        at_ms = max(at_ms, shard.answered_ms + context.mapping.assumptions.poll_interval_ms)
    token = context.new_token()
    budget = _poll_budget(context, shard, min(size - max(held), limit - sum(held)))
    context.effects.append(
        Read(shard.shard_id, token, shard.after, shard.start, GET_RECORDS_LIMIT, at_ms, budget)
    )
    return token


def _poll_budget(context: StepContext, shard: Shard, enough: int) -> PollBudget | None:
    """Return the budget for coalescing polls; None when the next record may change something."""
    mapping = context.mapping
    # A record of a later tumbling window completes a batch, however few there are.
    if enough <= 1 or shard.more or mapping.tumbling_window_ms is not None:
        return None
    opened_ms = [
        lane.gathering_since_ms
        for lane in shard.lanes
        if lane.phase is Phase.GATHERING and lane.gathering_since_ms is not None
    ]
    if len(opened_ms) < len(shard.lanes):
        return None
    until_ms = min(opened_ms) + mapping.batching_window_ms
    if until_ms <= context.at_ms:
        return None
    return PollBudget(enough, until_ms, min(room_bytes(lane.gathered) for lane in shard.lanes))


def _finish(context: StepContext, shard: Shard, lanes: tuple[Lane, ...]) -> Shard:
    """Store the lanes and the checkpoint, ask for the next read, and report a finished shard."""
    empty = not any(lane.work or lane.pending for lane in lanes)
    after, unsettled = shard.after, still_unsettled(shard.unsettled, context.checkpoint)
    rereading = shard.rereading
    if rereading and context.enabled and empty:
        rereading, after, unsettled = False, context.checkpoint, ()
    shard = shard._replace(
        lanes=lanes,
        checkpoint=context.checkpoint,
        unsettled=unsettled,
        after=after,
        rereading=rereading,
    )
    if not shard.reading and (read := _ask(context, shard)):
        return shard._replace(reading=True, read=read)
    if empty and shard.closed:
        context.effects.append(ShardDone(shard.shard_id))
        return shard._replace(done=True)
    return shard
