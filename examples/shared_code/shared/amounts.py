"""Amounts of money as people read them."""

from __future__ import annotations

from decimal import Decimal


def amount(value: Decimal) -> str:
    """Return an amount with two decimal places: `amount(Decimal("9.9"))` is `"9.90 EUR"`."""
    return f"{value:.2f} EUR"
