"""docs/constructs.md is true: its blocks run, its tables say what there is."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_dynamodb as dynamodb

import cdk_streams as streams

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "constructs.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
LINKS = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in link]
GIVEN = inspect.signature(streams.StreamConsumer.__init__).parameters
PRESETS = ["SAFE", "STRICT_ORDER", "THROUGHPUT", "LOW_LATENCY"]


def rows(first: str) -> list[list[str]]:
    """Return the cells of the table whose head begins with this cell."""
    _, _, rest = TEXT.partition(f"| {first} |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"\s*(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.fixture
def ran(stack: cdk.Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    handlers = tmp_path / "handlers"
    handlers.mkdir()
    (handlers / "audit.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"stack": stack}
    for block in BLOCKS:
        exec(block, names)  # noqa: S102 - the page's own code
    return names


def test_the_blocks_run_and_nothing_is_warned_about(ran: dict[str, Any], stack: cdk.Stack) -> None:
    assert len(BLOCKS) == len(re.findall(r"^```python", TEXT, re.MULTILINE))
    found = assertions.Annotations.from_stack(stack)
    assert found.find_warning("*", assertions.Match.any_value()) == []
    assert isinstance(ran["audit"], streams.StreamConsumer)


def test_the_look_up_is_asked_again_for_another_refresh(
    ran: dict[str, Any], stack: cdk.Stack, resources_of: Callable[..., dict[str, Any]]
) -> None:
    assert 'refresh="2026-11-25"' in TEXT
    (custom,) = resources_of(stack, "Custom::DynamoDBStream").values()
    assert custom["Properties"]["Refresh"] == ""
    assert custom["Properties"]["StreamViewType"] == "NEW_IMAGE"
    assert ran["theirs"] is ran["search"].table


def test_every_argument_of_a_consumer_is_in_the_table() -> None:
    shown = [cells[0].strip("`") for cells in rows("argument")]
    assert shown == [name for name in GIVEN if name not in {"self", "scope", "id"}]


def test_the_table_shows_the_defaults() -> None:
    shown = {cells[0].strip("`"): cells[1].strip("`") for cells in rows("argument")}
    empty = GIVEN["table"].default
    for name, text in shown.items():
        default = GIVEN[name].default
        spelled = {
            empty: "",
            (): "none",
            streams.OnFailure.QUEUE: "OnFailure.QUEUE",
            timedelta(hours=18): "18 h",
            streams.Alarms(): "Alarms()",
            "TRIM_HORIZON": '"TRIM_HORIZON"',
        }
        assert text == spelled.get(default, str(default)), name


def test_the_table_of_presets_shows_what_each_adds_to_the_safe_one() -> None:
    shown = {cells[0].strip("`"): re.findall(r"`([^`]+)`", cells[1]) for cells in rows("preset")}
    assert list(shown) == PRESETS
    for name in PRESETS:
        preset = dict(getattr(streams, name))
        told = preset if name == "SAFE" else preset.items() - streams.SAFE.items()
        assert {*shown[name]} == {f"{key}={spell(value)}" for key, value in dict(told).items()} | (
            # It says that there is one lane, as the default does: that is the point of it.
            {"parallelization_factor=1"} if name == "STRICT_ORDER" else set()
        )


def spell(value: Any) -> str:
    if not isinstance(value, timedelta):
        return str(value)
    seconds = int(value.total_seconds())
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{seconds} s" if seconds else "0"


def test_every_view_type_and_every_destination_has_its_row() -> None:
    types = {cells[0].strip("`") for cells in rows("`stream_view_type`")}
    assert types == {each.value for each in dynamodb.StreamViewType}
    ours = {
        cells[0].strip("`") for cells in rows("`on_failure` | holds") if "OnFailure" in cells[0]
    }
    assert ours == {f"OnFailure.{each.name}" for each in streams.OnFailure}


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_somewhere(link: str) -> None:
    path, _, part = link.partition("#")
    assert (DOCS / path).exists()
    if not path:
        assert f"\n## {part.replace('-', ' ')}\n" in TEXT.lower()
