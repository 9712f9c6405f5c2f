"""What the demo writes, decided before anything runs, and what has to come of it.

    day = plan_day(orders=300, seed=7)
    day.writes[0]           # Write(action="place", order=Order(order_id="order-0001", ...), ...)
    stock_after(day)        # {"tea": 941, "coffee": 903, ...}: from the orders alone, not from AWS

The same seed is the same day. Nothing here knows how a consumer works, so comparing what it left
behind with what is computed here is a check and not an echo.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "Action",
    "Day",
    "Order",
    "Write",
    "histories_of",
    "item_of",
    "plan_day",
    "stock_after",
    "units",
]

Action = Literal["place", "change", "cancel"]

_SKUS = ("tea", "coffee", "cocoa", "honey", "bread", "butter", "cheese", "olives")
_UNITS_IN_STOCK = 2_000
_CITIES = ("Lisbon", "Turin", "Graz", "Ghent", "Malmö", "Gdańsk", "Łódź", "Århus")
_SHARE_CHANGED = 0.3
_SHARE_CANCELLED = 0.25


@dataclass(frozen=True, slots=True)
class Order:
    """An order as its customer means it; `lines` is quantities by article."""

    order_id: str
    city: str
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Write:
    """One write to the Orders table; `city` is where the order goes after it."""

    action: Action
    order: Order
    city: str


@dataclass(frozen=True, slots=True)
class Day:
    """The stock in the morning, by article, and every write of the day in its order."""

    stock: tuple[tuple[str, int], ...]
    writes: tuple[Write, ...]


def plan_day(*, orders: int, seed: int) -> Day:
    """A day of that many orders; about a third change their city, a quarter is cancelled.

    The writes of different orders are mixed; those of one order keep their order.
    """
    draw = random.Random(seed)  # noqa: S311 - a repeatable day, no secret
    histories = [_history(draw, number) for number in range(1, orders + 1)]
    # One ticket for each write: drawing tickets mixes the orders, not the writes of one of them.
    tickets = [index for index, history in enumerate(histories) for _ in history]
    draw.shuffle(tickets)
    following = [iter(history) for history in histories]
    writes = tuple(next(following[ticket]) for ticket in tickets)
    return Day(tuple((sku, _UNITS_IN_STOCK) for sku in _SKUS), writes)


def _history(draw: random.Random, number: int) -> list[Write]:
    skus = sorted(draw.sample(_SKUS, draw.randint(1, 3)))
    lines = tuple((sku, draw.randint(1, 5)) for sku in skus)
    order = Order(f"order-{number:04}", draw.choice(_CITIES), lines)
    writes = [Write("place", order, order.city)]
    if draw.random() < _SHARE_CHANGED:
        # A write that changes nothing leaves no record in the stream, so the city has to differ.
        elsewhere = draw.choice([city for city in _CITIES if city != order.city])
        writes.append(Write("change", order, elsewhere))
    if draw.random() < _SHARE_CANCELLED:
        writes.append(Write("cancel", order, writes[-1].city))
    return writes


def item_of(order: Order) -> dict[str, Any]:
    """The order as the table holds it when it is placed."""
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in order.lines]
    return {
        "order_id": order.order_id,
        "status": "PLACED",
        "city": order.city,
        "lines": lines,
    }


def stock_after(day: Day) -> dict[str, int]:
    """Units left of each article: what was there, less the orders placed and not cancelled."""
    left = Counter(dict(day.stock))
    for write in day.writes:
        for sku, quantity in write.order.lines:
            if write.action == "place":
                left[sku] -= quantity
            elif write.action == "cancel":
                left[sku] += quantity
    return dict(left)


def histories_of(day: Day) -> dict[str, list[tuple[str, str]]]:
    """Status and city of each order after each of its writes: `[("PLACED", "Graz"), ...]`."""
    found: dict[str, list[tuple[str, str]]] = {}
    for write in day.writes:
        status = "CANCELLED" if write.action == "cancel" else "PLACED"
        found.setdefault(write.order.order_id, []).append((status, write.city))
    return found


def units(day: Day, action: Action) -> int:
    """Units of all articles in the writes of one action: 1709 units ordered."""
    writes = [write for write in day.writes if write.action == action]
    return sum(quantity for write in writes for _, quantity in write.order.lines)
