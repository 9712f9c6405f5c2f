"""A view of orders by customer, its tables in memory, and changes to hand to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cdk_streams.testing import FakeDynamoDB
from lambda_runtime import encode, parse
from lambda_runtime.views import Count, Sum, View, ViewWriter

TABLES = {"totals": ("customer",), "marks": ("item",)}
CREATED_S = 1_789_654_328.0


@pytest.fixture
def dynamodb() -> FakeDynamoDB:
    return FakeDynamoDB(TABLES)


@pytest.fixture
def view() -> View:
    return View(group_by="customer", orders=Count(), total=Sum("total"))


@pytest.fixture
def writer(view: View, dynamodb: FakeDynamoDB) -> ViewWriter:
    return ViewWriter(view, target="totals", marks="marks", client=dynamodb)


@pytest.fixture
def change(make_record: Any) -> Any:
    """`change(2, "o-1", customer="a", total=3)`: the second change; without attributes a remove."""

    def make(number: int, order: str = "o-1", at: float = CREATED_S, **item: Any) -> Any:
        new = encode({name: Decimal(v) if isinstance(v, int) else v for name, v in item.items()})
        record = make_record(
            number,
            "MODIFY" if item else "REMOVE",
            keys={"order_id": {"S": order}},
            new=new["M"],
        )
        record["dynamodb"]["ApproximateCreationDateTime"] = at
        return parse({"Records": [record]})[0]

    return make


@pytest.fixture
def apply(writer: ViewWriter) -> Any:
    """`apply(change, …)` writes changes of different items at once, as a router does."""

    def write(*changes: Any, by: ViewWriter = writer) -> list[int]:
        return list(by.write([by.prepare(each) for each in changes]))

    return write


@pytest.fixture
def totals(dynamodb: FakeDynamoDB) -> Any:
    """`totals()` is `{"a": (1, 3)}`: each customer's orders and their sum."""

    def read() -> dict[str, tuple[Any, Any]]:
        return {row["customer"]: (row["orders"], row["total"]) for row in dynamodb.items("totals")}

    return read


@pytest.fixture(autouse=True)
def paused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a writer would have waited."""
    seconds: list[float] = []
    monkeypatch.setattr("lambda_runtime.views._transactions.sleep", seconds.append)
    return seconds
