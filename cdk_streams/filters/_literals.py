"""Python values as a pattern writes them: DynamoDB's type letter and the text behind it.

| Python          | letter | in a pattern                                      |
|-----------------|--------|---------------------------------------------------|
| `str`           | S      | `"PAID"`                                          |
| `int`, `Decimal`| N      | `"12.5"`: the text that DynamoDB keeps for 12.50  |
| `bytes`         | B      | `"Zm9v"`: base64                                  |
| `bool`          | BOOL   | `true`                                            |
| `None`          | NULL   | `true`                                            |
"""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import TypeAlias

from cdk_streams.errors import FilterError

__all__ = ["LEAF_LETTERS", "SET_LETTERS", "Scalar", "literal"]

Scalar: TypeAlias = str | int | Decimal | bytes | bool | None
"""A Python value that one attribute can equal."""

LEAF_LETTERS = ("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS")
"""The types whose values Lambda sees. A map (M) or a list (L) is only the way to its members."""

SET_LETTERS = {"S": "SS", "N": "NS", "B": "BS"}

_DIGITS = 38
_SMALLEST_EXPONENT, _LARGEST_EXPONENT = -130, 125


def literal(value: Scalar) -> tuple[str, str | bool]:
    """The letter and the literal: `Decimal("12.50")` gives `("N", "12.5")`."""
    match value:
        case None:
            return "NULL", True
        case bool():
            return "BOOL", value
        case str():
            return "S", value
        case int() | Decimal():
            return "N", _number_text(value)
        case bytes() | bytearray():
            return "B", base64.b64encode(value).decode("ascii")
    raise FilterError(f"{_refusal(value)}, got {type(value).__name__}")


def _refusal(value: object) -> str:
    match value:
        case float():
            return "a number must be int or Decimal, as in boto3; write Decimal('12.5')"
        case set() | frozenset():
            return "Lambda cannot compare a whole set; ask for members with contains(member, ...)"
        case dict() | list() | tuple():
            return (
                "Lambda sees only the members of a map or a list; "
                "name one, as in NewImage('address', 'city') or NewImage('lines', EACH, 'sku')"
            )
        case _:
            return "a value must be str, int, Decimal, bytes, bool or None"


def _number_text(number: int | Decimal) -> str:
    # DynamoDB gives a number back without an exponent and without zeros that say nothing.
    exact = Decimal(number)
    if not exact:
        return "0"
    in_range = exact.is_finite() and _SMALLEST_EXPONENT <= exact.adjusted() <= _LARGEST_EXPONENT
    if not in_range or len("".join(map(str, exact.as_tuple().digits)).strip("0")) > _DIGITS:
        raise FilterError(
            f"a number has at most {_DIGITS} digits between 1E-130 and 9.9E+125, got {exact:.50g}"
        )
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
