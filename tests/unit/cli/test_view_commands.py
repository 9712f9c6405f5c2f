"""`cdk-streams backfill --view` and `cdk-streams compare --view`, on tables in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _two_tables, main
from cdk_streams.testing import FakeDynamoDB

VIEW = "totals_for_cli.py:view"
SOURCE = """
from lambda_runtime.views import Count, View
view = View(group_by="customer", orders=Count())
"""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeDynamoDB:
    made = FakeDynamoDB({"Orders": ("pk",), "Totals": ("customer",), "Marks": ("item",)})
    made.write("Orders", *({"pk": f"o-{n}", "customer": f"c-{n % 2}"} for n in range(5)))
    monkeypatch.setattr(_two_tables, "client_of", lambda *_: made)
    monkeypatch.chdir(tmp_path)
    Path("totals_for_cli.py").write_text(SOURCE)
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


def test_a_view_is_backfilled_and_compared(fake: FakeDynamoDB) -> None:
    planned = run("backfill", "Orders", "Totals", "--view", VIEW, "--marks", "Marks")
    assert f"through {VIEW}\n" in planned.output
    assert fake.items("Totals") == []
    assert run("compare", "Orders", "Totals", "--view", VIEW, "--lag", "0").exit_code == 1

    done = run("backfill", "Orders", "Totals", "--view", VIEW, "--marks", "Marks", "--yes")
    assert "5 items read, 5 written" in done.output
    same = run("compare", "Orders", "Totals", "--view", VIEW, "--lag", "0")
    assert same.exit_code == 0
    assert same.output == "5 items in the source, 2 in the target\nequal\n"


def test_a_group_that_differs_is_shown(fake: FakeDynamoDB) -> None:
    fake.write("Totals", {"customer": "c-0", "orders": 7, "_view_items": 3})

    shown = run("compare", "Orders", "Totals", "--view", VIEW, "--lag", "0")

    assert shown.exit_code == 1
    assert (
        'different {"customer": "c-0"}\n          orders: expected "3", found "7"' in shown.output
    )
    assert 'missing   {"customer": "c-1"}' in shown.output
    assert "2 items differ" in shown.output


@pytest.mark.parametrize(
    ("words", "lack"),
    [
        (["backfill", "--view", VIEW], "--view and --marks need each other"),
        (["backfill", "--marks", "Marks"], "--view and --marks need each other"),
        (
            ["backfill", "--view", VIEW, "--marks", "Marks", "--transform", "a.py:b"],
            "--transform is for replicas",
        ),
        (["compare", "--view", VIEW, "--repair"], "a view is repaired by a backfill"),
        (["compare", "--view", "no.py:view"], "the view must stand in a Python file, got no.py"),
        (["compare", "--view", "totals"], "it must be a Python file and a name in it"),
        (["compare", "--view", "totals_for_cli.py:View"], "must be a View or a Projection, named"),
    ],
)
@pytest.mark.usefixtures("fake")
def test_what_cannot_work_is_one_sentence(words: list[str], lack: str) -> None:
    command, *options = words

    refused = run(command, "Orders", "Totals", *options)

    assert refused.exit_code in {1, 2}
    assert lack in " ".join(refused.output.split())
