"""Drives the poller of one consumer through virtual time: does what it asks and answers it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cdk_streams.poller import (
    CallEnded,
    CallResult,
    Checkpoint,
    Effect,
    Errored,
    Event,
    EventSourceMapping,
    FailureSent,
    Invoke,
    Measure,
    Outcome,
    Poller,
    Read,
    Restarted,
    Returned,
    SendFailure,
    Settled,
    ShardDone,
    ShardsListed,
    Throttled,
    WakeAt,
    Woken,
    begin,
    invocation_event,
    seeded_ids,
    sequence_number,
    step,
)
from cdk_streams.simulator._consumer import Consumer
from cdk_streams.simulator._dynamodb.stream_log import StreamLog
from cdk_streams.simulator._engine.functions import invoke_function
from cdk_streams.simulator._engine.polling import Reads
from cdk_streams.simulator._engine.rng import Rng
from cdk_streams.simulator._engine.state import SimulationState
from cdk_streams.simulator._faults import CallFault, draw_call_fault
from cdk_streams.simulator._records import START_MS
from cdk_streams.simulator._results import CallOutcome, Invocation
from cdk_streams.simulator._timeline.events import EventKind

__all__ = ["Driver"]

# Nobody waits for these; they only keep causes in front of their effects.
_THROTTLE_MS = 5
_DELIVERY_MS = 15
_DESCRIBE_MS = 10

# Whether the poller remembers it or not, a duplicate was handled.
_OUTCOMES: dict[EventKind, CallOutcome] = {
    "handled": "handled",
    "duplicate": "handled",
    "partial": "partial",
    "failed": "failed",
    "timeout": "timeout",
}
_SETTLED_KINDS: dict[str, EventKind] = {
    "filtered": "filtered",
    "expired": "aged",
    "trimmed": "trimmed",
}


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a call ends: what the poller is told, and what the timeline shows."""

    outcome: Outcome
    fault: CallFault
    took_ms: int
    detail: str = ""
    error: BaseException | None = None


class Driver:
    """One consumer's poller, and the hands that it lacks."""

    def __init__(self, consumer: Consumer, log: StreamLog, state: SimulationState) -> None:
        self.consumer = consumer
        self._log = log
        self._state = state
        ids = seeded_ids(f"{state.seed} {consumer.name}")
        self._mapping = EventSourceMapping(
            settings=consumer.settings,
            function_arn=consumer.function.host.arn,
            stream_arn=consumer.table.stream.arn,
            uuid=ids(0),
            ids=ids,
            assumptions=state.assumptions,
        )
        self._poller: Poller = begin()
        self._started = False
        self._calls = Rng(state.seed, f"calls of {consumer.name}")
        self._deliveries = Rng(state.seed, f"deliveries of {consumer.name}")
        self._reads = Reads(consumer, log, state, self._feed)
        self._actions: dict[type, Callable[[Any], None]] = {
            Read: self._reads.take,
            Invoke: self._invoke,
            SendFailure: self._send_failure,
            CallResult: self._judged,
            Checkpoint: self._checkpoint,
            WakeAt: self._wake_at,
            ShardDone: self._shard_done,
            Settled: self._settled,
            Measure: self._measure,
        }

    def start(self) -> None:
        """Begin to poll."""
        self._started = True
        self._note("start", detail=f"from {self.consumer.settings.starting_position}")
        self.describe()

    def describe(self) -> None:
        """Tell the poller which shards there are."""
        if self._started:
            self._feed(ShardsListed(self._log.described()))
            self.wake()

    def wake(self) -> None:
        """Answer reads that waited for what has just been written, or for a shard to close."""
        self._reads.wake()

    def _feed(self, event: Event) -> Sequence[Effect]:
        now_ms = self._state.queue.now_ms
        self._poller, effects = step(self._mapping, self._poller, event, now_ms)
        for effect in effects:
            self._actions[type(effect)](effect)
        return effects

    # Calling.

    def _invoke(self, invoke: Invoke) -> None:
        fault = draw_call_fault(self._state.faults, self._calls)
        function = self.consumer.function
        if fault.name == "throttle":
            ending = _Ending(Throttled(), fault, _THROTTLE_MS)
        elif not self._state.take_slot(function.host.name, function.reserved_concurrency):
            ending = _Ending(Throttled(), CallFault(), _THROTTLE_MS, "no concurrency left")
        else:
            ending = self._run(invoke, fault)
        began_ms = self._state.queue.now_ms
        self._state.queue.add(
            began_ms + ending.took_ms, lambda: self._end(invoke, ending, began_ms)
        )

    def _run(self, invoke: Invoke, fault: CallFault) -> _Ending:
        function = self.consumer.function
        timeout_ms = function.host.timeout_ms
        if not fault.runs:
            took_ms = timeout_ms if fault.name == "timeout" else function.duration_ms
            return _Ending(Errored(), fault, took_ms, "before its work was done")
        answer = invoke_function(
            function,
            invocation_event(invoke, self._mapping.stream_arn),
            invoke.request_id,
            slow_ms=int(timeout_ms * fault.slowness),
        )
        if fault.name in {"crash", "timeout"}:
            took_ms = timeout_ms if fault.name == "timeout" else answer.took_ms
            return _Ending(Errored(), fault, took_ms, "after its work was done")
        detail = "" if answer.error is None else f"raised {type(answer.error).__name__}"
        return _Ending(answer.outcome, fault, answer.took_ms, detail, answer.error)

    def _end(self, invoke: Invoke, ending: _Ending, began_ms: int) -> None:
        if not isinstance(ending.outcome, Throttled):
            self._state.free_slot(self.consumer.function.host.name)
        forgotten = ending.fault.name == "duplicate" and isinstance(ending.outcome, Returned)
        before = len(self._state.timeline)
        if forgotten:
            # The poller's host is replaced between the answer and the checkpoint.
            self._feed(Restarted())
            kind: EventKind = "duplicate"
        else:
            effects = self._feed(
                CallEnded(invoke.shard_id, invoke.lane, invoke.call, ending.outcome)
            )
            kind = _kind(ending, self.consumer.function.host.timeout_ms, effects)
        self._note_call(invoke, ending, kind, began_ms, before)
        self.describe()

    def _note_call(
        self, invoke: Invoke, ending: _Ending, kind: EventKind, began_ms: int, before: int
    ) -> None:
        numbers = _numbers(invoke.records)
        if kind != "throttled":
            self.consumer.invocations.append(
                Invocation(
                    sequence_numbers=numbers,
                    request_id=invoke.request_id,
                    attempt=invoke.attempt,
                    at=timedelta(milliseconds=began_ms - START_MS),
                    outcome=_OUTCOMES[kind],
                    shard_id=invoke.shard_id,
                    took=timedelta(milliseconds=ending.took_ms),
                    error=ending.error,
                )
            )
        self._note(
            kind,
            shard_id=invoke.shard_id,
            sequence_numbers=numbers,
            took_ms=ending.took_ms,
            attempt=invoke.attempt,
            age_ms=_age_ms(invoke.records, began_ms),
            detail=ending.detail or ("" if numbers else "closes its window"),
        )
        # What followed from the call was noted first; it belongs behind it.
        lines = self._state.timeline
        lines.insert(before, lines.pop())

    # Failure records, and what is only noted.

    def _send_failure(self, send: SendFailure) -> None:
        if send.destination is None:
            self._lose(send, "there is no destination")
            return
        denied = self._deliveries.chance(self._state.faults.destination_denied)
        at_ms = self._state.queue.now_ms + _DELIVERY_MS
        self._state.queue.add(at_ms, lambda: self._delivered(send, denied=denied))

    def _delivered(self, send: SendFailure, *, denied: bool) -> None:
        if denied:
            self._lose(send, "the destination refused it")
        else:
            self.consumer.failures.append(send.body)
            self._note("sent", shard_id=send.shard_id, detail=_failure_text(send.body))
        self._feed(FailureSent(send.shard_id, send.lane, send.call, delivered=not denied))

    def _lose(self, send: SendFailure, why: str) -> None:
        self.consumer.lost.append(send.body)
        detail = f"{_failure_text(send.body)}: {why}"
        self._note("lost", shard_id=send.shard_id, detail=detail)

    def _checkpoint(self, checkpoint: Checkpoint) -> None:
        self.consumer.checkpoints[checkpoint.shard_id] = checkpoint.sequence_number

    def _judged(self, result: CallResult) -> None:
        """Pass over it: `_kind` reads what follows."""

    def _wake_at(self, wake: WakeAt) -> None:
        woken = Woken(wake.shard_id, wake.lane, wake.timer)
        self._state.queue.add(wake.at_ms, lambda: self._woken(woken))

    def _woken(self, woken: Woken) -> None:
        self._feed(woken)

    def _shard_done(self, _: ShardDone) -> None:
        self._state.queue.add(self._state.queue.now_ms + _DESCRIBE_MS, self.describe)

    def _settled(self, settled: Settled) -> None:
        self.consumer.settle(settled.fate, settled.records)
        kind = _SETTLED_KINDS.get(settled.fate)
        if kind is not None:
            numbers = _numbers(settled.records)
            self._note(kind, shard_id=settled.shard_id, sequence_numbers=numbers)

    def _measure(self, measure: Measure) -> None:
        points = self.consumer.metrics.setdefault(measure.metric, [])
        points.append((self._state.since_start, measure.value))

    def _note(self, kind: EventKind, **rest: Any) -> None:
        self._state.note(kind, self.consumer.table.name, consumer=self.consumer.name, **rest)


def _kind(ending: _Ending, timeout_ms: int, effects: Sequence[Effect]) -> EventKind:
    """Name what a call came to, as far as the poller's own judgement goes."""
    if isinstance(ending.outcome, Throttled):
        return "throttled"
    if isinstance(ending.outcome, Errored):
        return "timeout" if ending.took_ms >= timeout_ms else "failed"
    handled = any(isinstance(each, Settled) and each.fate == "handled" for each in effects)
    failed = any(
        isinstance(each, Measure) and each.metric == "FailedInvokeEventCount" for each in effects
    )
    if failed:
        return "partial" if handled else "failed"
    return "handled" if effects else "duplicate"


def _numbers(records: Sequence[Any]) -> tuple[str, ...]:
    return tuple(sequence_number(each) for each in records)


def _age_ms(records: Sequence[Any], at_ms: int) -> int | None:
    if not records:
        return None
    written_ms = int(records[-1]["dynamodb"]["ApproximateCreationDateTime"] * 1000)
    return max(0, at_ms - written_ms)


def _failure_text(body: dict[str, Any]) -> str:
    context, batch = body["requestContext"], body["DDBStreamBatchInfo"]
    return f"{context['condition']}, {batch.get('batchSize', 0)} record(s)"
