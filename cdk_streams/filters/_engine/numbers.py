"""Numbers as patterns compare them: by value, and only those that a double holds exactly.

`300`, `300.0` and `3e2` are one number. One with more digits than a double keeps (an account id of
20 digits, say) is not compared by value at all: it equals only a number of the same text, and no
range or `anything-but` sees it as a number.
"""

from __future__ import annotations

import math
from decimal import Decimal

__all__ = ["comparable", "exact_double", "number_text"]

_EXACT_INTEGERS = 2**53


def exact_double(number: str | int | Decimal) -> float | None:
    """The double whose shortest text is this number, or None when there is none."""
    try:
        exact = Decimal(number)
        double = float(exact)
    except (ArithmeticError, ValueError):
        return None
    if not math.isfinite(double) or Decimal(repr(double)) != exact:
        return None
    return double


def comparable(value: object) -> float | None:
    """A value of a record as a number, or None for text, true, false, null and inexact numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if -_EXACT_INTEGERS <= value <= _EXACT_INTEGERS else exact_double(value)
    return exact_double(value) if isinstance(value, Decimal) else None


def number_text(value: object) -> str | None:
    """The text of a number of a record, None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(Decimal(value))  # str(value) refuses integers of more than 4,300 digits.
    return str(value) if isinstance(value, float | Decimal) else None
