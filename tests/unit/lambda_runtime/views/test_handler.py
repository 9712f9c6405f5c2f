"""The handler of a view: what it keeps, its environment says at each call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.testing import FakeDynamoDB
from lambda_runtime.views import View, ViewError, view_handler

CREATED_S = 1_789_654_328.0


@pytest.fixture
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("", "totals:view"), ("_TARGET", "totals"), ("_MARKS", "marks")):
        monkeypatch.setenv(f"STREAM_VIEW{name}", value)


@pytest.mark.usefixtures("_told")
def test_a_handler_keeps_the_view_that_its_environment_names(
    change: Any, view: View, dynamodb: FakeDynamoDB, totals: Any
) -> None:
    handler = view_handler(views={"totals:view": view}, client=dynamodb)

    answer = handler({"Records": [change(1, customer="a", total=3).record]}, None)

    assert answer == {"batchItemFailures": []}
    assert totals() == {"a": (1, 3)}


@pytest.mark.usefixtures("_told")
def test_a_rebuild_is_kept_too_from_its_beginning_on(
    change: Any, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    dynamodb = FakeDynamoDB(
        {name: (key,) for name, key in (("totals", "customer"), ("new", "customer"))}
        | {"marks": ("item",), "new-marks": ("item",)}
    )
    handler = view_handler(views={"totals:view": view}, client=dynamodb)
    handler({"Records": [change(1, "o-1", customer="a", total=3).record]}, None)
    for name, value in (("", "totals:view"), ("_TARGET", "new"), ("_MARKS", "new-marks")):
        monkeypatch.setenv(f"STREAM_VIEW{name}_REBUILD", value)
    monkeypatch.setenv("STREAM_VIEW_SINCE_REBUILD", "2026-09-17T15:00:00+00:00")

    late, early = change(3, "o-3", customer="b", at=CREATED_S + 3600), change(2, customer="c")
    handler({"Records": [early.record, late.record]}, None)

    assert [row["customer"] for row in dynamodb.items("totals")] == ["b", "c"]
    assert [row["customer"] for row in dynamodb.items("new")] == ["b"]


@pytest.mark.parametrize("missing", ["STREAM_VIEW", "STREAM_VIEW_TARGET", "STREAM_VIEW_MARKS"])
@pytest.mark.usefixtures("_told")
def test_a_variable_that_is_missing_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(missing)

    with pytest.raises(ViewError, match=f"set {missing}$"):
        view_handler()({"Records": []}, None)


@pytest.mark.usefixtures("_told")
def test_the_view_is_imported_by_its_module_and_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept_views.py").write_text(
        "from lambda_runtime.views import Count, View\n"
        "view = View(group_by='customer', n=Count())\nother = 3\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)

    monkeypatch.setenv("STREAM_VIEW", "kept_views:view")
    assert view_handler()({"Records": []}, None) == {"batchItemFailures": []}
    monkeypatch.setenv("STREAM_VIEW", "kept_views:other")
    with pytest.raises(ViewError, match="must be a View or a Projection, named as module:name"):
        view_handler()({"Records": []}, None)
    del sys.modules["kept_views"]
