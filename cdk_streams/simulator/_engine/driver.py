"""Runs one mapping's poller in virtual time: carries out its effects, feeds the results back.

Effects that take time are put on the event queue, never carried out on the spot, so that things
happen in the order of their times and a run of a million records is as flat as one of three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import (
    CallEnded,
    CallOutcome,
    CallResult,
    Checkpoint,
    Disabled,
    Enabled,
    Errored,
    Event,
    EventSourceMapping,
    FailureSent,
    Invoke,
    Measure,
    Poller,
    Read,
    Restarted,
    Returned,
    SendFailure,
    Settled,
    ShardDone,
    ShardsListed,
    WakeAt,
    Woken,
    begin,
    seeded_ids,
    sequence_number,
    step,
)
from cdk_streams.simulator._engine.caller import Call, Caller
from cdk_streams.simulator._engine.functions import Function
from cdk_streams.simulator._engine.recorder import Recorder
from cdk_streams.simulator._engine.rng import Rng
from cdk_streams.simulator._engine.settings_update import describe_update
from cdk_streams.simulator._engine.state import SimulationState
from cdk_streams.simulator._engine.stream_reader import Polling, StreamReader
from cdk_streams.simulator._timeline.events import (
    FATE_KINDS,
    EventKind,
    TimelineEvent,
    describe_failure,
)

__all__ = ["Driver"]


class Driver:
    """One mapping, its function, and the stream that it reads.

    Args:
        name: What the timeline calls the consumer; its faults and its request ids are drawn under
            this name.
        settings: The mapping's.
        function: What it calls.
        stream_arn: What it reads; failure records carry it.
        reader: The stream, as this mapping reads it.
        recorder: Takes the results.
        state: Shared with the other mappings of a world.
        until_ms: When the run ends; None: when nothing is left to do.

    """

    def __init__(
        self,
        name: str,
        settings: MappingSettings,
        *,
        function: Function,
        stream_arn: str,
        reader: StreamReader,
        recorder: Recorder,
        state: SimulationState,
        until_ms: int | None = None,
    ) -> None:
        self.name = name
        self._table = _table_name(stream_arn)
        self._mapping = _mapping(name, settings, function, stream_arn, state)
        self._reader = reader
        self._recorder = recorder
        self._state = state
        self._poller: Poller = begin(enabled=settings.enabled)
        self._started = False
        self._ending: Call | None = None
        # A failure record names the first and the last of them only.
        self._discarded: dict[tuple[str, str], tuple[str, ...]] = {}
        self._caller = Caller(name, self._table, function, stream_arn, state)
        self._delivery_rng = Rng(state.seed, f"deliveries of {name}")
        self._polling = Polling(
            reader,
            state.queue,
            interval_ms=state.assumptions.poll_interval_ms,
            room=_room(settings),
            until_ms=until_ms,
            on_read=recorder.fates.read,
            on_trimmed=self._trimmed,
            on_answer=self._feed,
        )
        self._effects: dict[type, Callable[[Any], None]] = {
            Read: self._polling.take,
            Invoke: self._invoke,
            SendFailure: self._send_failure,
            Checkpoint: recorder.checkpoint,
            WakeAt: self._wake_at,
            ShardDone: self._shard_done,
            CallResult: self._judged,
            Settled: self._settled,
            Measure: recorder.measure,
        }

    def start(self, passed_over: int = 0) -> None:
        """Begin to poll; so many records were written before that `LATEST` passes over."""
        if not self._started:
            self._started = True
            position = self._mapping.settings.starting_position
            past = f", past {passed_over} that were written before" if passed_over else ""
            self._note("start", detail=f"from {position}{past}")
            self.list_shards()

    def list_shards(self) -> None:
        """Tell the poller which shards there are, and look again at those that were closed."""
        if self._started:
            shards = self._reader.shards(self._state.queue.now_ms)
            self._feed(ShardsListed(shards))
            for shard in shards:
                if shard.closed:
                    self._polling.wake(shard.shard_id)

    def wake(self, shard_id: str) -> None:
        """Answer a read that waited for what has just been written."""
        self._polling.wake(shard_id)

    def update(self, settings: MappingSettings, function: Function) -> None:
        """Go on with other settings from the next batch on; the checkpoints stay."""
        before, self._caller.function = self._mapping.settings, function
        self._mapping = replace(self._mapping, settings=settings)
        self._polling.room = _room(settings)
        self._note("update", detail=describe_update(before, settings))
        if settings.enabled and not before.enabled:
            self._feed(Enabled())
            self.start()
        elif before.enabled and not settings.enabled:
            self._feed(Disabled())

    def _feed(self, event: Event) -> None:
        self._poller, effects = step(self._mapping, self._poller, event, self._state.queue.now_ms)
        for effect in effects:
            self._effects[type(effect)](effect)

    # Calls.

    def _invoke(self, invoke: Invoke) -> None:
        call = self._caller.begin(invoke)
        self._recorder.count("Invocations" if call.number else "Throttles")
        self._state.queue.add(call.began_ms + call.took_ms, self._end, call)

    def _end(self, call: Call) -> None:
        invoke = call.invoke
        self._caller.end(call)
        if call.checkpoint_lost:
            self._show(call, "duplicate")
            self._feed(Restarted())
            return
        self._ending = call
        self._feed(CallEnded(invoke.shard_id, invoke.lane, invoke.call, call.outcome))
        if self._ending is not None:
            # The poller was restarted meanwhile, and waits for this call no more.
            self._ending = None
            self._show(call, "duplicate" if isinstance(call.outcome, Returned) else "failed")

    def _judged(self, result: CallResult) -> None:
        """Show the call that has just ended as the poller judges it, before what follows."""
        call, self._ending = self._ending, None
        if call is not None:
            if result.reason:
                call = call._replace(detail=result.reason, error=ValueError(result.reason))
            self._show(call, result.outcome)

    def _show(self, call: Call, outcome: CallOutcome | Literal["duplicate"]) -> None:
        invoke, state = call.invoke, self._state
        numbers = tuple([sequence_number(each) for each in invoke.records])
        kind = "timeout" if call.timed_out and outcome == "failed" else outcome
        if kind != "throttled":
            if isinstance(call.outcome, Errored):
                self._recorder.count("Errors")
            self._recorder.end(
                (
                    call.number,
                    numbers,
                    invoke.request_id,
                    invoke.attempt,
                    call.began_ms - state.start_ms,
                    "handled" if kind == "duplicate" else kind,
                    invoke.shard_id,
                    call.took_ms,
                    call.error,
                )
            )
        state.timeline.append(
            TimelineEvent(
                state.queue.now_ms - state.start_ms,
                kind,
                self._table,
                invoke.shard_id,
                self.name,
                numbers,
                call.took_ms,
                invoke.attempt,
                call.age_ms,
                call.detail or ("" if numbers else "closes its window"),
            )
        )

    # Failure records, and what is only noted.

    def _send_failure(self, send: SendFailure) -> None:
        if send.destination is None:
            self._fail(send, "there is no destination")
            return
        denied = self._delivery_rng.chance(self._state.faults.destination_denied)
        self._state.queue.add(self._state.queue.now_ms, self._delivered, send, denied)

    def _delivered(self, send: SendFailure, denied: bool) -> None:
        self._fail(send, "the destination refused it" if denied else "")
        self._feed(FailureSent(send.shard_id, send.lane, send.call, delivered=not denied))

    def _fail(self, send: SendFailure, why_lost: str) -> None:
        self._recorder.fail(send, delivered=not why_lost)
        detail = describe_failure(send.body)
        if why_lost:
            detail = f"{detail}: {why_lost}"
        info = send.body["DDBStreamBatchInfo"]
        numbers = self._discarded.pop((send.shard_id, info.get("startSequenceNumber", "")), ())
        self._note(
            "lost" if why_lost else "sent",
            shard_id=send.shard_id,
            sequence_numbers=numbers,
            detail=detail,
        )

    def _wake_at(self, wake: WakeAt) -> None:
        woken = Woken(wake.shard_id, wake.lane, wake.timer)
        self._state.queue.add(wake.at_ms, self._feed, woken)

    def _shard_done(self, _: ShardDone) -> None:
        self._state.queue.add(self._state.queue.now_ms, self.list_shards)

    def _settled(self, settled: Settled) -> None:
        fate, records, shard_id = settled.fate, settled.records, settled.shard_id
        self._recorder.fates.settle(fate, records)
        if fate == "handled":
            self._state.count_handled(len(records))
        elif fate in FATE_KINDS:
            self._note_records(FATE_KINDS[fate], shard_id, records)
        if fate in {"failed", "age_exceeded"}:
            numbers = tuple(sequence_number(each) for each in records)
            self._discarded[shard_id, numbers[0]] = numbers

    def _trimmed(self, shard_id: str, records: Sequence[Any]) -> None:
        """Note records whose 24 hours were over before they were read."""
        self._recorder.fates.read(records)
        self._recorder.fates.settle("trimmed", records)
        self._note_records("trimmed", shard_id, records)

    def _note_records(self, kind: EventKind, shard_id: str, records: Sequence[Any]) -> None:
        numbers = tuple(sequence_number(each) for each in records)
        self._note(kind, shard_id=shard_id, sequence_numbers=numbers)

    def _note(self, kind: EventKind, **rest: Any) -> None:
        self._state.note(kind, self._table, consumer=self.name, **rest)


def _mapping(
    name: str,
    settings: MappingSettings,
    function: Function,
    stream_arn: str,
    state: SimulationState,
) -> EventSourceMapping:
    ids = seeded_ids(f"{state.seed} {name}")
    return EventSourceMapping(
        settings=settings,
        function_arn=function.configuration.arn,
        stream_arn=stream_arn,
        uuid=ids(0),
        executed_version=function.configuration.version,
        ids=ids,
        assumptions=state.assumptions,
    )


def _table_name(stream_arn: str) -> str:
    """`orders` of `arn:aws:dynamodb:…:table/orders/stream/2026-01-01T00:00:00.000`."""
    parts = stream_arn.split("/")
    return parts[1] if len(parts) > 1 else "stream"


def _room(settings: MappingSettings) -> int:
    """Return how many records fill every lane of a shard once."""
    return settings.batch_size * settings.parallelization_factor
