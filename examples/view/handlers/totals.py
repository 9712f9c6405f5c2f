"""What is kept of the orders: for each customer how many there are, and what they come to."""

from __future__ import annotations

from lambda_runtime.views import Count, Sum, View

view = View(
    group_by="customer",
    where=lambda order: order["status"] != "CANCELLED",
    orders=Count(),
    paid=Count(lambda order: order["status"] == "PAID"),
    total=Sum("total"),
)
