"""Pays back each order that is cancelled."""

from __future__ import annotations

from lambda_runtime import Modify, Router
from shared.amounts import amount

on = Router()


@on.modify
def cancelled(change: Modify) -> None:
    """Print the refund; the function's log stands for the payment."""
    print(f"Order {change.keys['order_id']}: {amount(change.new['total'])} paid back")


handler = on.handler
