"""Numbers as the commands print them."""

from __future__ import annotations

from datetime import timedelta

__all__ = ["counted", "seconds_or_none"]


def counted(number: int, what: str) -> str:
    """Return a number with the noun that it counts: `1 record`, `2,000 records`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def seconds_or_none(length: timedelta | None) -> float | None:
    """Return a length of time in seconds; None, which JSON has as null, for none."""
    return None if length is None else length.total_seconds()
