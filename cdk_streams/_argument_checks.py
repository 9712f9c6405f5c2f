"""Checks of arguments that several packages share: each returns the value, or raises one sentence.

What they refuse is what Python would take for something else: text for the list of its letters,
True for the number 1, a generator that a first look uses up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from cdk_streams.errors import SourceError

__all__ = ["check_instance", "list_of_names", "number", "whole_number"]


def list_of_names(name: str, given: Any, *, what: str = "names", least: int = 0) -> tuple[str, ...]:
    """Return a list of texts as a tuple; `what` says in the error what they are.

    Raises:
        SourceError: It is one text, no list, has a member that is no text or is empty, or fewer
            members than `least`.

    """
    if isinstance(given, str):
        raise SourceError(
            f"{name} must be a list of {what}, got the text {given!r}; write [{given!r}]"
        )
    if isinstance(given, bytes) or not isinstance(given, Iterable):
        raise SourceError(
            f"{name} must be a list of {what}, got {given!r}; write them as texts in a list"
        )
    members = tuple(given)
    for each in members:
        if not isinstance(each, str) or not each:
            raise SourceError(
                f"{name} must be a list of {what}, got {each!r} among them; write a text that is "
                "not empty"
            )
    if len(members) < least:
        raise SourceError(f"{name} must be a list of {least} or more {what}, got an empty one")
    return members


def whole_number(name: str, given: Any, low: int, high: int | None = None) -> int:
    """Return a whole number from `low` to `high`, both included; None: without an upper limit.

    Raises:
        SourceError: It is out of the range, or no `int`; True and False are none.

    """
    is_one = isinstance(given, int) and not isinstance(given, bool)
    if not is_one or given < low or (high is not None and given > high):
        to = "" if high is None else f" to {high:,}"
        raise SourceError(f"{name} must be a whole number from {low:,}{to}, got {given!r}")
    return int(given)


def number(name: str, given: Any, low: float, high: float) -> float:
    """Return a finite number from `low` to `high`, both included.

    Raises:
        SourceError: It is out of the range, or neither `int` nor `float`; True and False are none.

    """
    is_one = isinstance(given, (int, float)) and not isinstance(given, bool)
    if is_one and low <= given <= high and math.isfinite(given):
        return float(given)
    to = "" if math.isinf(high) else f" to {high:,g}"
    raise SourceError(f"{name} must be a number from {low:g}{to}, got {given!r}")


def check_instance(name: str, given: Any, wanted: type, advice: str) -> None:
    """Refuse what is no instance of a class; `advice` says what to write.

    Raises:
        SourceError: It is of another class, whose name the error shows.

    """
    if not isinstance(given, wanted):
        article = "an" if wanted.__name__[0] in "AEIOU" else "a"
        raise SourceError(
            f"{name} must be {article} {wanted.__name__}, got {type(given).__name__}; {advice}"
        )
