"""DynamoDB's numbers: 38 digits, from 1E-130 to 9.99…E+125, and the three ways to read them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

from decimal import Clamped, Context, Decimal, Inexact, InvalidOperation, Overflow, Subnormal

__all__ = ["DYNAMODB", "Convert", "Numbers", "converter", "exact"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    Numbers = Literal["decimal", "int", "float"]
    Convert = Callable[[Decimal], Any] | None

# A context of our own keeps the answer independent of the precision and the traps that the
# handler works with. It raises instead of rounding; zeros at the end beyond 38 digits may go.
DYNAMODB = Context(
    prec=38, Emin=-130, Emax=125, traps=[Clamped, Inexact, InvalidOperation, Overflow, Subnormal]
)

# Text, int or Decimal to the same number as a Decimal, or a DecimalException.
exact = DYNAMODB.create_decimal


def converter(numbers: Numbers) -> Convert:
    """Look up what "decimal", "int" or "float" does to an exact number; None leaves it alone."""
    try:
        return _CONVERTERS[numbers]
    except (KeyError, TypeError):
        known = " ".join(_CONVERTERS)
        raise ValueError(f"numbers must be one of {known}, got {numbers!r}") from None


def _whole(number: Decimal) -> int | Decimal:
    # The value decides, not its spelling: 1.0 and 1E+2 are whole.
    return int(number) if number == number.to_integral_value() else number


_CONVERTERS: dict[str, Convert] = {"decimal": None, "int": _whole, "float": float}
