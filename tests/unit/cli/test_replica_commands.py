"""`cdk-streams backfill` and `cdk-streams compare`, on tables in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _two_tables, main
from cdk_streams.testing import FakeDynamoDB

SHAPE = """
def shape(item):
    if item["n"] == 2:
        raise ValueError
    return {"pk": "copy of " + item["pk"], "n": item["n"]}
"""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeDynamoDB:
    made = FakeDynamoDB({"Orders": ("pk",), "Copy": ("pk",)})
    made.write("Orders", *({"pk": f"order-{n}", "n": n} for n in range(5)))
    monkeypatch.setattr(_two_tables, "client_of", lambda *_: made)
    monkeypatch.chdir(tmp_path)
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


def test_a_backfill_shows_its_plan_and_writes_with_yes(fake: FakeDynamoDB) -> None:
    planned = run("backfill", "Orders", "Copy", "--rate", "1000")
    assert planned.exit_code == 0
    assert planned.output == (
        "reads   Orders in 8 segments, about 5 items; the scan reads every item once\n"
        "writes  Copy, about 0 items now; what is newer stays\n"
        "at most 1,000 items a second: 0 s\n"
        "\nnothing was written; --yes carries this out\n"
    )
    assert fake.items("Copy") == []

    done = run("backfill", "Orders", "Copy", "--yes")
    assert done.exit_code == 0
    assert "5 items read, 5 written, 0 there already or newer, 0 not written" in done.output
    assert fake.items("Copy") == fake.items("Orders")
    assert list(Path().iterdir()) == []


def test_a_backfill_prints_one_json_object_and_its_plan_aside(fake: FakeDynamoDB) -> None:
    planned = run("backfill", "Orders", "Copy", "--json")
    told = {"source": "Orders", "target": "Copy", "items": 5}
    assert json.loads(planned.stdout) == {**told, "carriedOut": False}
    assert "nothing was written" in planned.stderr
    done = run("backfill", "Orders", "Copy", "--json", "--quiet", "--yes")
    counts = {"read": 5, "resumed": 0, "written": 5, "superseded": 0, "failures": []}
    assert json.loads(done.stdout) == {**told, "carriedOut": True, **counts}
    assert len(fake.items("Copy")) == 5


def test_items_that_were_refused_are_named_and_end_with_1(fake: FakeDynamoDB) -> None:
    Path("shape_for_cli.py").write_text(SHAPE)
    done = run("backfill", "Orders", "Copy", "--transform", "shape_for_cli.py:shape", "--yes")
    assert done.exit_code == 1
    assert "through shape_for_cli.py:shape" in done.output
    assert "  pk='order-2': the transform shape raised ValueError" in done.output
    assert len(fake.items("Copy")) == 4


def test_an_interrupted_backfill_says_that_it_goes_on(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> Any:
        raise OSError("the network is gone")

    with monkeypatch.context() as broken:
        broken.setattr(fake, "batch_execute_statement", fail)
        failed = run("backfill", "Orders", "Copy", "--yes")
    assert failed.exit_code == 2
    assert "Error: the network is gone" in failed.output

    done = run("backfill", "Orders", "Copy", "--yes")
    assert "goes on with Orders-Copy.backfill" in done.output
    assert fake.items("Copy") == fake.items("Orders")


def test_equal_sides_end_with_0(fake: FakeDynamoDB) -> None:
    run("backfill", "Orders", "Copy", "--yes")
    found = run("compare", "Orders", "Copy", "--lag", "0")
    assert found.exit_code == 0
    assert found.output == "5 items in the source, 5 in the target\nequal\n"
    assert fake.items("Copy")


def test_differences_are_listed_and_repaired_with_yes(fake: FakeDynamoDB) -> None:
    run("backfill", "Orders", "Copy", "--yes")
    fake.write("Copy", {"pk": "order-1", "n": 7}, {"pk": "extra"})
    fake.write("Orders", {"pk": "new"})

    found = run("compare", "Orders", "Copy", "--lag", "0")
    assert found.exit_code == 1
    assert 'different {"pk": "order-1"}\n          n: expected "1", found "7"' in found.output
    assert 'missing   {"pk": "new"}' in found.output
    assert 'extra     {"pk": "extra"}' in found.output
    assert found.output.endswith("3 items differ\n")

    planned = run("compare", "Orders", "Copy", "--lag", "0", "--repair")
    assert planned.exit_code == 1
    assert "would write 2 items and remove 1" in planned.output

    done = run("compare", "Orders", "Copy", "--lag", "0", "--repair", "--yes")
    assert done.exit_code == 0
    assert done.output.endswith(
        "repaired: 2 written, 1 removed, 0 changed meanwhile and left alone\n"
    )
    assert run("compare", "Orders", "Copy", "--lag", "0").exit_code == 0


def test_json_holds_the_same(fake: FakeDynamoDB) -> None:
    fake.write("Copy", {"pk": "order-1", "n": 7})
    found = run("compare", "Orders", "Copy", "--lag", "0", "--json")
    assert found.exit_code == 1
    told = json.loads(found.output)
    assert (told["equal"], told["sourceItems"], told["targetItems"]) == (False, 5, 1)
    kinds = {each["key"]["pk"]: each["kind"] for each in told["differences"]}
    assert kinds["order-1"] == "different"
    assert set(kinds.values()) == {"different", "missing"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("compare", "Orders", "Copy", "--yes"), "--yes needs --repair"),
        (("compare", "Orders", "Orders"), "must be another table than the source, got Orders"),
        (("compare", "Orders", "Nowhere"), "the table must exist, got 'Nowhere'"),
        (("backfill", "Orders", "Copy", "--transform", "x"), "such as handlers/shape.py:shape"),
        (
            ("backfill", "Orders", "Copy", "--transform", "no.py:x", "--yes"),
            "must stand in a Python file, got no.py, which is not there",
        ),
        (("backfill", "Orders", "Copy", "--endpoint-url", "x"), "it must be a URL"),
        (("backfill", "Orders", "Copy", "--rate", "0"), "--rate"),
        (("backfill", "Orders", "Copy", "--export", "nowhere"), "the export must be the folder"),
    ],
)
@pytest.mark.usefixtures("fake")
def test_wrong_calls_are_one_sentence(words: tuple[str, ...], message: str) -> None:
    called = run(*words)
    assert called.exit_code in {1, 2}
    assert message in " ".join(called.output.split())
    assert "Traceback" not in called.output


@pytest.mark.usefixtures("fake")
def test_an_endpoint_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_it(*_: Any) -> Any:
        raise OSError("could not connect")

    monkeypatch.setattr(_two_tables, "client_of", raise_it)
    assert run("compare", "Orders", "Copy").output == "Error: could not connect\n"
