"""What the verbs of an attribute are given, checked, and what denying it leaves."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from cdk_streams.errors import FilterError

if TYPE_CHECKING:
    from cdk_streams.filters._conditions import Value

__all__ = [
    "ABSENT",
    "at_least_one",
    "foldable",
    "or_absent_values",
    "prefix",
    "texts",
    "values_except",
]

ABSENT: Final[Value] = {"exists": False}

_BASE64_GROUP = 3
_LAST_OF_16_BITS = "\uffff"


def at_least_one(verb: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values, of which there must be at least one."""
    if not values:
        raise FilterError(f"{verb} needs at least one value to compare with, got none")
    return values


def texts(verb: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """The values, which must be texts, and at least one."""
    for value in at_least_one(verb, values):
        if not isinstance(value, str):
            raise FilterError(
                f"{verb} compares texts, got {type(value).__name__}; use eq, ne or is_in"
            )
    return values


def foldable(verb: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """The values, which must be texts whose case the engine behind Lambda can fold."""
    for value in texts(verb, values):
        if max(value, default="") > _LAST_OF_16_BITS:
            raise FilterError(
                f"{verb} cannot compare {value!r}: Lambda folds no character beyond U+FFFF; use eq"
            )
    return values


def prefix(value: str | bytes) -> tuple[str, str]:
    """The letter and the text that a value of that type begins with."""
    if isinstance(value, bytes):
        if len(value) % _BASE64_GROUP:
            raise FilterError(
                "begins_with takes bytes in multiples of 3, because Lambda compares base64 text, "
                f"got {len(value)}; use a shorter or a longer prefix"
            )
        return "B", base64.b64encode(value).decode("ascii")
    return "S", texts("begins_with", (value,))[0]


def values_except(letter: str, banned: list[str | bool]) -> tuple[Value, ...]:
    """What is left of a type: `anything-but` cannot deny true and false, so they are listed."""
    if letter == "NULL":
        return ()
    if letter == "BOOL":
        return tuple(value for value in (True, False) if value not in banned)
    return ({"anything-but": list(banned)},)


def or_absent_values(or_absent: bool) -> tuple[Value, ...]:
    """The value that a missing field has, when it is asked for."""
    return (ABSENT,) if or_absent else ()
