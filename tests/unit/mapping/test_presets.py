"""The retries of `SAFE`: how long an outage they outlast, as the pages say it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings
from cdk_streams.mapping.presets import SAFE
from cdk_streams.poller import Assumptions
from cdk_streams.simulator import insert, simulate

ROOT = Path(__file__).parents[3]
# The caps on a wait that the recordings allow, in milliseconds: 25 s (docs/semantics.md), the
# assumption's own, and none.
LEAST, ASSUMED, NONE = 25_000, Assumptions().backoff_cap_ms, 86_400_000
OUTLASTED = {LEAST: "2 min 5 s", ASSUMED: "3 min 42 s", NONE: "6 min 49 s"}


def _outlasted(cap_ms: int) -> timedelta:
    """Return the time from the first call of a record that always fails to its last."""

    def fail(_event: Any, _context: Any) -> None:
        raise ValueError

    run = simulate(
        fail,
        [insert({"pk": "1"})],
        settings=MappingSettings(**SAFE),
        assumptions=Assumptions(backoff_cap_ms=cap_ms),
    )
    return run.invocations[-1].at - run.invocations[0].at


@pytest.mark.parametrize("cap_ms", OUTLASTED)
def test_the_default_retries_outlast_as_long_an_outage_as_the_pages_say(cap_ms: int) -> None:
    seconds = int(_outlasted(cap_ms).total_seconds())
    assert f"{seconds // 60} min {seconds % 60} s" == OUTLASTED[cap_ms]
    for page in ("docs/constructs.md", "docs/decisions/0026-eleven-retries-and-eighteen-hours.md"):
        assert OUTLASTED[cap_ms] in (ROOT / page).read_text(encoding="utf-8")


def test_the_default_retries_outlast_a_failover_of_two_minutes() -> None:
    assert _outlasted(LEAST) > timedelta(minutes=2)
