"""docs/conformance.md against the kit: its figures, its names and its commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from conformance.compare import Verdict
from conformance.plan import plan_of
from conformance.question import STACK
from conformance.questions import QUESTIONS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")


def test_minutes_and_cost_are_those_of_the_plan() -> None:
    plan = plan_of(QUESTIONS)
    (minutes,) = re.findall(r"take about (\d+) minutes", PAGE)
    assert abs(plan.minutes - int(minutes)) <= 5
    assert "cost less than five dollars" in PAGE
    assert plan.dollars < 5
    others = [each for each in QUESTIONS if each.name != "split_shard"]
    assert plan_of(others).dollars < 1
    assert f"less than ${plan.dollars:.2f} (prices" in plan.text()


def test_the_stack_has_the_name_that_the_page_says() -> None:
    assert f"`{STACK}`" in PAGE


def test_the_page_lists_each_answer_of_a_comparison() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(get_args(Verdict))


def test_the_commands_are_targets_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    named = re.findall(r"^make ([a-z-]+)", PAGE, re.MULTILINE)
    assert named == ["conformance", "conformance", "compare"]
    assert set(named) <= set(targets)
