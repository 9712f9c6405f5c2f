"""The stream records that a scenario writes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cdk_streams.simulator import in_order, insert, modify
from tests.bench.scenario import Scenario

__all__ = ["scenario_records"]


def scenario_records(scenario: Scenario, begin: datetime) -> list[dict[str, Any]]:
    """Return the scenario's records, each made at its second after `begin`."""
    seconds = scenario.written_s or (0,) * scenario.count
    made = [
        _record(scenario, number, begin + timedelta(seconds=second))
        for number, second in enumerate(seconds, start=1)
    ]
    return list(in_order(*made))


def _record(scenario: Scenario, number: int, at: datetime) -> dict[str, Any]:
    if scenario.large and number > 1:
        return modify(scenario.item(number - 1), scenario.item(number), at=at)
    return insert(scenario.item(number), at=at)
