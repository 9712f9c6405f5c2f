"""docs/filters.md is kept true by running each of its rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cdk_streams import filters
from cdk_streams.filters import Condition, Filter

PAGE = Path(__file__).parents[3] / "docs" / "filters.md"
ROWS = re.findall(r"^\| `([^`]+)` \| `(\{[^`]+\})` \|$", PAGE.read_text("utf-8"), re.MULTILINE)
NAMES = {name: getattr(filters, name) for name in filters.__all__} | {
    "Decimal": Decimal,
    "UTC": UTC,
    "datetime": datetime,
}


@pytest.mark.parametrize(("builder", "pattern"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_of_the_table_is_true(builder: str, pattern: str) -> None:
    built = eval(builder.replace(r"\|", "|"), dict(NAMES))  # noqa: S307 - our own page
    if isinstance(built, Condition):
        built = Filter.any_event(built)
    assert built.text == pattern


def test_every_verb_has_a_row() -> None:
    verbs = {name for name in vars(filters.Attribute) if not name.startswith("_")}
    refused = {"lt", "lte", "gt", "gte", "between", "image", "path"}
    shown = set(re.findall(r"\.(\w+)\(", " ".join(builder for builder, _ in ROWS)))
    assert verbs - refused <= shown
    assert len(ROWS) > len(verbs)
