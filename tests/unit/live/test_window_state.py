"""A tumbling window on fakes: its state survives a driver that dies, like the position."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings

# Records 1 to 4 lie in the first window, 5 to 9 in the second, 10 in the third.
WINDOWS = {1: range(1, 5), 2: range(5, 10), 3: range(10, 11)}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Counting:
    """Sums ordinals in the window's state; `totals` are those of all closing calls, by window.

    Record 3 is reported the first time that it is seen, record 7 raises then.
    """

    def __init__(self) -> None:
        self.totals: dict[str, list[int]] = {}
        self._seen: set[int] = set()

    def __call__(self, event: Any, _context: Any) -> Any:
        total = event["state"].get("sum", 0)
        if event["isFinalInvokeForWindow"]:
            self.totals.setdefault(event["window"]["start"], []).append(total)
            return None
        failures = []
        for record in event["Records"]:
            ordinal = int(record["dynamodb"]["NewImage"]["ordinal"]["N"])
            known = ordinal in self._seen
            self._seen.add(ordinal)
            if ordinal == 7 and not known:
                raise ValueError("not this time")
            if ordinal == 3 and not known:
                failures = [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]
                break
            total += ordinal
        return {"state": {"sum": total}, "batchItemFailures": failures}


@pytest.fixture
def counting(bench: Any) -> Counting:
    for window, ordinals in WINDOWS.items():
        for ordinal in ordinals:
            image = {"ordinal": {"N": str(ordinal)}}
            bench.streams.write("s", image, created=BEGIN + timedelta(seconds=10 * window))
    bench.now_ms += 60_000
    bench.settings = MappingSettings(
        batch_size=2, tumbling_window=10, report_batch_item_failures=True
    )
    bench.handler = Counting()
    handler: Counting = bench.handler
    return handler


@pytest.mark.parametrize("turns", range(1, 30))
def test_a_driver_that_dies_at_any_moment_counts_every_record_once(
    bench: Any, counting: Counting, turns: int
) -> None:
    bench.start()
    bench.turn(turns)
    bench.start()
    bench.turn(60)
    bench.streams.close_shard("s")
    bench.turn(60)
    # A closing call that was not noted comes again, with the same total.
    assert {start: set(totals) for start, totals in counting.totals.items()} == {
        "2026-01-01T00:00:10Z": {1 + 2 + 3 + 4},
        "2026-01-01T00:00:20Z": {5 + 6 + 7 + 8 + 9},
        "2026-01-01T00:00:30Z": {10},
    }


def test_a_driver_that_dies_after_each_turn_counts_every_record_once(
    bench: Any, counting: Counting
) -> None:
    bench.streams.close_shard("s")
    for turns in range(1, 30):
        bench.start()
        # One turn more each time, because a run that ends before its first call gets nowhere.
        bench.turn(turns)
    assert [set(totals) for totals in counting.totals.values()] == [{10}, {35}, {10}]
