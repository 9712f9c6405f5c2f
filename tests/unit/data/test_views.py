"""Backfill and comparison of views, on tables in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cdk_streams.data import Side, backfill_view, compare_view
from cdk_streams.testing import FakeDynamoDB
from lambda_runtime.views import Count, Projection, Sum, View, recompute

VIEW = View(group_by="customer", orders=Count(), total=Sum("total"))
ORDERS = [{"pk": f"o-{n}", "customer": f"c-{n % 7}", "total": n} for n in range(500)]


@pytest.fixture
def fake() -> FakeDynamoDB:
    made = FakeDynamoDB({"Orders": ("pk",), "Totals": ("customer",), "Marks": ("item",)})
    made.write("Orders", *ORDERS)
    return made


@pytest.fixture
def sides(fake: FakeDynamoDB) -> tuple[Side, Side]:
    return Side(fake, "Orders", ("pk",)), Side(fake, "Totals", ("customer",))


def backfilled(sides: tuple[Side, Side], **more: Any) -> Any:
    return backfill_view(*sides, view=VIEW, marks="Marks", **more)


def compared(sides: tuple[Side, Side], **more: Any) -> Any:
    return compare_view(*sides, view=VIEW, sleep=lambda _: None, **more)


def in_order(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: str(item["customer"]))


@pytest.mark.parametrize("segments", [1, 4])
def test_a_backfilled_view_is_a_recomputation(
    fake: FakeDynamoDB, sides: tuple[Side, Side], segments: int
) -> None:
    result = backfilled(sides, segments=segments)

    assert (result.counts.read, result.counts.written, result.counts.failures) == (500, 500, ())
    assert in_order(fake.items("Totals")) == in_order(recompute(VIEW, ORDERS))
    assert compared(sides).is_equal


def test_a_backfill_may_be_interrupted_and_begun_again(
    fake: FakeDynamoDB, sides: tuple[Side, Side], tmp_path: Path
) -> None:
    calls: list[str] = []

    def fail_later(operation: str, _request: Any) -> None:
        calls.append(operation)
        if operation == "TransactWriteItems" and calls.count(operation) == 4:
            raise OSError("the network is gone")

    fake._on_request = fail_later
    with pytest.raises(OSError, match="the network is gone"):
        backfilled(sides, segments=2, progress_file=tmp_path / "progress")

    result = backfilled(sides, segments=2, progress_file=tmp_path / "progress")

    assert result.counts.read == 500
    assert compared(sides).is_equal


def test_an_item_that_does_not_fit_is_named_and_the_rest_is_written(
    fake: FakeDynamoDB, sides: tuple[Side, Side]
) -> None:
    fake.write("Orders", {"pk": "wrong", "customer": "c-1", "total": "twelve"})

    (failure,) = backfilled(sides).counts.failures
    result = compared(sides)

    assert (
        failure == "{'pk': 'wrong'}: Sum('total') needs exact numbers (Decimal or int), got a str"
    )
    assert result.faults == (failure,)
    assert result.differences == ()
    assert not result.is_equal


def test_groups_that_differ_are_named_with_what_differs(
    fake: FakeDynamoDB, sides: tuple[Side, Side]
) -> None:
    backfilled(sides)
    (first, *_) = fake.items("Totals")
    fake.write("Totals", {**first, "total": first["total"] + 1})
    fake.write("Totals", {"customer": "nobody", "orders": 1, "total": 1, "_view_items": 1})
    fake.write("Orders", {"pk": "late", "customer": "new", "total": 1})

    result = compared(sides)

    assert [(each.kind, each.key["customer"]) for each in result.differences] == [
        ("different", first["customer"]),
        ("missing", "new"),
        ("extra", "nobody"),
    ]
    assert result.differences[0].attributes == {"total": (first["total"], first["total"] + 1)}
    assert (result.source_items, result.target_items) == (501, 8)


def test_what_is_on_its_way_is_looked_at_again(sides: tuple[Side, Side]) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        backfilled(sides)

    assert compare_view(*sides, view=VIEW, lag_s=3, sleep=wait).is_equal
    assert waited == [3]


def test_a_projection_is_backfilled_and_compared_too(fake: FakeDynamoDB) -> None:
    fake = FakeDynamoDB({"Orders": ("pk",), "P": ("customer", "pk"), "Marks": ("item",)})
    fake.write("Orders", *ORDERS)
    projection = Projection(key=("customer", "pk"), attributes=["total"])
    sides = Side(fake, "Orders", ("pk",)), Side(fake, "P", ("customer", "pk"))

    backfill_view(*sides, view=projection, marks="Marks")

    assert len(fake.items("P")) == 500
    assert compare_view(*sides, view=projection).is_equal
