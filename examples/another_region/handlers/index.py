"""Keeps a search index up to date; here it prints what it would index."""

from __future__ import annotations

from lambda_runtime import Insert, Modify, Router

on = Router()


@on.insert
@on.modify
def written(change: Insert | Modify) -> None:
    """Index an order as it is now."""
    print(f"Order {change.keys['order_id']} is {change.new['status']}")


handler = on.handler
