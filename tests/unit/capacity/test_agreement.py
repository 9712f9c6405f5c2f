"""The model of counts answers as the simulator does, which goes record by record."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any
from zlib import crc32

import pytest

from cdk_streams.capacity import ConsumerSize, Workload, WriteRate, forecast
from cdk_streams.capacity._draws import fails, lane_of
from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import insert, simulate

CASES = int(os.environ.get("CAPACITY_CASES", "40"))
WITHIN = 0.05
START_S = 1_800_000_000


def size_of(rng: Random) -> ConsumerSize:
    settings = MappingSettings(
        batch_size=rng.choice([1, 5, 10, 50, 100, 500]),
        max_batching_window=rng.choice([0, 0, 1, 5, 20]),
        parallelization_factor=rng.choice([1, 1, 2, 5, 10]),
        retry_attempts=rng.choice([0, 2, None]),
        bisect_batch_on_error=rng.random() < 0.5,
        max_record_age=rng.choice([None, 60]),
    )
    return ConsumerSize(settings=settings, timeout=timedelta(seconds=rng.choice([3, 30])))


def workload_of(rng: Random) -> Workload:
    steps = [(0.0, rng.choice([2, 10, 50, 120]) * rng.random() + 0.5)]
    steps += [(10.0 * (n + 1), rng.choice([0, 5, 60, 200]) * rng.random()) for n in range(3)]
    return Workload(
        writes=WriteRate(steps[: rng.randrange(1, 4)], rng.choice([30, 60])),
        record_ms=rng.choice([0, 1, 5, 20]) * rng.random(),
        call_ms=rng.choice([5, 50, 300, 1000]) * rng.random(),
        shards=1,
        failure_share=rng.choice([0, 0, 0.02, 0.1, 0.3]),
        record_bytes=500,
    )


def written(writes: WriteRate) -> Iterator[float]:
    """Yield when each record is written, evenly within each rate, worked out one by one."""
    ends = [start for start, _ in writes.steps[1:]] + [writes.seconds]
    number, before = 0, 0.0
    for (start, rate), end in zip(writes.steps, ends, strict=True):
        while number < before + (end - start) * rate - 1e-9:
            yield round((start + (number - before) / rate) * 1000) / 1000
            number += 1
        before += (end - start) * rate


def records(times: list[float], lanes: int) -> Iterator[dict[str, Any]]:
    """Yield inserts whose keys lie in the lanes that the model draws."""
    keys: dict[int, str] = {}
    for name in map(str, range(1000)):
        lane = crc32(json.dumps({"pk": {"S": name}}).encode()) % lanes
        keys.setdefault(lane, name)
    for number, at_s in enumerate(times):
        record = insert({"pk": keys[lane_of(number, lanes, 0)]}, number=number + 1)
        record["dynamodb"]["ApproximateCreationDateTime"] = START_S + at_s
        yield record


def simulated(workload: Workload, size: ConsumerSize) -> dict[str, float]:
    """Return what the simulator counts up to the moment at which the writes end."""
    end_s = workload.writes.seconds
    times = list(written(workload.writes))
    places = {
        record["dynamodb"]["SequenceNumber"]: place
        for place, record in enumerate(records(times, 1))
    }
    calls: Counter[tuple[int, int]] = Counter()

    def handler(event: Any, _context: Any) -> None:
        found = event["Records"]
        batch = places[found[0]["dynamodb"]["SequenceNumber"]], len(found)
        calls[batch] += 1
        if fails(*batch, calls[batch] - 1, workload.failure_share):
            raise ConnectionError

    run = simulate(
        handler,
        records(times, size.settings.parallelization_factor),
        settings=size.settings,
        start=START_S,
        duration=lambda event: workload.call_length_ms(len(event["Records"])) / 1000,
        timeout=size.timeout,
        until=end_s,
    )
    lags = [
        (each.at + each.took).total_seconds() - times[places[each.sequence_numbers[0]]]
        for each in run.invocations
        if each.outcome == "handled"
    ]
    return {
        "invocations": run.metrics.get("Invocations", 0),
        "failed": run.metrics.get("Errors", 0),
        "handled": run.counts.handled,
        "discarded": run.counts.failed,
        "age_exceeded": run.counts.age_exceeded,
        "lag": max(lags, default=0),
        "age": run.metrics.get("IteratorAge", 0) / 1000,
    }


def modelled(workload: Workload, size: ConsumerSize) -> dict[str, float]:
    found = forecast(workload, size)
    return {
        "invocations": found.invocations,
        "failed": found.failed_invocations,
        "handled": found.handled,
        "discarded": found.discarded,
        "age_exceeded": found.age_exceeded,
        "lag": found.lag.total_seconds(),
        "age": found.iterator_age.total_seconds(),
    }


@pytest.mark.parametrize("seed", range(CASES))
def test_the_model_agrees_with_the_simulator(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - cases, no secret
    workload, size = workload_of(rng), size_of(rng)
    expected, found = simulated(workload, size), modelled(workload, size)
    assert found == pytest.approx(expected, rel=WITHIN, abs=WITHIN)
    assert expected["invocations"] > 0


@pytest.mark.parametrize("seed", range(10))
def test_leaps_change_the_answers_by_little(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - cases, no secret
    low, high = 20 + 30 * rng.random(), 60 + 300 * rng.random()
    workload = Workload(
        writes=WriteRate([(0, low), (1200, high), (2400, low)], 4800),
        record_ms=1 + 6 * rng.random(),
        call_ms=50 * rng.random(),
        shards=1,
    )
    settings = MappingSettings(
        batch_size=rng.choice([10, 100]),
        max_batching_window=rng.choice([0, 2]),
        parallelization_factor=rng.choice([1, 2]),
        max_record_age=rng.choice([None, 600]),
    )
    size = ConsumerSize(settings=settings, timeout=timedelta(seconds=30))
    leaping, stepping = forecast(workload, size), forecast(workload, size, leaps=False)
    for name in ("handled", "age_exceeded", "invocations", "gb_seconds", "cost", "reads"):
        assert getattr(leaping, name) == pytest.approx(getattr(stepping, name), rel=0.05), name
    for name in ("lag", "mean_lag", "iterator_age"):
        seconds = getattr(stepping, name).total_seconds()
        assert getattr(leaping, name).total_seconds() == pytest.approx(seconds, rel=0.05, abs=0.5)


def test_a_curve_of_minutes_is_passed_over_with_little_difference() -> None:
    rng = Random(1)  # noqa: S311 - cases, no secret
    waves = [100 + 95 * math.sin(minute / 20) for minute in range(130)]
    writes = WriteRate.by_minute(
        (minute, max(0, rate + 20 * rng.random())) for minute, rate in enumerate(waves)
    )
    workload = Workload(writes=writes, record_ms=5, call_ms=20, shards=1)
    size = ConsumerSize(settings=MappingSettings(), timeout=timedelta(seconds=30))
    leaping, stepping = forecast(workload, size), forecast(workload, size, leaps=False)
    for name in ("handled", "invocations", "cost"):
        assert getattr(leaping, name) == pytest.approx(getattr(stepping, name), rel=0.02), name
    assert leaping.lag.total_seconds() == pytest.approx(stepping.lag.total_seconds(), rel=0.1)
