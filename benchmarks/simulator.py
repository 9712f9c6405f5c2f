"""How fast a day of a busy table is simulated: `python benchmarks/simulator.py [records …]`.

Records are spread over 24 hours and 8 shards and made as the run goes on; batch size 100, a
handler that does nothing. Three ways to look at the same day:

    caught up   the mapping is enabled at its end: full batches, through a day's backlog
    window      it runs all day with a batching window of 300 s: a batch every minute or so
    live        it runs all day without one: every poll that finds a record is a call

Last come the seeds a second of `check` over the sample's scenarios: the handlers of the sample app
under every fault, their stack synthesized once beforehand.

Times are of this process's CPU, so that a busy machine changes them less; the peak is Python's
own, of a run of its own, because tracing slows it down.
"""

from __future__ import annotations

import logging
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import Run, check, simulate

SHARDS = 8
DAY_S = 86_400
MIDNIGHT = 1_767_225_600
SIZES = (10_000, 100_000, 1_000_000)
WAYS: dict[str, tuple[MappingSettings, int]] = {
    "caught up": (MappingSettings(batch_size=100), MIDNIGHT + DAY_S),
    "window": (MappingSettings(batch_size=100, max_batching_window=300), MIDNIGHT),
    "live": (MappingSettings(batch_size=100), MIDNIGHT),
}
# One call a record: a million of them are not what a batch size of 100 is about.
LIVE_AT_MOST = 100_000


def records(shard: int, count: int) -> Iterator[dict[str, Any]]:
    """Yield a shard's day: an order a record, evenly spread, as Lambda delivers them."""
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"
    for place in range(count):
        key = f"ORDER#{shard}-{place % 1000}"
        yield {
            "eventID": "a2b322a23f4eff060cbfb1ce52f4447d",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": float(MIDNIGHT + place * DAY_S // count),
                "Keys": {"pk": {"S": key}},
                "NewImage": {
                    "pk": {"S": key},
                    "status": {"S": "PAID"},
                    "total": {"N": str(place)},
                },
                "SequenceNumber": str(3_800_002_862_244_222_465_263 + place),
                "SizeBytes": 61,
                "StreamViewType": "NEW_IMAGE",
            },
            "eventSourceARN": arn,
        }


def handler(_event: Any, _context: Any) -> None:
    """Do nothing, so that the simulator is all that is measured."""


def day(way: str, count: int) -> Run:
    settings, start = WAYS[way]
    shards = {f"shard-{shard}": records(shard, count // SHARDS) for shard in range(SHARDS)}
    run = simulate(handler, shards, settings=settings, start=start, keep=100)
    if run.counts.handled != count:
        raise SystemExit(f"{count - run.counts.handled} records are not handled: {run.counts}")
    return run


def main(sizes: tuple[int, ...]) -> None:
    print(f"Python {sys.version.split()[0]}")
    print(f"{'way':10} {'records':>9} {'calls':>9} {'seconds':>8} {'records/s':>10} {'peak MB':>8}")
    for way in WAYS:
        for size in sizes:
            if way == "live" and size > LIVE_AT_MOST:
                continue
            began = time.process_time()
            run = day(way, size)
            took = time.process_time() - began
            calls = run.metrics["Invocations"]
            figures = f"{way:10} {size:9,} {calls:9,} {took:8.2f} {size / took:10,.0f}"
            print(f"{figures} {peak_mb(way, size):>8}", flush=True)
    for name, seeds_per_s in seeds().items():
        print(f"check {name:15} {seeds_per_s:6.1f} seeds/s", flush=True)


def peak_mb(way: str, count: int) -> str:
    """Return the most memory that Python held during a run, for the smaller ones."""
    if count > LIVE_AT_MOST:
        return ""
    tracemalloc.start()
    day(way, count)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return f"{peak / 1e6:.1f}"


def seeds(count: int = 30) -> dict[str, float]:
    """Return how many seeds a second `check` runs of each scenario of the sample."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from sample_app import scenarios

    # Handlers log their failures, and under faults they fail all the time.
    logging.disable(logging.CRITICAL)
    scenarios.template()
    figures = {}
    for scenario in (scenarios.orders, scenarios.a_poison_order):
        began = time.process_time()
        check(scenario, seeds=count)
        figures[scenario.__name__] = count / (time.process_time() - began)
    logging.disable(logging.NOTSET)
    return figures


if __name__ == "__main__":
    main(tuple(int(each) for each in sys.argv[1:]) or SIZES)
