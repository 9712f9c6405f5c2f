"""What a view is declared as, and what each item gives to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lambda_runtime.views import Count, Projection, Sum, View, ViewError, recompute

ORDERS: list[dict[str, Any]] = [
    {"order_id": "1", "customer": "a", "status": "PAID", "total": Decimal("12.50")},
    {"order_id": "2", "customer": "a", "status": "PLACED", "total": Decimal(30)},
    {"order_id": "3", "customer": "b", "status": "PAID"},
    {"order_id": "4", "status": "PAID", "total": Decimal(1)},
    {"order_id": "5", "customer": None, "total": Decimal(1)},
]


def test_items_are_counted_and_added_up_by_group() -> None:
    view = View(
        group_by="customer",
        orders=Count(),
        paid=Count(lambda item: item.get("status") == "PAID"),
        priced=Count("total"),
        total=Sum("total"),
    )

    assert recompute(view, ORDERS) == [
        {"customer": "a", "_view_items": 2, "orders": 2, "paid": 1, "priced": 2, "total": 42.5},
        {"customer": "b", "_view_items": 1, "orders": 1, "paid": 1, "priced": 0, "total": 0},
    ]


def test_a_group_may_have_two_attributes_or_be_worked_out() -> None:
    two = View(group_by=("customer", "status"), n=Count())
    none = View(group_by=lambda _: None, n=Count())
    thirds = View(group_by=lambda item: {"id": int(item["order_id"]) // 3}, n=Count())

    assert [row["n"] for row in recompute(two, ORDERS)] == [1, 1, 1]
    assert recompute(none, ORDERS) == []
    assert [(row["id"], row["n"]) for row in recompute(thirds, ORDERS)] == [(0, 2), (1, 3)]


def test_where_leaves_items_out() -> None:
    view = View(group_by="customer", where=lambda item: item["order_id"] > "1", n=Count())

    assert [(row["customer"], row["n"]) for row in recompute(view, ORDERS)] == [("a", 1), ("b", 1)]


def test_a_sum_is_exact_in_any_order_whatever_python_s_decimal_context() -> None:
    view = View(group_by="g", total=Sum("n"))
    large = "12345678901234567890123456789012345678"
    numbers = [large, "0.5", f"-{large}"]
    items = [{"g": "x", "n": Decimal(number)} for number in numbers]

    assert recompute(view, items)[0]["total"] == Decimal("0.5")


def test_a_number_may_be_worked_out() -> None:
    view = View(group_by="g", total=Sum(lambda item: item["price"] * item["quantity"]))

    assert recompute(view, [{"g": "x", "price": Decimal("9.99"), "quantity": 3}])[0]["total"] == (
        Decimal("29.97")
    )


@pytest.mark.parametrize(
    ("value", "got"), [("12", "a str"), (True, "a bool"), (1.5, "a float"), ([1], "a list")]
)
def test_what_is_no_exact_number_is_not_added(value: Any, got: str) -> None:
    view = View(group_by="g", total=Sum("n"))

    with pytest.raises(ViewError, match=rf"Sum\('n'\) needs exact numbers .*, got {got}"):
        view.contribution({"g": "x", "n": value})


@pytest.mark.parametrize(
    ("value", "got"),
    [("", "an empty one"), (b"", "an empty one"), ([], "a list"), (True, "a bool")],
)
def test_what_can_be_no_key_can_be_no_group(value: Any, got: str) -> None:
    view = View(group_by="g", n=Count())

    with pytest.raises(ViewError, match=f"group_by 'g' must be what a key can be.*got {got}"):
        view.contribution({"g": value})


def test_equal_numbers_are_one_group() -> None:
    view = View(group_by="g", n=Count())

    assert recompute(view, [{"g": Decimal("1.0")}, {"g": 1}]) == [
        {"g": 1, "_view_items": 2, "n": 2}
    ]


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        (lambda: View(group_by="g"), "a view has measures, as in total=Sum"),
        (lambda: View(group_by="g", n=3), "a view has measures.* got n=3"),  # type: ignore[arg-type]
        (lambda: View(group_by=(), n=Count()), "group_by must be one or two names"),
        (lambda: View(group_by=("a", "b", "c"), n=Count()), "group_by must be one or two names"),
        (lambda: View(group_by=("a", "a"), n=Count()), "group_by must be one or two names"),
        (lambda: View(group_by="g", g=Count()), "a measure must not be named as the key is"),
        (lambda: View(group_by="g", where=3, n=Count()), "where must be a function"),  # type: ignore[arg-type]
        (lambda: Count(3), "Count takes an attribute's name or a function"),  # type: ignore[arg-type]
        (lambda: Sum(""), "Sum takes an attribute's name or a function"),
        (lambda: Projection(key="k", attributes="status"), "attributes must be a list of names"),
        (lambda: Projection(key=("a", "b", "c")), "key must be one or two names"),
    ],
)
def test_a_view_that_cannot_work_is_refused_where_it_is_declared(declared: Any, why: str) -> None:
    with pytest.raises(ViewError, match=why):
        declared()


def test_a_function_that_gives_no_key_is_named() -> None:
    view = View(group_by=lambda item: item["g"], n=Count())

    with pytest.raises(ViewError, match="group_by must return one or two key attributes"):
        view.contribution({"g": "x"})


def test_a_projection_has_items_under_another_key() -> None:
    projection = Projection(key=("customer", "order_id"), attributes=["total"])

    assert recompute(projection, ORDERS[:3]) == [
        {"customer": "a", "order_id": "1", "total": Decimal("12.5"), "_view_source": ""},
        {"customer": "a", "order_id": "2", "total": 30, "_view_source": ""},
        {"customer": "b", "order_id": "3", "_view_source": ""},
    ]


def test_two_items_under_one_key_are_refused() -> None:
    with pytest.raises(ViewError, match="two items have one key in the projection"):
        recompute(Projection(key="customer"), ORDERS[:2])
