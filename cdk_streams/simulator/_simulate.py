"""`simulate`: one event source mapping over given records, in virtual time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from cdk_streams.mapping import (
    LAMBDA_DEFAULT_MEMORY_MB,
    LAMBDA_DEFAULT_TIMEOUT,
    STREAM_RETENTION,
    MappingSettings,
)
from cdk_streams.poller import DEFAULT_ASSUMPTIONS, Assumptions
from cdk_streams.simulator._arguments import (
    Length,
    Records,
    check_arguments,
    given_shards,
    milliseconds,
    milliseconds_of_event,
    stream_arn_of,
)
from cdk_streams.simulator._engine.driver import Driver
from cdk_streams.simulator._engine.functions import Function, partial_response
from cdk_streams.simulator._engine.given_records import GivenRecords, GivenShard
from cdk_streams.simulator._engine.handler_calls import FunctionConfiguration, Handler
from cdk_streams.simulator._engine.record_fates import FateCounts
from cdk_streams.simulator._engine.recorder import Recorder
from cdk_streams.simulator._engine.state import SimulationState
from cdk_streams.simulator._faults import NO_FAULTS
from cdk_streams.simulator._results import Counts, Invocation, Run
from cdk_streams.simulator._timeline.timeline_setup import ConsumerSetup, TimelineSetup

__all__ = ["simulate"]

# Nothing of a stream is left so long after its newest record: only a call that is repeated for
# ever (Assumptions.failed_final_call="suspend") could still be under way.
_SILENCE_MS: Final = round((STREAM_RETENTION + timedelta(hours=1)).total_seconds() * 1000)


def simulate(
    handler: Handler,
    records: Records,
    *,
    settings: MappingSettings | None = None,
    start: datetime | float | None = None,
    parents: Mapping[str, Sequence[str]] | None = None,
    closed: bool = False,
    duration: Length | Callable[[dict[str, Any]], Length] = 0,
    timeout: Length = LAMBDA_DEFAULT_TIMEOUT,
    throttled: Callable[[timedelta], bool] | None = None,
    destination_denied: bool = False,
    function_name: str = "function",
    function_arn: str | None = None,
    executed_version: str = "$LATEST",
    memory_mb: int = LAMBDA_DEFAULT_MEMORY_MB,
    seed: int | str = 0,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
    until: Length | None = None,
    keep: int | None = None,
    observe: Callable[[Invocation], None] | None = None,
) -> Run:
    """Run a handler over stream records as an event source mapping would; no call sleeps.

        run = simulate(handler, [insert({"pk": "1"})], settings=MappingSettings(retry_attempts=2))
        assert run.invocations[0].outcome == "handled"

    The run ends when nothing is left to do: every record is handled, filtered, in a failure
    record, or older than the stream's 24 hours. The same arguments give the same run. It is that of
    a `World` in which nothing goes wrong, call for call.

    Runs in several threads do not disturb each other: they take turns, because `os.environ` belongs
    to the whole process. The threshold of the garbage collector is raised meanwhile.

    Args:
        handler: Any Lambda handler, `handler(event, context)`. Each call gets an event of its
            own. `context.spend(seconds)` lets virtual time pass in it.
        records: Stream records as Lambda delivers them, oldest first; or `{shard_id: records}`.
            An iterator is read as the run goes on, so that a day of records need not fit memory.
        settings: The mapping's; left out, Lambda's defaults.
        start: When the mapping is enabled, with a time zone or in seconds since 1970. Left out:
            when the newest record was written, so that all are in the stream already; when an
            iterator is among the records, when the first was written. A record arrives when it
            was written, but no sooner than this.
        parents: `{shard_id: parents}` for shards that continue others. A parent ends with its last
            record, and its children are read after that.
        closed: Whether every shard ends with its last record, as at a shard's end. Otherwise
            they stay open, and a tumbling window waits for records that never come.
        duration: How long a call takes beside what the handler spends; or a function of the event.
            Lengths of time are a `timedelta` or seconds.
        timeout: The function's; a call that takes as long has failed.
        throttled: Whether a call at this time (since the start) is throttled.
        destination_denied: Whether `on_failure` refuses what is sent to it.
        function_name: As the context tells it.
        function_arn: As mapped, with its alias; failure records carry it.
        executed_version: The version behind an alias; failure records carry it.
        memory_mb: As the context tells it.
        seed: Another seed gives other request ids, and nothing else.
        assumptions: What is not recorded of Lambda.
        until: Where to stop at the latest, since the start.
        keep: How many of the newest invocations, failures, deliveries and events of the timeline
            the run keeps; None: all.
        observe: Called with each invocation at its end, also with those not kept.

    Raises:
        SourceError: Records that cannot be a stream's: out of order, or without a number.
        SettingsError: Settings that cannot run: `on_failure` is a template's reference.
        FilterError: A filter that Lambda would refuse.

    """
    settings = MappingSettings() if settings is None else settings
    check_arguments(handler, settings, assumptions)
    shards, start_ms = given_shards(records, start)
    until_ms = None if until is None else start_ms + milliseconds("until", until)
    function = Function(
        handler=handler,
        configuration=FunctionConfiguration(
            name=function_name,
            arn=function_arn or f"arn:aws:lambda:us-east-1:123456789012:function:{function_name}",
            version=executed_version,
            timeout_ms=milliseconds("timeout", timeout),
            memory_mb=memory_mb,
        ),
        duration_ms=milliseconds_of_event(duration),
        throttled=throttled,
        environment=partial_response(asked=settings.report_batch_item_failures),
    )
    fates = FateCounts()
    recorder = Recorder(fates, keep=keep, observe=observe)
    faults = replace(NO_FAULTS, destination_denied=float(destination_denied))
    timeline: deque[Any] | list[Any] = [] if keep is None else deque(maxlen=keep)
    state = SimulationState(seed, faults, assumptions, start_ms, timeline)
    driver = Driver(
        function_name,
        settings,
        function=function,
        stream_arn=stream_arn_of(shards),
        reader=GivenRecords(shards, parents or {}, closed=closed),
        recorder=recorder,
        state=state,
        until_ms=until_ms,
    )
    with state.process:
        driver.start()
        _run_until(state, shards, until_ms)
    known = ConsumerSetup(
        function_name, settings, timedelta(milliseconds=milliseconds("timeout", timeout))
    )
    return _result(recorder, _counts(fates, shards), state, TimelineSetup((known,)))


def _result(
    recorder: Recorder, counts: Counts, state: SimulationState, setup: TimelineSetup
) -> Run:
    return Run(
        invocations=recorder.invocations,
        failures=recorder.failures,
        deliveries=list(recorder.deliveries),
        checkpoints=recorder.checkpoints,
        metrics=recorder.metrics,
        counts=counts,
        took=state.since_start,
        timeline=list(state.timeline),
        timeline_setup=setup,
    )


def _run_until(
    state: SimulationState, shards: Mapping[str, GivenShard], until_ms: int | None
) -> None:
    """Run until nothing is planned, or until the last moment asked for."""
    queue = state.queue
    last_ms = _last_ms(state, shards) if until_ms is None else until_ms
    while (next_ms := queue.next_ms()) is not None:
        if next_ms > last_ms:
            # Iterators have brought younger records since this was worked out.
            last_ms = _last_ms(state, shards) if until_ms is None else until_ms
            if next_ms > last_ms:
                break
        queue.step()


def _last_ms(state: SimulationState, shards: Mapping[str, GivenShard]) -> int:
    """Return when the run stops at the latest."""
    arrivals = (shard.last_arrival_ms for shard in shards.values())
    return max(arrivals, default=state.start_ms) + _SILENCE_MS


def _counts(fates: FateCounts, shards: Mapping[str, GivenShard]) -> Counts:
    """Return how all records ended; those that were not read wait."""
    skipped = sum(shard.skipped for shard in shards.values())
    taken = sum(shard.taken for shard in shards.values())
    waiting = taken - skipped - fates.counts.total()
    return Counts(**fates.counts, skipped=skipped, waiting=waiting)
