"""Each scenario in the simulator, on DynamoDB Local and on ministack: docs/testing.md's table.

    python benchmarks/three_ways.py

Real reads, real calls in Lambda's runtime client, real failure records in a real queue. Ends 1 when
a run differs from what AWS was recorded to do. Needs Java and npm.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import boto3

from cdk_streams.operations.dynamodb_local import dynamodb_local, fetch, missing
from cdk_streams.operations.local_aws import client, local_aws
from cdk_streams.operations.rehearsal import rehearse
from cdk_streams.operations.scenario_handler import behaving
from cdk_streams.operations.scenarios import SCENARIOS, Failure, Result, Scenario, result_of
from cdk_streams.simulator import in_order, insert, simulate

CACHE = Path(__file__).parents[1] / ".cache"


def simulated(scenario: Scenario) -> Result:
    """Run the scenario in virtual time."""
    records = in_order(
        *(
            insert({"pk": f"item-{number}", "ordinal": number, "keep": number in scenario.keep})
            for number in range(1, scenario.count + 1)
        )
    )
    by_number = {record["dynamodb"]["SequenceNumber"]: record for record in records}
    run = simulate(behaving(dict(scenario.plan)), records, settings=scenario.settings)
    return result_of(
        [[by_number[number] for number in call.sequence_numbers] for call in run.invocations],
        run.failures,
        {number: place for place, number in enumerate(by_number, start=1)},
    )


def told(result: Result) -> str:
    """Return the calls and failure records in a line: `[1,2] [1]x2; (exhausted 2x: 1)`."""
    calls = " ".join(runs(f"[{','.join(map(str, call))}]" for call in result.calls))
    failures = ", ".join(map(failed, result.failures))
    return f"{calls} | {failures or 'none'}"


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
    records = f"{failure.first}-{failure.last}" if failure.batch_size > 1 else f"{failure.first}"
    calls = "1 call" if failure.count == 1 else f"{failure.count} calls"
    return (
        f"{records} after {calls}{', ' + failure.function_error if failure.function_error else ''}"
    )


def row(scenario: Scenario, results: list[Result]) -> str:
    """Return the scenario's row of the table."""
    same = " | ".join("same" if each == scenario.expected else told(each) for each in results)
    evidence = "recorded on AWS" if scenario.recorded else "follows from it"
    return f"| {scenario.rule} | {told(scenario.expected)} | {evidence} | {same} |"


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
                rehearse(scenario, amazon, connection={}),
                rehearse(scenario, near, connection={}),
            ]
            right &= all(result == scenario.expected for result in results)
            print(row(scenario, results), flush=True)
    raise SystemExit(not right)


if __name__ == "__main__":
    main()
