"""Every scenario again with real reads, real calls of a real process, real failure records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk_streams.operations.rehearsal import rehearse
from cdk_streams.operations.scenarios import SCENARIOS, Scenario

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_a_real_run_comes_out_as_on_lambda(
    scenario: Scenario, any_client: Callable[[str], Any]
) -> None:
    assert rehearse(scenario, any_client, connection={}) == scenario.expected
