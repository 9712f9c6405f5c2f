"""Tells a customer that an order was paid; called by the event bus with one event."""

from __future__ import annotations

from typing import Any

from lambda_runtime import Modify, parse


def handler(event: dict[str, Any], _context: object) -> list[str]:
    """Return what was told, one sentence for each paid order."""
    told = [
        f"Order {change.keys['order_id']} is paid: {change.new['total']}."
        for change in parse(event)
        if isinstance(change, Modify)
    ]
    print(*told, sep="\n")
    return told
