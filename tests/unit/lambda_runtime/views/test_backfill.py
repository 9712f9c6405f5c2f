"""Items that a table held before its view, and a view that is built beside another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cdk_streams.testing import FakeDynamoDB
from lambda_runtime import parse
from lambda_runtime.views import View, ViewError, ViewWriter, backfill_event

CREATED_S = 1_789_654_328.0
HOUR_S = 3600.0


def scan(at: float, **item: Any) -> Any:
    items = [{name: {"N": str(v)} if isinstance(v, int) else {"S": v} for name, v in item.items()}]
    return parse(backfill_event(items, ["order_id"], scanned_at=at))[0]


def test_an_item_of_a_scan_is_counted_and_the_next_change_replaces_it(
    change: Any, apply: Any, totals: Any
) -> None:
    apply(scan(CREATED_S, order_id="o-1", customer="a", total=3))
    assert totals() == {"a": (1, 3)}
    apply(change(1, customer="a", total=4))
    assert totals() == {"a": (1, 4)}


def test_an_item_of_a_scan_does_not_replace_a_change_made_since(
    change: Any, apply: Any, totals: Any
) -> None:
    apply(change(1, customer="a", total=4, at=CREATED_S))
    apply(scan(CREATED_S, order_id="o-1", customer="a", total=3))

    assert totals() == {"a": (1, 4)}


def test_a_scan_repairs_an_item_whose_last_change_was_lost(
    change: Any, apply: Any, totals: Any
) -> None:
    apply(change(1, customer="a", total=4))
    apply(scan(CREATED_S + HOUR_S, order_id="o-1", customer="b", total=5))

    assert totals() == {"b": (1, 5)}


def test_a_change_made_before_the_scan_is_old_news_to_it(
    change: Any, apply: Any, totals: Any
) -> None:
    apply(scan(CREATED_S + HOUR_S, order_id="o-1", customer="b", total=5))
    apply(change(7, customer="a", total=4, at=CREATED_S))

    assert totals() == {"b": (1, 5)}


def test_a_page_of_a_scan_may_come_twice(apply: Any, totals: Any) -> None:
    for _ in range(2):
        apply(scan(CREATED_S, order_id="o-1", customer="a", total=3))

    assert totals() == {"a": (1, 3)}


def test_a_rebuild_leaves_what_was_made_before_it_to_its_backfill(
    change: Any, view: View, dynamodb: FakeDynamoDB, apply: Any, totals: Any
) -> None:
    # The item is gone; a newer change than the one redriven here was handled before the rebuild.
    since = datetime.fromtimestamp(CREATED_S, UTC) + timedelta(hours=1)
    writer = ViewWriter(view, target="totals", marks="marks", since=since, client=dynamodb)

    apply(change(1, "o-1", customer="a", total=3), by=writer)
    apply(change(2, "o-2", customer="b", total=4, at=CREATED_S + HOUR_S), by=writer)

    assert totals() == {"b": (1, 4)}


def test_a_since_without_its_zone_is_refused(view: View) -> None:
    with pytest.raises(ViewError, match="since must be a time with its zone"):
        ViewWriter(view, target="t", marks="m", since=datetime(2026, 1, 1))  # noqa: DTZ001 - refused
