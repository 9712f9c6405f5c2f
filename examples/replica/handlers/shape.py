"""What stands for an order in the replica: the order under its customer, once it is placed."""

from __future__ import annotations

from typing import Any


def shape(order: dict[str, Any]) -> dict[str, Any] | None:
    """Make the target's item of an order; a draft has none."""
    if order["status"] == "DRAFT":
        return None
    return {
        "customer": order["customer"],
        "order_id": order["order_id"],
        "status": order["status"],
        "total": order["total"],
    }
