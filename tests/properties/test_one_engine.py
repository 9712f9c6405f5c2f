"""`simulate` and a `World` without faults are one engine: the same stream gives the same run."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Assumptions
from cdk_streams.simulator import NO_FAULTS, Consumer, Table, World, simulate
from cdk_streams.simulator._records import START

DESTINATIONS = [None, "arn:aws:sqs:us-east-1:123456789012:failures", "arn:aws:s3:::failures"]
FILTER = '{"dynamodb":{"NewImage":{"keep":{"BOOL":[true]}}}}'
# More in a nightly run: `ONE_ENGINE_EXAMPLES=1000 pytest tests/properties/test_one_engine.py`.
EXAMPLES = int(os.environ.get("ONE_ENGINE_EXAMPLES", "60"))

Write = tuple[int, int, bool]
"""When (seconds since the start), of which item, and whether the filter keeps it."""


def _mapping(random: Random) -> MappingSettings:
    tumbling = random.random() < 0.15
    filtered = random.random() < 0.3 and not tumbling
    return MappingSettings(
        batch_size=random.randint(1, 8),
        max_batching_window=random.choice([0, 0, 1, 5, 30]),
        parallelization_factor=1 if tumbling else random.choice([1, 1, 2, 3, 10]),
        tumbling_window=random.choice([5, 10]) if tumbling else None,
        retry_attempts=random.randint(0, 3),
        max_record_age=random.choice([None, None, 60]),
        bisect_batch_on_error=random.random() < 0.5,
        report_batch_item_failures=random.random() < 0.5,
        starting_position=random.choice(["TRIM_HORIZON", "TRIM_HORIZON", "LATEST"]),
        filters=[FILTER] if filtered else [],
        on_failure=random.choice(DESTINATIONS),
    )


def _handler(whims: list[int]) -> Callable[[Any, Any], Any]:
    """Return a handler whose calls go as the numbers say, in turn."""
    called: list[int] = []

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        whim = whims[len(called) % len(whims)]
        called.append(whim)
        context.spend(whim % 7 / 2)  # 3 seconds are the timeout
        if whim % 5 == 1:
            raise ValueError(whim)
        failed = event["Records"][whim % 3 : whim % 3 + 1] if whim % 5 == 2 else []
        names = [each["dynamodb"]["SequenceNumber"] for each in failed]
        return {
            "state": {"calls": len(called)},
            "batchItemFailures": [{"itemIdentifier": name} for name in names],
        }

    return handle


def _writes(random: Random) -> list[Write]:
    """Return writes in whole seconds, as the records tell their times."""
    second, writes = 0, []
    for _ in range(random.randint(0, 40)):
        second += random.choice([0, 0, 0, 1, 2, 5, 40])
        writes.append((second, random.randint(0, 9), random.random() < 0.7))
    return writes


def _records(world: World, table: Table) -> dict[str, list[dict[str, Any]]]:
    log = world._logs[table.name]
    names = [shard.shard_id for shard in table.shards.all]
    return {name: [record for _, record in log.entries(name)] for name in names}


def _shown(run: Any) -> dict[str, Any]:
    return {
        "calls": [
            (
                *(call.sequence_numbers, call.request_id, call.attempt, call.at, call.took),
                *(call.outcome, call.shard_id, repr(call.error)),
            )
            for call in run.invocations
        ],
        "failures": list(run.failures),
        "lost": run.failures.lost,
        "deliveries": list(run.deliveries),
        "checkpoints": dict(run.checkpoints),
        "metrics": dict(run.metrics),
        "handled": run.counts.handled,
        "filtered": run.counts.filtered,
        "failed": run.counts.failed,
        "age_exceeded": run.counts.age_exceeded,
        "waiting": run.counts.waiting,
    }


def _both(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    random = Random(seed)  # noqa: S311 - a test's own seed
    mapping, writes, shards = _mapping(random), _writes(random), random.randint(1, 3)
    whims = [random.choice([0, 0, random.randint(0, 60)]) for _ in range(9)]
    assumptions = random.choice([Assumptions(), Assumptions(top_up_after_checkpoint=True)])
    duration = timedelta(milliseconds=random.choice([0, 0, 20, 700]))
    world = World(seed, faults=NO_FAULTS, assumptions=assumptions)
    table = world.table("Table", shards=shards)
    for number, (second, item, keep) in enumerate(writes):
        value = {"pk": str(item), "keep": keep, "number": number}
        world.call_after(timedelta(seconds=second), partial(table.put, value))
    consumer: Consumer = world.consumer(
        "function", _handler(whims), table=table, settings=mapping, duration=duration
    )
    world.run()
    run = simulate(
        _handler(whims),
        _records(world, table),
        settings=mapping,
        start=START,
        duration=duration,
        seed=seed,
        assumptions=assumptions,
    )
    return _shown(run), _shown(consumer)


@pytest.mark.filterwarnings("ignore:function starts at LATEST")
@settings(max_examples=EXAMPLES)
@given(st.integers(0, 2**32))
def test_simulate_is_a_world_without_faults_call_for_call(seed: int) -> None:
    alone, world = _both(seed)
    for name, value in alone.items():
        if value != world[name]:
            pytest.fail(f"{name} of seed {seed} differ")
