"""Items under another key: moved in the transaction that moves their marks."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_streams.testing import FakeDynamoDB
from lambda_runtime.views import Projection, ViewError, ViewWriter

CREATED_S = 1_789_654_328.0
HOUR_S = 3600.0


@pytest.fixture
def projected(dynamodb: FakeDynamoDB) -> ViewWriter:
    projection = Projection(key="customer", attributes=["total"])
    return ViewWriter(projection, target="totals", marks="marks", client=dynamodb)


def rows(dynamodb: FakeDynamoDB) -> dict[str, Any]:
    return {row["customer"]: row["total"] for row in dynamodb.items("totals")}


def test_a_projected_item_moves_with_its_key_and_goes_with_its_source(
    change: Any, apply: Any, projected: ViewWriter, dynamodb: FakeDynamoDB
) -> None:
    apply(change(1, customer="a", total=3), by=projected)
    assert rows(dynamodb) == {"a": 3}
    apply(change(2, customer="b", total=4), by=projected)
    assert rows(dynamodb) == {"b": 4}
    apply(change(3), by=projected)
    assert rows(dynamodb) == {}


def test_an_item_may_take_the_key_that_another_leaves_in_the_same_batch(
    change: Any, apply: Any, projected: ViewWriter, dynamodb: FakeDynamoDB
) -> None:
    apply(change(1, "o-1", customer="a", total=3), by=projected)
    apply(
        change(2, "o-2", customer="a", total=4),
        change(3, "o-1", customer="b", total=3),
        by=projected,
    )

    assert rows(dynamodb) == {"a": 4, "b": 3}


def test_two_items_of_one_key_are_refused_and_the_first_stays(
    change: Any, apply: Any, projected: ViewWriter, dynamodb: FakeDynamoDB
) -> None:
    apply(change(1, "o-1", customer="a", total=3), by=projected)
    with pytest.raises(ViewError, match="two source items have one key"):
        apply(change(2, "o-2", customer="a", total=4), by=projected)

    assert rows(dynamodb) == {"a": 3}


def test_large_items_share_no_transaction_of_more_than_4_mb(change: Any, apply: Any) -> None:
    writer = ViewWriter(
        Projection(key="order_id"),
        target="t",
        marks="marks",
        client=FakeDynamoDB({"t": ("order_id",), "marks": ("item",)}),
    )
    text = "x" * 390_000

    done = apply(*(change(n, f"o-{n}", text=text) for n in range(12)), by=writer)

    assert done == [10, 12]
