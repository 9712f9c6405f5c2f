"""Moments and numbers as the texts that AWS writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

__all__ = ["java_double", "milliseconds_text", "s3_folder", "seconds_text"]

_PLAIN_FROM: Final = 1e-3
_PLAIN_BELOW: Final = 1e7


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def seconds_text(at_ms: int) -> str:
    """`2026-09-17T14:14:26Z`: whole seconds, cut, not rounded."""
    return _moment(at_ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds_text(at_ms: int) -> str:
    """`2026-09-17T14:14:26.735Z`."""
    return f"{_moment(at_ms):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def s3_folder(at_ms: int) -> str:
    """`2026/09/17/2026-09-17T14.14.26`: the dated part of a failure record's S3 key."""
    return _moment(at_ms).strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S")


def java_double(number: float) -> str:
    """`1.78965166E9`: a number as Java's `Double.toString` writes it.

    The payload of an S3 failure record was encoded so; its `ApproximateCreationDateTime` is such a
    number. Java writes plain decimals from 10⁻³ up to 10⁷ and an exponent beyond.
    """
    text = repr(float(number))
    if number == 0 or _PLAIN_FROM <= abs(number) < _PLAIN_BELOW:
        return text
    sign = "-" if number < 0 else ""
    mantissa, _, power = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    # repr switches to an exponent later than Java does, so the digits may still stand plain.
    digits = whole + ("" if fraction == "0" else fraction)
    exponent = int(power or 0) + len(whole) - 1
    stripped = digits.lstrip("0")
    exponent -= len(digits) - len(stripped)
    stripped = stripped.rstrip("0") or "0"
    return f"{sign}{stripped[0]}.{stripped[1:] or '0'}E{exponent}"
