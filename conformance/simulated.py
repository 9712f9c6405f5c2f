"""A question answered by the simulator, as the recording that a poller would have given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cdk_streams.poller import Assumptions
from cdk_streams.simulator import simulate
from conformance.question import Question
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


def simulated(
    question: Question, assumptions: Assumptions, until_s: float | None = None
) -> Simulated:
    """Run the question's scenario in virtual time under these assumptions, up to `until_s`."""
    scenario = question.scenario
    records = scenario_records(scenario, _BEGIN)
    handler = behaving(dict(scenario.plan))
    events: list[Any] = []

    def watched(event: Any, context: Any) -> Any:
        events.append(event)
        return handler(event, context)

    run = simulate(
        watched,
        records,
        settings=replace(scenario.settings, on_failure=_QUEUE),
        start=_BEGIN + timedelta(seconds=max(scenario.written_s, default=0) + scenario.late_s),
        throttled=lambda since: since < timedelta(seconds=question.throttled_s),
        assumptions=assumptions,
        until=until_s,
    )
    numbers = [each["dynamodb"]["SequenceNumber"] for each in records]
    began_ms = round(_BEGIN.timestamp() * 1000)
    calls = tuple(
        RecordedCall(
            call.request_id,
            began_ms + _ms(call.at),
            began_ms + _ms(call.at + call.took),
            call.sequence_numbers,
            call.shard_id,
            window_of(event),
        )
        for call, event in zip(run.invocations, events, strict=True)
    )
    return Simulated(
        Recording(
            scenario.name,
            *("the simulator", _BEGIN.date().isoformat(), {}, scenario.settings.to_template()),
            max(run.took.total_seconds(), question.seconds()),
            {number: place for place, number in enumerate(numbers, start=1)},
            calls,
            tuple(run.failures),
            dict(run.metrics),
        ),
        unending=run.counts.waiting + run.counts.trimmed > 0,
    )


def window_of(event: Any) -> dict[str, Any] | None:
    """Return what an event says of its tumbling window; None without one."""
    if "window" not in event:
        return None
    return {name: event[name] for name in ("state", "isFinalInvokeForWindow")}


def _ms(length: timedelta) -> int:
    return round(length.total_seconds() * 1000)
