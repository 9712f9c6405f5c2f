"""Whether the consumers left what the day's orders say, computed without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sample_app.demo.items import plain
from sample_app.demo.orders import histories_of, item_of, stock_after

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sample_app.demo.orders import Day
    from sample_app.demo.shop import Audit, Stock

__all__ = ["audit_faults", "stock_faults"]


def stock_faults(day: Day, stock: Stock) -> list[str]:
    """What is wrong with the stock and with the orders' markers, one sentence each."""
    expected = stock_after(day)
    found = [
        f"stock of {sku}: {stock.available.get(sku)}, expected {left}"
        for sku, left in expected.items()
        if stock.available.get(sku) != left
    ]
    cancelled = {write.order.order_id for write in day.writes if write.action == "cancel"}
    for order_id in histories_of(day):
        due = "RETURNED" if order_id in cancelled else "TAKEN"
        if stock.reservations.get(order_id) != due:
            found.append(f"{order_id}: {stock.reservations.get(order_id)}, expected {due}")
    strangers = stock.reservations.keys() - histories_of(day).keys()
    return found + [f"{order_id} was never placed" for order_id in sorted(strangers)]


def audit_faults(day: Day, audit: Audit) -> list[str]:
    """What is wrong with the audit trail: each order's changes, complete, linked, in order."""
    trails: dict[str, list[dict[str, Any]]] = {}
    # Sequence numbers are compared as numbers: their text has no fixed length.
    for number in sorted(audit.lines, key=int):
        line = audit.lines[number]
        trails.setdefault(line["keys"]["order_id"]["S"], []).append(line)
    histories = histories_of(day)
    orders = {write.order.order_id: write.order for write in day.writes}
    strangers = sorted(trails.keys() - histories.keys())
    found = [f"{order_id} is in the trail and was never placed" for order_id in strangers]
    for order_id, history in histories.items():
        trail = trails.get(order_id, [])
        items = [item_of(orders[order_id]) | {"status": s, "city": c} for s, c in history]
        said = [(line["event"], _item(line["old"]), _item(line["new"])) for line in trail]
        events = ["INSERT", *["MODIFY"] * (len(items) - 1)]
        due = list(zip(events, [None, *items], items, strict=False))
        if said != due:
            found.append(f"{order_id}: the trail says {_short(said)}, expected {_short(due)}")
    return found


def _item(image: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if image is None else plain(image)


def _short(trail: Iterable[tuple[str, Any, Any]]) -> str:
    """`INSERT PLACED Graz, MODIFY CANCELLED Graz`."""
    parts = [(event, new or {}) for event, _old, new in trail]
    shown = [f"{event} {new.get('status')} {new.get('city')}" for event, new in parts]
    return ", ".join(shown) or "nothing"
