"""What is as good as random: the lane of an item, and which calls fail; the same each time."""

from __future__ import annotations

from typing import Final

__all__ = ["fails", "lane_of"]

_MASK: Final = 0xFFFFFFFFFFFFFFFF


def lane_of(number: int, lanes: int, seed: int) -> int:
    """Return the lane of a record: as good as random, and the same each time it is asked."""
    return _mixed(number + seed) % lanes


def fails(first: int, count: int, failures: int, share: float) -> bool:
    """Whether a call fails, by its first record, its count and how often it has failed."""
    return share > 0 and _mixed(_mixed(first) + _mixed(count) + failures) < share * (_MASK + 1)


def _mixed(number: int) -> int:
    """Return a number's 64 bits mixed, as good as random."""
    mixed = (number + 1) * 0x9E3779B97F4A7C15 & _MASK
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    return mixed ^ mixed >> 31
