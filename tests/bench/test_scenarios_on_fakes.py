"""Every scenario with the live consumer on fakes: the same calls and failure records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.bench.recorded_scenarios import SCENARIOS
from tests.bench.scenario import Scenario, calls_of, result_of
from tests.bench.scenario_handler import behaving

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def write(streams: Any, scenario: Scenario) -> dict[str, int]:
    """Write the scenario's records; return the ordinal of each sequence number."""
    for shard_id, shard in scenario.shards.items():
        streams.add_shard(shard_id, parent=shard.parent)
    ordinals = {}
    for ordinal in range(1, scenario.count + 1):
        places = {name: shard.places for name, shard in scenario.shards.items()}
        shard_id = next((name for name in places if ordinal in places[name]), "s")
        second = scenario.written_s[ordinal - 1] if scenario.written_s else 0
        number = streams.write(
            shard_id,
            {"ordinal": {"N": str(ordinal)}, "keep": {"BOOL": ordinal in scenario.keep}},
            created=BEGIN + timedelta(seconds=second),
        )
        ordinals[number] = ordinal
    return ordinals


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_a_scenario_comes_out_as_on_lambda(bench: Any, scenario: Scenario) -> None:
    ordinals = write(bench.streams, scenario)
    bench.now_ms += 1000 * (max(scenario.written_s, default=0) + scenario.late_s)
    bench.settings = scenario.settings
    # One task runs after another here, so a call need not take time to be beside another.
    bench.handler = behaving({**scenario.plan, "pause_s": 0})
    bench.start()
    bench.turn(200)
    calls = calls_of(bench.seen, bench.streams.arn)
    assert result_of(scenario, calls, bench.failures, ordinals) == scenario.expected
    checkpoints = bench.checkpoints.load("audit", bench.streams.arn).values()
    assert max(position.number or "" for position in checkpoints) == max(ordinals)
