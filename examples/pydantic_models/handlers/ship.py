"""Ships each new order; an order that does not fit the model is rejected and not retried."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field

from lambda_runtime import Insert, ModelError, Reject, Router

on = Router()


class Line(BaseModel):
    """A line of an order."""

    sku: str
    count: int = Field(ge=1)


class Order(BaseModel):
    """An order as the table has it."""

    order_id: str
    total: Decimal = Field(ge=0)
    lines: list[Line] = Field(min_length=1)


@on.insert
def placed(change: Insert) -> None:
    """Print what is shipped; a wrong order stays wrong on every retry, so it is rejected."""
    try:
        order = change.new.to(Order)
    except ModelError as error:
        raise Reject(str(error)) from error
    for line in order.lines:
        print(f"Order {order.order_id}: {line.count} of {line.sku}")


handler = on.handler
