"""A question answered by the simulator, as the recording that a poller would have given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Assumptions
from cdk_streams.simulator import NO_FAULTS, Invocation, World, simulate
from conformance.question import TIMEOUT_S, Question
from conformance.recording import RecordedCall, Recording
from tests.bench.scenario_handler import behaving
from tests.bench.scenario_records import scenario_records

__all__ = ["Simulated", "simulated", "window_of"]

_BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
_QUEUE: Final = "arn:aws:sqs:us-east-1:000000000000:failed"


@dataclass(frozen=True, slots=True)
class Simulated:
    """What the simulator did; `unending`: not every record was settled, a recording is a part."""

    recording: Recording
    unending: bool


@dataclass(slots=True)
class _Handler:
    """The scenario's handler, which keeps the events that it gets."""

    plan: Mapping[str, Any]
    events: list[Any] = field(default_factory=list)

    def __call__(self, event: Any, context: Any) -> Any:
        self.events.append(event)
        return behaving(dict(self.plan))(event, context)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a run in virtual time came to; `records` are the stream's, in order."""

    records: Sequence[Mapping[str, Any]]
    invocations: Iterable[Invocation]
    failures: Iterable[Mapping[str, Any]]
    metrics: Mapping[str, int]
    took: timedelta
    unending: bool


def simulated(
    question: Question, assumptions: Assumptions, until_s: float | None = None
) -> Simulated:
    """Run the question's scenario in virtual time under these assumptions, up to `until_s`."""
    handler = _Handler(question.scenario.plan)
    run = _run if question.update is None else _updated_run
    outcome = run(question, handler, assumptions, until_s)
    changes = [each["dynamodb"] for each in outcome.records]
    recording = Recording(
        scenario=question.name,
        where="the simulator",
        made=_BEGIN.date().isoformat(),
        versions={},
        settings=question.scenario.settings.to_template(),
        watched_s=max(outcome.took.total_seconds(), question.seconds()),
        ordinals={each["SequenceNumber"]: place for place, each in enumerate(changes, start=1)},
        calls=tuple(_calls(outcome.invocations, handler.events)),
        failures=tuple(outcome.failures) if question.has_destination else (),
        metrics=dict(outcome.metrics),
        written_ms={
            each["SequenceNumber"]: round(each["ApproximateCreationDateTime"] * 1000)
            for each in changes
        },
    )
    return Simulated(recording, outcome.unending)


def _settings(question: Question, settings: MappingSettings) -> MappingSettings:
    return replace(settings, on_failure=_QUEUE if question.has_destination else None)


def _run(
    question: Question, handler: _Handler, assumptions: Assumptions, until_s: float | None
) -> _Outcome:
    scenario = question.scenario
    records = scenario_records(scenario, _BEGIN)
    run = simulate(
        handler,
        records,
        settings=_settings(question, scenario.settings),
        start=_BEGIN + timedelta(seconds=max(scenario.written_s, default=0) + scenario.late_s),
        throttled=lambda since: since < timedelta(seconds=question.throttled_s),
        timeout=TIMEOUT_S,
        assumptions=assumptions,
        until=until_s,
    )
    unending = run.counts.waiting + run.counts.trimmed > 0
    return _Outcome(records, run.invocations, run.failures, run.metrics, run.took, unending)


def _updated_run(
    question: Question, handler: _Handler, assumptions: Assumptions, until_s: float | None
) -> _Outcome:
    """Run a scenario whose mapping is updated in mid-run: all records are handled or discarded."""
    scenario, update = question.scenario, question.update
    assert update is not None  # noqa: S101 - the caller's choice
    world = World(faults=NO_FAULTS, assumptions=assumptions)
    table = world.table("Scenario", keys="pk")
    settings = _settings(question, scenario.settings)
    consumer = world.consumer(
        "Scenario", handler, table=table, settings=settings, timeout=timedelta(seconds=TIMEOUT_S)
    )
    for ordinal in range(1, scenario.count + 1):
        table.put(scenario.item(ordinal))
    world.call_after(
        timedelta(seconds=update.after_s),
        lambda: world.update(consumer, _settings(question, update.settings)),
    )
    if until_s is None:
        world.run()
    else:
        world.run_for(timedelta(seconds=until_s))
    settled = [*consumer.records("handled"), *consumer.records("failed")]
    records = sorted(settled, key=lambda each: int(each["dynamodb"]["SequenceNumber"]))
    took = timedelta(seconds=world.now_s() - _BEGIN.timestamp())
    return _Outcome(
        [*records, *consumer.waiting],
        consumer.invocations,
        consumer.failures,
        consumer.metrics,
        took,
        consumer.counts.waiting > 0,
    )


def _calls(invocations: Iterable[Invocation], events: Iterable[Any]) -> Iterable[RecordedCall]:
    began_ms = round(_BEGIN.timestamp() * 1000)
    for call, event in zip(invocations, events, strict=True):
        yield RecordedCall(
            call.request_id,
            began_ms + _ms(call.at),
            began_ms + _ms(call.at + call.took),
            call.sequence_numbers,
            call.shard_id,
            window_of(event),
        )


def window_of(event: Any) -> dict[str, Any] | None:
    """Return what an event says of its tumbling window; None without one."""
    if "window" not in event:
        return None
    return {name: event[name] for name in ("state", "isFinalInvokeForWindow")}


def _ms(length: timedelta) -> int:
    return round(length.total_seconds() * 1000)
