"""Matchers of texts: begins with, ends with, the same but for case, wildcards.

Each function takes what a pattern says and gives the matcher of one value of a record. Only
texts can pass: a number, true, false or null never begins or ends with anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from cdk_streams.errors import FilterError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Matcher",
    "begins_with",
    "begins_with_any_case",
    "ends_with",
    "ends_with_any_case",
    "equals_any_case",
    "wildcard",
]

Matcher: TypeAlias = "Callable[[object], bool]"
"""Whether one value of a record (text, number, true, false or null) passes."""

_BEYOND_16_BITS = "\uffff"


def begins_with(prefix: str) -> Matcher:
    """Pass texts that begin with `prefix`; every text begins with the empty one."""
    return lambda value: isinstance(value, str) and value.startswith(prefix)


def ends_with(suffix: str) -> Matcher:
    """Pass texts that end with `suffix`."""
    return lambda value: isinstance(value, str) and value.endswith(suffix)


def equals_any_case(text: str) -> Matcher:
    """Pass `text` in any mixture of lower and upper case."""
    matches = re.compile(_any_case(text)).fullmatch
    return lambda value: isinstance(value, str) and matches(value) is not None


def begins_with_any_case(prefix: str) -> Matcher:
    """Pass texts that begin with `prefix` in any case."""
    matches = re.compile(_any_case(prefix)).match
    return lambda value: isinstance(value, str) and matches(value) is not None


def ends_with_any_case(suffix: str) -> Matcher:
    """Pass texts that end with `suffix` in any case."""
    search = re.compile(_any_case(suffix) + r"\Z").search
    return lambda value: isinstance(value, str) and search(value) is not None


def wildcard(text: str, where: str) -> Matcher:
    r"""Pass texts of this form: `*` is any run of characters, `\*` and `\\` are themselves."""
    first, *rest = _between_stars(text, where)
    if not rest:
        return lambda value: value == first
    *middle, last = rest

    def matches(value: object) -> bool:
        if not (isinstance(value, str) and value.startswith(first) and value.endswith(last)):
            return False
        position, end = len(first), len(value) - len(last)
        for part in middle:
            found = value.find(part, position, end)
            if found < 0:
                return False
            position = found + len(part)
        return position <= end

    return matches


def _between_stars(text: str, where: str) -> list[str]:
    parts = [""]
    position = 0
    while position < len(text):
        character, following = text[position], text[position + 1 : position + 2]
        if character == "*" and following == "*":
            raise FilterError(
                f"two wildcards stand together at character {position}; one * is enough",
                where=where,
            )
        if character == "*":
            parts.append("")
        elif character == "\\" and following in ("*", "\\"):
            parts[-1] += following
            position += 1
        elif character == "\\":
            raise FilterError(
                f"a backslash at character {position} escapes neither * nor \\; write it twice",
                where=where,
            )
        else:
            parts[-1] += character
        position += 1
    return parts


def _any_case(text: str) -> str:
    return "".join(map(_either_case, text))


def _either_case(character: str) -> str:
    if character > _BEYOND_16_BITS:
        # The engine folds case by 16-bit units. Half of an emoji has no bytes of its own and
        # becomes a question mark, so such a character matches two of them and never itself.
        return r"\?\?"
    lower, upper = re.escape(character.lower()), re.escape(character.upper())
    return lower if lower == upper else f"(?:{lower}|{upper})"
