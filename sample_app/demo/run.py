"""One day in the shop: write every order, and watch the consumers until they have caught up."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sample_app.demo.progress import Consumer, Progress
from sample_app.demo.screen import watching
from sample_app.demo.shop import Audit, Stock, read_audit, read_stock, stock_up, write_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from sample_app.demo.orders import Day
    from sample_app.demo.shop import Shop

__all__ = ["run_day"]

_LOOK_EVERY_S = 0.25
_PATIENCE_S = 20.0
"""Seconds without any change in what the consumers left, after which waiting has no point."""


@dataclass(slots=True)
class _Watch:
    """What is known so far: when each write was made, and what the consumers have left."""

    day: Day
    written_at_s: list[float] = field(default_factory=list)
    stock: Stock = field(default_factory=lambda: Stock({}, {}))
    audit: Audit = field(default_factory=Audit)


def run_day(console: Console, shop: Shop, day: Day) -> tuple[Stock, Audit]:
    """Write the day and wait for both consumers; what they left in the end."""
    stock_up(shop, day)
    watch = _Watch(day)
    with watching(console) as show:
        look_at_s = 0.0
        for write in day.writes:
            write_order(shop, write)
            watch.written_at_s.append(time.monotonic())
            if time.monotonic() >= look_at_s:
                _look(shop, watch, show)
                look_at_s = time.monotonic() + _LOOK_EVERY_S
        _catch_up(shop, watch, show)
    return watch.stock, watch.audit


def _catch_up(shop: Shop, watch: _Watch, show: Callable[[Progress], None]) -> None:
    """Look until everything is handled, or nothing has moved for `_PATIENCE_S`."""
    before, moved_s = (-1, -1), time.monotonic()
    while not _look(shop, watch, show).done and time.monotonic() < moved_s + _PATIENCE_S:
        handled = (watch.stock.handled, len(watch.audit.lines))
        if handled != before:
            before, moved_s = handled, time.monotonic()
        time.sleep(_LOOK_EVERY_S)


def _look(shop: Shop, watch: _Watch, show: Callable[[Progress], None]) -> Progress:
    watch.stock = read_stock(shop)
    read_audit(shop, watch.audit)
    progress = Progress(
        len(watch.written_at_s), len(watch.day.writes), (_inventory(watch), _audit(watch))
    )
    show(progress)
    return progress


def _inventory(watch: _Watch) -> Consumer:
    # Its filters let orders placed and orders cancelled through, and no other change.
    written = zip(watch.written_at_s, watch.day.writes, strict=False)
    due = [at_s for at_s, write in written if write.action != "change"]
    sold = sum(dict(watch.day.stock).values()) - sum(watch.stock.available.values())
    handled = watch.stock.handled
    return Consumer("inventory", len(due), handled, _behind_s(due, handled), f"{sold:,} units sold")


def _audit(watch: _Watch) -> Consumer:
    handled = len(watch.audit.lines)
    did = f"{handled:,} lines, {len(watch.audit.objects):,} objects"
    due = watch.written_at_s
    return Consumer("audit", len(due), handled, _behind_s(due, handled), did)


def _behind_s(due: list[float], handled: int) -> float:
    """Age of the oldest write not handled; the local AWS delivers them in the order written."""
    return time.monotonic() - due[handled] if handled < len(due) else 0.0
