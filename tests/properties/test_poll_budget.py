"""The poll budget is for speed alone: a driver that never holds an answer sees the same run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Assumptions
from cdk_streams.simulator import Run, insert, simulate
from cdk_streams.simulator._engine.stream_reader import Polling
from cdk_streams.simulator._records import START

Stream = dict[str, list[dict[str, Any]]]

DESTINATIONS = [None, "arn:aws:sqs:us-east-1:123456789012:failures", "arn:aws:s3:::failures"]
FILTER = '{"dynamodb":{"NewImage":{"keep":{"BOOL":[true]}}}}'
# By its weight at worst one, by its bytes six, or two, or none of these fit beside another.
LARGE = (0, 1_045_000, 1_050_000, 3_100_000, 6_400_000)
# Seconds: some on the grid of polls, some at the very end of a window.
STEPS = (0, 0, 0.1, 0.25, 0.3, 1, 4.75, 5)


def _streams(random: Random) -> Stream:
    """Return up to three shards, which see some of their records at the same moments."""
    large = random.random() < 0.15
    steps = random.choices(STEPS, k=3)
    shards: Stream = {}
    for shard in range(random.randint(1, 3)):
        second = 0.0
        shards[f"shard-{shard}"] = records = []
        for place in range(random.randint(0, 14 if large else 40)):
            second += random.choice(steps)
            item = {
                "pk": f"{shard}-{random.randint(0, 5)}",
                "keep": random.random() < 0.7,
                "blob": "x" * (random.choice(LARGE) if large else 0),
            }
            at = START + timedelta(seconds=second)
            records.append(insert(item, number=100 * shard + place + 1, at=at))
    return shards


def _mapping(random: Random) -> MappingSettings:
    tumbling = random.random() < 0.1
    filtered = random.random() < 0.4 and not tumbling
    return MappingSettings(
        batch_size=random.randint(2, 12),
        max_batching_window=random.choice([0, 1, 5, 5, 30]),
        parallelization_factor=1 if tumbling else random.choice([1, 1, 2, 3]),
        tumbling_window=10 if tumbling else None,
        retry_attempts=random.randint(0, 2),
        max_record_age=random.choice([None, 60]),
        bisect_batch_on_error=random.random() < 0.5,
        report_batch_item_failures=random.random() < 0.5,
        filters=[FILTER] if filtered else [],
        on_failure=random.choice(DESTINATIONS),
    )


def _handler(whims: list[int]) -> Any:
    called: list[int] = []

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        whim = whims[len(called) % len(whims)]
        called.append(whim)
        context.spend(whim % 4)  # 3 seconds are the timeout
        if whim % 5 == 1:
            raise ValueError(whim)
        failed = event["Records"][whim % 3 : whim % 3 + 1] if whim % 5 == 2 else []
        names = [each["dynamodb"]["SequenceNumber"] for each in failed]
        return {
            "state": {"calls": len(called)},
            "batchItemFailures": [{"itemIdentifier": name} for name in names],
        }

    return handle


def _lazily(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from records


def _run(seed: int) -> Run:
    random = Random(seed)  # noqa: S311 - a test's own seed
    shards, mapping = _streams(random), _mapping(random)
    lazy = random.random() < 0.5
    whims = [random.choice([0, 0, random.randint(0, 60)]) for _ in range(9)]
    until = random.choice([None, None, timedelta(seconds=random.randint(0, 80) / 4)])
    run = simulate(
        _handler(whims),
        {name: _lazily(each) if lazy else each for name, each in shards.items()},
        settings=mapping,
        start=START,
        closed=random.random() < 0.5,
        assumptions=random.choice([Assumptions(), Assumptions(top_up_after_checkpoint=True)]),
        until=until,
    )
    # Two errors with the same words are two objects. Records that no filter matches are on the
    # timeline when their answer comes, and that may be held.
    timeline = [each for each in run.timeline if each.kind != "filtered"]
    calls = [replace(each, error=None) for each in run.invocations]
    return replace(run, invocations=calls, timeline=timeline)


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_the_poll_budget_changes_nothing_that_a_run_tells(seed: int) -> None:
    holding = _run(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Polling, "_gather", lambda polling, *_: polling._queue.now_ms)
        prompt = _run(seed)
    # Not `assert a == b`: telling how megabytes differ takes minutes.
    if holding != prompt:
        pytest.fail(f"a held answer shows in the run of seed {seed}")
