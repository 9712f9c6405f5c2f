"""docs/semantics.md keeps up with the rules: no rule without a test, no test without a rule."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import cdk_streams.mapping
from cdk_streams.poller import DEFAULT_ASSUMPTIONS

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "semantics.md").read_text(encoding="utf-8")


def _rows(heading: str) -> list[list[str]]:
    """Return the table rows whose header begins with a word."""
    rows: list[list[str]] = []
    inside = False
    for line in PAGE.splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.startswith(f"| {heading} |"):
            inside = True
        elif inside and not line.startswith("|---"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def _rules() -> list[list[str]]:
    return [row for row in _rows("rule") if len(row) == 4]


def test_every_rule_names_a_test_that_exists() -> None:
    assert len(_rules()) > 60
    for rule, _, evidence, cell in _rules():
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", cell)
        assert named, f"{rule!r} has no test"
        assert evidence, f"{rule!r} has no evidence"
        for path, name in named:
            assert name in _functions(TESTS / path), f"{rule!r}: there is no {path}::{name}"


def test_every_scenario_is_pinned_to_a_rule() -> None:
    cells = " ".join(row[-1] for row in _rules())
    for path in sorted((TESTS / "rules").glob("test_*.py")):
        for name in _functions(path):
            if name.startswith("test_"):
                assert f"rules/{path.name}::{name}`" in cells, f"{name} has no row"


def test_every_number_of_amazons_has_a_row() -> None:
    named = {row[0].strip("`") for row in _rows("constant")}
    constants = {name for name in cdk_streams.mapping.__all__ if name.isupper()}
    # These two are ours: the name of a variable, and a table of what mappings send to.
    assert named == constants - {
        "PARTIAL_RESPONSE_VARIABLE",
        "REJECT_QUEUE_VARIABLE",
        "DESTINATION_KINDS",
    }


def test_every_assumption_has_a_row() -> None:
    named = {row[0].strip("`") for row in _rows("assumption")}
    assert named == {each.name for each in fields(DEFAULT_ASSUMPTIONS)}


def test_every_peer_is_judged_on_every_row() -> None:
    rows = [row for row in _rows("rule") if len(row) == 8]
    assert len(rows) > 10
    assert all(cell for row in rows for cell in row)
