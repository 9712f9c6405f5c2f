"""`step`: one event in, the new poller and the effects out; and the order of shards.

A shard is read after all its parents are done, and starts where its mapping says: TRIM_HORIZON at
the oldest record kept, LATEST at the end of the shards that are open when the stream is described
for the first time; shards that appear later are read from their start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeAlias

from cdk_streams.mapping import StartingPosition
from cdk_streams.poller import _shards
from cdk_streams.poller._effects import Effect, OpenWindow
from cdk_streams.poller._event_source_mapping import EventSourceMapping
from cdk_streams.poller._events import (
    CallEnded,
    Disabled,
    Enabled,
    Event,
    FailureSent,
    ReadFailed,
    RecordsRead,
    Restarted,
    ShardSeen,
    ShardsListed,
    Woken,
)
from cdk_streams.poller._state import Poller, Shard, StepContext

__all__ = ["begin", "step"]


def begin(
    *,
    enabled: bool = True,
    checkpoints: Mapping[str, str] | None = None,
    windows: Mapping[str, OpenWindow] | None = None,
    finished: Collection[str] = (),
) -> Poller:
    """Return the initial state of a poller, or one that continues from stored checkpoints.

    Args:
        enabled: Whether the mapping is enabled.
        checkpoints: The last `Checkpoint` of each shard, `{shard_id: sequence_number}`.
        windows: The window of the last `Checkpoint` of each shard that had one.
        finished: The shards of every `ShardDone`.

    """
    known = dict(checkpoints or {})
    kept = dict(windows or {})
    return Poller({}, known, kept, frozenset(finished), enabled, listed=bool(known or finished))


def step(
    mapping: EventSourceMapping, poller: Poller, event: Event, at_ms: int
) -> tuple[Poller, list[Effect]]:
    """Return the poller after an event, and the effects to carry out in order.

    `at_ms` is the time of the event in milliseconds since the epoch; it never goes back.
    """
    context = StepContext(
        mapping, at_ms, poller.next_token, poller.next_id, poller.enabled, poller.last_result
    )
    kind = type(event)
    if (reaction := _OF_A_SHARD.get(kind)) is None:
        poller = _OF_THE_MAPPING[kind](context, poller, event)
        poller = poller._replace(
            next_token=context.next_token, next_id=context.next_id, last_result=context.result
        )
        return poller, context.effects
    # What comes here is about one shard; nearly every step does.
    shard = poller.shards.get(event.shard_id)  # type: ignore[union-attr]  # see _OF_A_SHARD
    if shard is None or shard.done:
        return poller, context.effects
    context.checkpoint = shard.checkpoint
    after = reaction(context, shard, event)
    known: Mapping[str, Shard] = {**poller.shards, shard.shard_id: after}
    if after.done:
        finished = poller.finished | {shard.shard_id}
        poller = _start_ready(context, poller._replace(shards=known, finished=finished))
        known = poller.shards
    # Every step makes one, and this is several times as fast as `_replace`.
    poller = Poller(
        known,
        poller.checkpoints,
        poller.windows,
        poller.finished,
        poller.enabled,
        poller.listed,
        context.next_token,
        context.next_id,
        context.result,
    )
    return poller, context.effects


def _listed(context: StepContext, poller: Poller, event: ShardsListed) -> Poller:
    """Add the shards that are new and forget those that are done and gone from the stream."""
    seen = {shard.shard_id: shard for shard in event.shards}
    first = not poller.listed
    finished = {shard_id for shard_id in poller.finished if shard_id in seen}
    if first and context.mapping.settings.starting_position == "LATEST":
        # What is closed at the start holds only records from before it.
        finished |= {shard.shard_id for shard in event.shards if shard.closed}
    known = {
        shard_id: shard
        for shard_id, shard in poller.shards.items()
        if not shard.done or shard_id in seen
    }
    for shard_id, new in seen.items():
        if shard_id not in known and shard_id not in finished:
            known[shard_id] = _new_shard(context, poller, new, first=first)
    poller = poller._replace(shards=known, finished=frozenset(finished), listed=True)
    return _start_ready(context, poller)


def _new_shard(context: StepContext, poller: Poller, seen: ShardSeen, *, first: bool) -> Shard:
    settings = context.mapping.settings
    start: StartingPosition = settings.starting_position if first else "TRIM_HORIZON"
    checkpoint = poller.checkpoints.get(seen.shard_id)
    lanes = settings.parallelization_factor
    # A mapping that has lost its windows since leaves the stored one behind.
    windows = {} if context.mapping.tumbling_window_ms is None else poller.windows
    window = windows.get(seen.shard_id)
    return _shards.begin_shard(seen.shard_id, seen.parents, start, lanes, checkpoint, window=window)


def _start_ready(context: StepContext, poller: Poller) -> Poller:
    """Start every shard whose parents are done; a parent that is not known has been trimmed."""
    if not context.enabled:
        return poller
    known = dict(poller.shards)
    for shard_id, shard in poller.shards.items():
        waits = any(parent in known and not known[parent].done for parent in shard.parents)
        if not shard.started and not waits:
            context.checkpoint = shard.checkpoint
            known[shard_id] = _shards.start(context, shard)
    return poller._replace(shards=known)


def _disabled(_context: StepContext, poller: Poller, _event: Disabled) -> Poller:
    known = {
        shard_id: _shards.halt(shard) if shard.started and not shard.done else shard
        for shard_id, shard in poller.shards.items()
    }
    return poller._replace(enabled=False, shards=known)


def _enabled(context: StepContext, poller: Poller, _event: Enabled) -> Poller:
    context.enabled = True
    known = dict(poller.shards)
    for shard_id, shard in poller.shards.items():
        if shard.rereading:
            context.checkpoint = shard.checkpoint
            known[shard_id] = _shards.resume(context, shard)
    return _start_ready(context, poller._replace(enabled=True, shards=known))


def _restarted(context: StepContext, poller: Poller, _event: Restarted) -> Poller:
    """Keep the checkpoints and nothing else; late answers carry tokens that are no longer known.

    Lambda keeps the state of a tumbling window for the function, so it lasts as long as the
    checkpoint that it belongs to.
    """
    fresh = {
        shard_id: shard if shard.done else _shards.renew(shard)
        for shard_id, shard in poller.shards.items()
    }
    return _start_ready(context, poller._replace(shards=fresh))


Reaction: TypeAlias = Callable[[StepContext, Shard, Any], Shard]

_OF_A_SHARD: Final[dict[type, Reaction]] = {
    RecordsRead: _shards.records_came,
    ReadFailed: _shards.read_failed,
    CallEnded: _shards.answered,
    FailureSent: _shards.answered,
    Woken: _shards.answered,
}
_OF_THE_MAPPING: Final[dict[type, Callable[[StepContext, Poller, Any], Poller]]] = {
    ShardsListed: _listed,
    Disabled: _disabled,
    Enabled: _enabled,
    Restarted: _restarted,
}
