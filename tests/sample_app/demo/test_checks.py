"""The demo's checks find each way in which a consumer can be wrong."""

from typing import Any

import pytest

from sample_app.demo.checks import audit_faults, stock_faults
from sample_app.demo.items import typed
from sample_app.demo.orders import Day, histories_of, item_of, plan_day, stock_after
from sample_app.demo.shop import Audit, Stock

DAY = plan_day(orders=40, seed=1)


def right_stock(day: Day) -> Stock:
    cancelled = {write.order.order_id for write in day.writes if write.action == "cancel"}
    ids = histories_of(day)
    return Stock(stock_after(day), {i: "RETURNED" if i in cancelled else "TAKEN" for i in ids})


def right_audit(day: Day) -> Audit:
    """One line a write, as the stream would tell it; sequence numbers of growing length."""
    audit, items = Audit(), dict[str, dict[str, Any]]()
    for place, write in enumerate(day.writes):
        name = write.order.order_id
        old = items.get(name)
        status = "CANCELLED" if write.action == "cancel" else "PLACED"
        items[name] = item_of(write.order) | {"status": status, "city": write.city}
        number = str(90 + place)
        audit.lines[number] = {
            "event": "MODIFY" if old else "INSERT",
            "sequence_number": number,
            "keys": typed({"order_id": name}),
            "old": typed(old) if old else None,
            "new": typed(items[name]),
        }
    return audit


@pytest.fixture
def stock() -> Stock:
    return right_stock(DAY)


@pytest.fixture
def audit() -> Audit:
    return right_audit(DAY)


def test_what_is_right_has_no_fault(stock: Stock, audit: Audit) -> None:
    assert stock_faults(DAY, stock) == []
    assert audit_faults(DAY, audit) == []


def test_one_unit_too_few_is_found(stock: Stock) -> None:
    stock.available["tea"] -= 1
    expected = stock_after(DAY)["tea"]
    assert stock_faults(DAY, stock) == [f"stock of tea: {expected - 1}, expected {expected}"]


def test_two_faults_that_cancel_out_are_found(stock: Stock) -> None:
    stock.available["tea"] -= 1
    stock.available["coffee"] += 1
    assert len(stock_faults(DAY, stock)) == 2


def test_an_order_nobody_handled_is_found(stock: Stock) -> None:
    del stock.reservations["order-0003"]
    assert [fault.split(":")[0] for fault in stock_faults(DAY, stock)] == ["order-0003"]


def test_an_order_that_was_never_placed_is_found(stock: Stock, audit: Audit) -> None:
    stock.reservations["order-9999"] = "TAKEN"
    assert stock_faults(DAY, stock) == ["order-9999 was never placed"]
    audit.lines["7"] = next(iter(audit.lines.values())) | {"keys": typed({"order_id": "x"})}
    assert audit_faults(DAY, audit) == ["x is in the trail and was never placed"]


def test_a_lost_change_is_found(audit: Audit) -> None:
    del audit.lines[next(iter(audit.lines))]
    assert len(audit_faults(DAY, audit)) == 1


def test_changes_out_of_order_are_found(audit: Audit) -> None:
    first, second = next(
        numbers for numbers in _numbers_by_order(audit).values() if len(numbers) > 1
    )[:2]
    audit.lines[first], audit.lines[second] = audit.lines[second], audit.lines[first]
    assert len(audit_faults(DAY, audit)) == 1


@pytest.mark.parametrize("image", ["old", "new"])
def test_an_image_that_is_not_the_items_is_found(audit: Audit, image: str) -> None:
    line = next(line for line in audit.lines.values() if line["old"])
    line[image] = line[image] | typed({"city": "Atlantis"})
    assert len(audit_faults(DAY, audit)) == 1


def _numbers_by_order(audit: Audit) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for number, line in audit.lines.items():
        found.setdefault(line["keys"]["order_id"]["S"], []).append(number)
    return found
