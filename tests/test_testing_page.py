"""docs/testing.md is true: its blocks run, its tables name what there is, its links lead on."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from cdk_streams.simulator import Faults, InvariantBroken
from cdk_streams.simulator._timeline.events import EVENT_KINDS
from tests.bench.recorded_scenarios import SCENARIOS

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parent.parent / "docs" / "testing.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
FAKES = re.findall(r"^\| `((?:cdk_streams|lambda_runtime)\.[\w.]+)`", TEXT, re.MULTILINE)
CELLS = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| ")]
ROWS = re.findall(r"^\| `([^|]+)` \| (.+) \|$", TEXT, re.MULTILINE)


def test_every_block_is_a_test_that_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # Each run removes what it imported, and jsii can be imported once in a process.
    import_module("aws_cdk.assertions")
    for number, block in enumerate(BLOCKS):
        pytester.makepyfile(**{f"test_block_{number}": block})

    plugins = ("-p", "cdk_streams.simulator.pytest_plugin", "-p", "no:cacheprovider")
    options = (*plugins, "-p", "syrupy", "--strict-markers", "-W", "error")
    result = pytester.runpytest_inprocess(*options, "--snapshot-update")

    assert result.ret == 0
    ran = {line.partition(" ")[0] for line in result.outlines if line.startswith("test_block")}
    assert len(ran) == len(BLOCKS)
    # The snapshot that was written above is compared.
    again = pytester.runpytest_inprocess(*options, "-k", "as_reviewed")
    again.assert_outcomes(passed=1, deselected=again.parseoutcomes()["deselected"])


def test_the_error_shown_is_the_one_that_its_block_raises() -> None:
    (source,) = [block for block in BLOCKS if "def stock_follows_orders" in block]
    (shown,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    block = ModuleType("test_orders")
    # The command in the note names the scenario by its module.
    exec(source, block.__dict__)  # noqa: S102 - the block that the test above runs as a file

    with pytest.raises(InvariantBroken) as broken:
        block.check(block.stock_follows_orders, seeds=100)

    kind = f"{InvariantBroken.__module__}.{InvariantBroken.__name__}"
    assert shown == f"{kind}: {broken.value}\n{broken.value.__notes__[0]}\n"


def test_every_scenario_is_in_the_table_and_the_same_three_ways() -> None:
    shown = [row for row in CELLS if len(row) == 7 and row[-3:] == ["same"] * 3]

    assert [(row[0], row[3]) for row in shown] == [
        (scenario.rule, scenario.evidence) for scenario in SCENARIOS
    ]


def test_every_symbol_is_in_the_table() -> None:
    kinds = [(row.symbol, row.meaning) for row in EVENT_KINDS.values()]

    assert [row for row in ROWS if row in kinds] == kinds


def test_every_fault_is_in_the_table_with_its_usual_probability() -> None:
    usual = Faults()
    shown = {name: rest.partition(" %")[0] for name, rest in ROWS if hasattr(usual, name)}

    assert {name: int(share) / 100 for name, share in shown.items()} == {
        each.name: getattr(usual, each.name) for each in fields(Faults)
    }


@pytest.mark.parametrize("name", FAKES)
def test_every_fake_is_where_the_page_says(name: str) -> None:
    module, _, fake = name.rpartition(".")

    assert getattr(import_module(module), fake).__name__ == fake


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (PAGE.parent / link).exists()
