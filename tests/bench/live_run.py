"""A scenario run for real: a new table, a new queue, the handler in Lambda's runtime client.

    run_scenario(SCENARIOS[0], client, connection={}) == SCENARIOS[0].expected

This is how a local AWS is compared with Lambda's recorded behaviour, and how the poller that the
simulator runs is shown to do the same with real reads, real calls and real failure records.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cdk_streams.errors import StreamsError
from cdk_streams.lambda_local import LogLine
from cdk_streams.live import CheckpointStore, Client, Notice, drive, system_ms
from cdk_streams.local import LocalAws
from cdk_streams.local import client as client_at
from cdk_streams.poller import CallEnded, Checkpoint, FailureSent, Invoke, SendFailure, Settled
from tests.bench.fixture import ScenarioFixture, scenario_fixture
from tests.bench.scenario import Call, Result, Scenario, calls_of, result_of
from tests.bench.sharding_proxy import ShardingProxy

__all__ = ["Observed", "observe_scenario", "run_scenario"]

_LIMIT_S = 60.0
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Observed:
    """What a run came to: a call's `began` and `ended` are places in `times_ms`."""

    calls: list[Call]
    times_ms: list[int]
    failures: list[dict[str, Any]]
    ordinals: dict[str, int]


@dataclass(slots=True)
class _Watch:
    """Waits until all records are settled and all failure records sent; keeps the calls."""

    expected: int
    calls: list[Notice] = field(default_factory=list)
    times_ms: list[int] = field(default_factory=list)
    settled: int = 0
    sending: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    def notice(self, _consumer: str, at_ms: int, notice: Notice) -> None:
        """Take part in a run."""
        match notice:
            case Invoke() | CallEnded():
                self.calls.append(notice)
                self.times_ms.append(at_ms)
            case Settled(_, _, records):
                self.settled += len(records)
            case SendFailure():
                self.sending += 1
            case FailureSent():
                self.sending -= 1
            case Checkpoint() if self.settled >= self.expected and not self.sending:
                self.done.set()

    def log(self, _consumer: str, _line: LogLine) -> None:
        """Take part in a run; nobody reads these handlers' lines."""


def run_scenario(
    scenario: Scenario,
    client: Client,
    connection: Mapping[str, str],
    *,
    times_by_minute: bool = False,
) -> Result:
    """Run the scenario and return what a scenario expects; arguments as of `observe_scenario`."""
    seen = observe_scenario(scenario, client, connection, times_by_minute=times_by_minute)
    return result_of(scenario, seen.calls, seen.failures, seen.ordinals)


def observe_scenario(
    scenario: Scenario,
    client: Client,
    connection: Mapping[str, str],
    *,
    times_by_minute: bool = False,
) -> Observed:
    """Run the scenario and return the calls that were made and the failure records that came.

    Args:
        scenario: What is run.
        client: Makes a boto3 client for a table, its stream and a queue.
        connection: What the function gets to make clients of its own.
        times_by_minute: Whether the stream rounds creation times down to the minute, as DynamoDB
            Local does. Where a scenario says when its records are written, they are then written
            at once, and a proxy replaces their times.

    Raises:
        StreamsError: Not every record was dealt with in a minute.

    """
    watch = _Watch(scenario.count)
    with contextlib.ExitStack() as stack:
        fixture = stack.enter_context(
            scenario_fixture(scenario, client, waiting=not times_by_minute)
        )
        clients = stack.enter_context(_proxied(fixture, times=times_by_minute))
        checkpoints = stack.enter_context(CheckpointStore(fixture.asset.parent / "checkpoints"))
        ahead_ms = fixture.starts_ms - system_ms() if scenario.late_s else 0
        run = stack.enter_context(
            drive(
                [fixture.consumer()],
                clients,
                checkpoints=checkpoints,
                observer=watch,
                connection=connection,
                clock=lambda: system_ms() + ahead_ms,
            )
        )
        give_up = time.monotonic() + _LIMIT_S
        while not watch.done.wait(_LOOK_EVERY_S):
            run.check()
            if time.monotonic() > give_up:
                raise StreamsError(
                    f"{scenario.name}: {scenario.count} records must be dealt with in "
                    f"{_LIMIT_S:g} s, got {watch.settled}"
                )
        calls = calls_of(watch.calls, fixture.stream_arn)
        return Observed(calls, watch.times_ms, fixture.failures(), fixture.ordinals())


@contextlib.contextmanager
def _proxied(fixture: ScenarioFixture, *, times: bool) -> Iterator[Client]:
    """Yield clients whose stream has the scenario's shards and, with `times`, its times."""
    scenario, client = fixture.scenario, fixture.client
    if not scenario.shards and not (times and scenario.written_s):
        yield client
        return
    made_s = {
        place: fixture.began_s + second
        for place, second in enumerate(scenario.written_s, start=1)
        if times
    }
    target = client("dynamodbstreams").meta.endpoint_url
    with ShardingProxy(target, shards=scenario.shards, made_s=made_s) as proxy:
        aws = LocalAws(proxy.endpoint_url, fixture.asset)

        def through(service: str) -> Any:
            return client_at(aws, service) if service == "dynamodbstreams" else client(service)

        yield through
