"""What AWS charges for a consumer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

__all__ = ["PRICES", "Prices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices in US dollars, without free tier and discounts.

    https://aws.amazon.com/lambda/pricing/. Lambda's reads of a DynamoDB stream are free of charge.

    Args:
        per_million_requests: For a million invocations.
        per_gb_second: For a second of a function with 1,024 MB.
        region: Where they hold.
        as_of: When they did.

    """

    per_million_requests: float = 0.20
    per_gb_second: float = 0.0000166667
    region: str = "us-east-1"
    as_of: date = date(2026, 6, 18)

    def cost(self, invocations: float, gb_seconds: float) -> float:
        """Return what so many invocations and GB-seconds cost."""
        return invocations * self.per_million_requests / 1_000_000 + gb_seconds * self.per_gb_second


PRICES: Final = Prices()
"""Prices of x86 functions in us-east-1; pass others to replace them."""
