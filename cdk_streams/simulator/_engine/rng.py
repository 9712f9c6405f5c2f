"""Chance that is the same on every machine and every Python: the same seed, the same rng."""

from __future__ import annotations

import random
from collections.abc import MutableSequence, Sequence
from hashlib import blake2b
from typing import TypeVar

__all__ = ["Rng"]

_T = TypeVar("_T")


class Rng:
    """A stream of draws for one purpose, told apart from others of the same seed by its name.

    Each purpose has a stream of its own, so that one more draw in one place does not change what
    happens in another. Only `Random.random` is used: it is the one method whose answers Python
    promises to keep from version to version.
    """

    __slots__ = ("_next",)

    def __init__(self, seed: int | str, purpose: str) -> None:
        digest = blake2b(f"{seed} {purpose}".encode(), digest_size=8).digest()
        # Not for secrets: what is wanted here is that anybody can draw the same again.
        self._next = random.Random(int.from_bytes(digest, "big")).random  # noqa: S311 - a reproducible draw, no secret

    def chance(self, probability: float) -> bool:
        """Return True this often: 0 is never, 1 is always. It draws in either case."""
        return self._next() < probability

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` up to `high`, evenly."""
        return low + (high - low) * self._next()

    def integer(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self._next() * (high - low + 1))

    def choice(self, options: Sequence[_T]) -> _T:
        """Return one of the options; a set has no order to draw from, so sort it first."""
        return options[int(self._next() * len(options))]

    def shuffle(self, items: MutableSequence[_T]) -> None:
        """Put the items into another order, in place."""
        for last in range(len(items) - 1, 0, -1):
            other = self.integer(0, last)
            items[last], items[other] = items[other], items[last]
