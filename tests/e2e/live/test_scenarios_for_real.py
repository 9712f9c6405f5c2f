"""Every scenario again with real reads, real calls of a real process, real failure records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.bench.live_run import run_scenario
from tests.bench.recorded_scenarios import SCENARIOS
from tests.bench.scenario import Scenario

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_a_real_run_comes_out_as_on_lambda(
    scenario: Scenario, any_client: Callable[[str], Any], times_by_minute: bool
) -> None:
    result = run_scenario(scenario, any_client, connection={}, times_by_minute=times_by_minute)
    assert result == scenario.expected
