"""Each scenario in the simulator, on DynamoDB Local and on ministack: docs/testing.md's table.

    python benchmarks/three_ways.py

Real reads, real calls in Lambda's runtime client, real failure records in a real queue. Ends 1 when
a run differs from what AWS was recorded to do. Needs Java and npm.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3

from cdk_streams.local import client, local_aws
from cdk_streams.simulator import simulate
from tests.bench.dynamodb_local import dynamodb_local, fetch, missing
from tests.bench.live_run import run_scenario
from tests.bench.recorded_scenarios import SCENARIOS
from tests.bench.scenario import Call, Failure, Result, Scenario, Window, result_of
from tests.bench.scenario_handler import behaving
from tests.bench.scenario_records import scenario_records

CACHE = Path(__file__).parents[1] / ".cache"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def simulated(scenario: Scenario) -> Result:
    """Run the scenario in virtual time."""
    records = scenario_records(scenario, BEGIN)
    handler = behaving(dict(scenario.plan))
    events: list[Any] = []

    def watched(event: Any, context: Any) -> Any:
        events.append(event)
        return handler(event, context)

    shards = {
        name: [records[place - 1] for place in shard.places]
        for name, shard in scenario.shards.items()
    }
    run = simulate(
        watched,
        shards or records,
        settings=scenario.settings,
        start=BEGIN + timedelta(seconds=max(scenario.written_s, default=0) + scenario.late_s),
        parents={name: [shard.parent] for name, shard in scenario.shards.items() if shard.parent},
    )
    calls = [
        Call(call.shard_id, event, call.at.total_seconds(), (call.at + call.took).total_seconds())
        for call, event in zip(run.invocations, events, strict=True)
    ]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    ordinals = {number: place for place, number in enumerate(numbers, start=1)}
    return result_of(scenario, calls, run.failures, ordinals)


def told(result: Result) -> str:
    """Return the calls and failure records in a line: `[1,2] [1]x2 | 1 after 2 calls`."""
    words = [f"[{','.join(map(str, call))}]" for call in result.calls]
    if result.windows:
        words = [word + state(each) for word, each in zip(words, result.windows, strict=True)]
    calls = ", ".join([" ".join(runs(words)) or "none", *result.order])
    failures = ", ".join(map(failed, result.failures))
    return f"{calls} | {failures or 'none'}"


def state(window: Window) -> str:
    """Return what a call is told: `+3` in a window's course, `=10` in its closing call."""
    if window.total is None:
        return ""
    return f"={window.total}" if window.final else f"+{window.total}"


def runs(words: Iterable[str]) -> list[str]:
    """Return the words with repetitions counted: `["[1]x2", "[3]"]`."""
    counted: list[tuple[str, int]] = []
    for word in words:
        if counted and counted[-1][0] == word:
            counted[-1] = (word, counted[-1][1] + 1)
        else:
            counted.append((word, 1))
    return [word if times == 1 else f"{word}x{times}" for word, times in counted]


def failed(failure: Failure) -> str:
    """Return a failure record: `2-4 after 2 calls, Unhandled`."""
    records = f"{failure.first}-{failure.last}" if failure.batch_size != 1 else f"{failure.first}"
    if not failure.answered:
        return f"{records} too old"
    if failure.final:
        records = "closing call"
    calls = "1 call" if failure.count == 1 else f"{failure.count} calls"
    return (
        f"{records} after {calls}{', ' + failure.function_error if failure.function_error else ''}"
    )


def row(scenario: Scenario, results: list[Result]) -> str:
    """Return the scenario's row of the table."""
    same = " | ".join("same" if each == scenario.expected else told(each) for each in results)
    return f"| {scenario.rule} | {told(scenario.expected)} | {scenario.evidence} | {same} |"


def main() -> None:
    """Run everything and print the table."""
    if (why_not := missing()) is not None:
        raise SystemExit(why_not)
    print("| rule | calls | failure records | evidence | simulator | DynamoDB Local | ministack |")
    print("|---|---|---|---|---|---|---|")
    right = True
    with local_aws() as aws, dynamodb_local(fetch(CACHE)) as endpoint_url:

        def near(service: str) -> Any:
            return client(aws, service)

        session = boto3.Session("local", "local", region_name="us-east-1")

        def amazon(service: Any) -> Any:
            if not service.startswith("dynamodb"):
                return near(service)
            return session.client(service, endpoint_url=endpoint_url)

        for scenario in SCENARIOS:
            results = [
                simulated(scenario),
                run_scenario(scenario, amazon, connection={}, times_by_minute=True),
                run_scenario(scenario, near, connection={}),
            ]
            right &= all(result == scenario.expected for result in results)
            print(row(scenario, results), flush=True)
    raise SystemExit(not right)


if __name__ == "__main__":
    main()
