"""The lines of any run: a world's own, or what `simulate` found, told in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeAlias, runtime_checkable

from cdk_streams.simulator._results import Invocation, Run
from cdk_streams.simulator._timeline.events import TimelineEvent

__all__ = ["TimelineSource", "events_of"]

_MILLISECOND = timedelta(milliseconds=1)


@runtime_checkable
class HasTimeline(Protocol):
    """A `World`, or anything else that keeps its own lines."""

    @property
    def timeline(self) -> Sequence[TimelineEvent]:
        """What happened, in order."""
        ...


TimelineSource: TypeAlias = HasTimeline | Run | Sequence[TimelineEvent]
"""What has a timeline: a world, a run of `simulate`, or lines."""


def events_of(source: TimelineSource) -> Sequence[TimelineEvent]:
    """Return the lines of a world or a run, in order.

    A run knows its calls and its failure records, and nothing of the writes behind them.
    """
    if isinstance(source, Run):
        return _of_run(source)
    return source.timeline if isinstance(source, HasTimeline) else source


def _of_run(run: Run) -> list[TimelineEvent]:
    failures: dict[str, list[dict[str, Any]]] = {}
    for body in run.failures:
        failures.setdefault(body["requestContext"]["requestId"], []).append(body)
    last = {each.request_id: each for each in sorted(run.invocations, key=lambda call: call.at)}
    lines: list[TimelineEvent] = []
    for each in sorted(run.invocations, key=lambda call: call.at + call.took):
        lines.append(_call(each))
        if last[each.request_id] is each:
            bodies = failures.pop(each.request_id, [])
            lines += [_failure(body, lines[-1].at_ms) for body in bodies]
    # What is left was never called: its records were too old from the beginning.
    never_called = [_failure(body, 0) for bodies in failures.values() for body in bodies]
    return [*never_called, *lines]


def _call(call: Invocation) -> TimelineEvent:
    return TimelineEvent(
        at_ms=(call.at + call.took) // _MILLISECOND,
        kind=call.outcome,
        table="stream",
        shard_id=call.shard_id,
        consumer="calls",
        sequence_numbers=call.sequence_numbers,
        took_ms=call.took // _MILLISECOND,
        attempt=call.attempt,
        detail="" if call.error is None else f"raised {type(call.error).__name__}",
    )


def _failure(body: dict[str, Any], at_ms: int) -> TimelineEvent:
    batch = body["DDBStreamBatchInfo"]
    return TimelineEvent(
        at_ms=at_ms,
        kind="sent",
        table="stream",
        shard_id=batch["shardId"],
        consumer="calls",
        detail=f"{body['requestContext']['condition']}, {batch.get('batchSize', 0)} record(s)",
    )
