"""A queue of records as counts: pieces `(count, first, last)`, evenly between two numbers."""

from __future__ import annotations

import math
from collections import deque
from typing import TypeAlias

__all__ = ["Pieces", "count_before", "moved", "take"]

Pieces: TypeAlias = "deque[tuple[int, float, float]]"


def take(pieces: Pieces, count: int) -> Pieces:
    """Take so many records from the front of a queue."""
    taken: Pieces = deque()
    left = count
    while left:
        n, first, last = pieces.popleft()
        if n <= left:
            left -= n
            taken.append((n, first, last))
            continue
        step = (last - first) / (n - 1)
        taken.append((left, first, first + step * (left - 1)))
        pieces.appendleft((n - left, first + step * left, last))
        left = 0
    return taken


def moved(pieces: Pieces, advance: int) -> Pieces:
    """Return a queue of as many records, so many numbers later."""
    return deque((n, first + advance, last + advance) for n, first, last in pieces)


def count_before(pieces: Pieces, number: int) -> int:
    """Return how many records at the front of a queue have lower numbers."""
    count = 0
    for n, first, last in pieces:
        if last < number:
            count += n
            continue
        if first < number:
            count += math.ceil((number - first) / (last - first) * (n - 1))
        break
    return count
