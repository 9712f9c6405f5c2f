"""Kinds of settings that hold one value: whole numbers, durations, switches, choices, references.

Each function makes the declaration of a setting. Its check turns what Lambda refuses into a
sentence: the name, the range, what was given, and what to do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeAlias, get_args

from cdk_streams.mapping._setting import Setting

__all__ = [
    "Reference",
    "Seconds",
    "StartingPosition",
    "check_switch",
    "count",
    "count_faults",
    "duration",
    "in_seconds",
    "key",
    "shown",
    "start",
    "switch",
]

# CDK's number tokens reach Python as floats near -1.9e289.
_NUMBER_TOKENS_BELOW = -1e280


class SupportsSeconds(Protocol):
    """A duration of another library, such as `aws_cdk.Duration`."""

    def to_seconds(self, *, integral: bool = True) -> float:
        """Return the length in seconds; a fraction of one is an error unless `integral` is off."""
        ...


Seconds: TypeAlias = "timedelta | float | SupportsSeconds"
"""A duration as the settings accept it: `timedelta`, seconds, or CDK's `Duration`."""
Reference: TypeAlias = "str | Mapping[str, Any]"
"""An ARN, or a reference to one in a template, such as `{"Fn::GetAtt": ["Queue", "Arn"]}`."""
StartingPosition: TypeAlias = Literal["TRIM_HORIZON", "LATEST"]
"""Where a mapping begins to read: at the oldest record kept, or at the end of the stream."""


def count(
    prop: str,
    low: int,
    high: int,
    unit: str,
    *,
    default: int,
    none: int | None = None,
    always: bool = False,
) -> Setting[int, Any]:
    """Declare a whole number, `low` to `high` inclusive; `none` is what None stands for."""

    def check(name: str, value: Any, faults: list[str]) -> Any:
        number = none if value is None else value
        faults += count_faults(name, number, (low, high), unit)
        return number

    return Setting(prop=prop, default=default, check=check, read=_number, always=always)


def count_faults(name: str, value: Any, limits: tuple[int, int], unit: str) -> list[str]:
    """Return a sentence for what is no whole number within the limits, both included."""
    low, high = limits
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return []
    return [f"{name} must be {low} to {high:,} {unit}, got {shown(value)}"]


def duration(
    prop: str, low_s: int, high_s: int, *, off_s: int | None = None, off_means: str = ""
) -> Setting[Any, Any]:
    """Declare a duration of whole seconds, kept as `timedelta`, `low_s` to `high_s` inclusive.

    A duration that can be off is None then; `off_s` is how Lambda writes that, `off_means` says
    it to people. One that cannot is 0 by default.
    """
    off = None if off_s is not None else timedelta(0)
    what = f" (None: {off_means})" if off_means else ""

    def check(name: str, value: Any, faults: list[str]) -> Any:
        seconds = in_seconds(value)
        number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        if value is None or (number and seconds == off_s):
            return off
        if number and low_s <= seconds <= high_s and seconds == int(seconds):
            return timedelta(seconds=int(seconds))
        faults.append(
            f"{name} must be {low_s} to {high_s:,} whole seconds{what}, got {shown(seconds)}"
        )
        return off

    return Setting(prop=prop, default=off, check=check, write=_seconds, read=_number)


def switch(prop: str, *, default: bool = False) -> Setting[bool, bool]:
    """Declare a switch: True or False."""
    return Setting(prop=prop, default=default, check=check_switch, read=_truth)


def check_switch(name: str, value: Any, faults: list[str]) -> Any:
    """Refuse what is neither True nor False, numbers too."""
    if not isinstance(value, bool):
        faults.append(f"{name} must be True or False, got {shown(value)}")
    return value


def start(prop: str) -> Setting[StartingPosition, StartingPosition]:
    """Declare where a mapping begins to read; a template must say it."""

    def check(name: str, value: Any, faults: list[str]) -> Any:
        if value not in get_args(StartingPosition):
            hint = "; a DynamoDB stream cannot start at a time" if value == "AT_TIMESTAMP" else ""
            faults.append(f"{name} must be TRIM_HORIZON or LATEST, got {value!r}{hint}")
        return value

    return Setting(prop=prop, default="TRIM_HORIZON", check=check, read=_unchanged, always=True)


def key(prop: str, *, api: str) -> Setting[Reference | None, Reference | None]:
    """Declare the ARN of a KMS key, or the template's reference to one."""

    def check(name: str, value: Any, faults: list[str]) -> Any:
        if value is not None and not isinstance(value, (str, Mapping)):
            faults.append(f"{name} must be the ARN of a key, got {shown(value)}")
        return value

    return Setting(prop=prop, api=api, default=None, check=check, read=_or_none)


def in_seconds(value: Any) -> Any:
    """Return a duration in seconds, fraction included.

    Takes a `timedelta`, CDK's `Duration` or a number of seconds. What is none of them is returned
    as it is, so that a check can show it.
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    if hasattr(value, "to_seconds") and not isinstance(value, type):
        return value.to_seconds(integral=False)
    return value


def shown(value: Any) -> str:
    """Return how an error shows a value; a CDK token is named as one, not shown."""
    if (isinstance(value, float) and value < _NUMBER_TOKENS_BELOW) or (
        isinstance(value, str) and "${Token[" in value
    ):
        return "a CDK token (known only at deploy time); pass a plain value"
    if isinstance(value, Mapping):
        return f"the reference {json.dumps(value, default=repr)}; resolve it to a plain value first"
    return repr(value)


def _seconds(value: timedelta) -> int:
    return int(value.total_seconds())


def _unchanged(value: Any, _faults: list[str]) -> Any:
    return value


def _or_none(value: Any, _faults: list[str]) -> Any:
    return value or None


def _number(value: Any, _faults: list[str]) -> Any:
    """Return a template's `"100"` as 100; anything else stays."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    return value


def _truth(value: Any, _faults: list[str]) -> Any:
    """Return a template's `"true"` as True; anything else stays."""
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return value
