"""Writes a receipt for each order that is paid."""

from __future__ import annotations

from lambda_runtime import Modify, Router
from shared.amounts import amount

on = Router()


@on.modify
def paid(change: Modify) -> None:
    """Print the receipt; the function's log stands for the mail."""
    print(f"Order {change.keys['order_id']}: {amount(change.new['total'])} received")


handler = on.handler
