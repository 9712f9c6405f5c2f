"""How many writes a table gets over time, and when each record was written."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import Any, Final

from cdk_streams._argument_checks import number
from cdk_streams.errors import SourceError

__all__ = ["Arrivals", "WriteRate"]

_MINUTE_S: Final = 60.0
# Sums of rates are rounded numbers: a record is not lost to the last bit of one.
_ROUNDING: Final = 1e-9
_HALF_MS: Final = 0.499999


class WriteRate:
    """Writes a second over time: each rate holds until the next, the last one until the end.

    WriteRate.constant(1000, hours=24)
    WriteRate.by_minute([(0, 100), (480, 900), (1200, 200)], hours=24)

    Args:
        steps: `(second, writes a second)`, the first at 0, in order.
        seconds: How long the whole lasts, more than the last step's begin.

    Raises:
        SourceError: Steps out of order, or a rate that is negative or no number.

    """

    __slots__ = ("seconds", "steps")

    def __init__(self, steps: Sequence[tuple[float, float]], seconds: float) -> None:
        number("seconds", seconds, 0, math.inf)
        self.steps = _pairs("steps", steps)
        self.seconds = float(seconds)
        _check(self.steps, self.seconds)

    @classmethod
    def constant(cls, per_second: float, *, hours: float = 24) -> WriteRate:
        """Return the same rate for so many hours.

        Raises:
            SourceError: A rate that is negative or no number, or hours that are not above 0.

        """
        number("hours", hours, 0, math.inf)
        return cls([(0, per_second)], hours * 3600)

    @classmethod
    def by_minute(
        cls, minutes: Iterable[tuple[float, float]], *, hours: float | None = None
    ) -> WriteRate:
        """Return rates that begin at minutes: `[(0, 100), (480, 900)]`.

        Left out, `hours` end one step after the last begins, as long as the step before was.
        """
        steps = sorted((minute * _MINUTE_S, rate) for minute, rate in _pairs("minutes", minutes))
        if not steps:
            raise SourceError("the writes must have one rate or more, got none")
        first_s = steps[0][0]
        steps = [(start - first_s, rate) for start, rate in steps]
        last_s = steps[-1][0]
        step_s = last_s - steps[-2][0] if len(steps) > 1 else _MINUTE_S
        return cls(steps, last_s + step_s if hours is None else hours * 3600)

    @property
    def peak(self) -> float:
        """The highest writes a second."""
        return max(rate for _, rate in self.steps)

    @property
    def total(self) -> float:
        """All writes."""
        ends = [start for start, _ in self.steps[1:]] + [self.seconds]
        return sum(
            (end - start) * rate for (start, rate), end in zip(self.steps, ends, strict=True)
        )

    def scaled(self, factor: float) -> WriteRate:
        """Return the rates times a factor, a number from 0."""
        number("factor", factor, 0, math.inf)
        return WriteRate([(start, rate * factor) for start, rate in self.steps], self.seconds)


def _pairs(name: str, given: Any) -> tuple[tuple[float, float], ...]:
    """Return pairs of numbers; SourceError for anything else."""
    try:
        pairs = tuple((start, rate) for start, rate in given)
    except (TypeError, ValueError):
        pairs = None
    if pairs is None or not all(map(_is_number, chain.from_iterable(pairs))):
        raise SourceError(
            f"{name} must be pairs of a time and writes a second, got {given!r:.60}; write "
            "[(0, 100), (480, 900)]"
        )
    return tuple((float(start), float(rate)) for start, rate in pairs)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check(steps: Sequence[tuple[float, float]], seconds: float) -> None:
    starts = [start for start, _ in steps]
    if not steps or starts[0] != 0 or starts != sorted(set(starts)) or not seconds > starts[-1]:
        raise SourceError(
            f"the writes must be steps from second 0 on, in order and before the end, got steps at "
            f"{starts[:5]} and an end at {seconds:g} s"
        )
    for start, rate in steps:
        if not (math.isfinite(rate) and rate >= 0):
            raise SourceError(
                f"writes a second must be a number from 0, got {rate!r} at second {start:g}"
            )


class Arrivals:
    """When each record of one shard was written: evenly within each rate, numbered from 0.

    Times are whole milliseconds since the start.
    """

    __slots__ = ("_numbers", "_rates", "_starts", "total")

    def __init__(self, rate: WriteRate) -> None:
        self._starts = [start * 1000 for start, _ in rate.steps]
        self._rates = [each / 1000 for _, each in rate.steps]
        ends = [*self._starts[1:], rate.seconds * 1000]
        lengths = [end - start for start, end in zip(self._starts, ends, strict=True)]
        counts = [length * each for length, each in zip(lengths, self._rates, strict=True)]
        self._numbers = [0.0, *accumulate(counts)]
        self.total = math.ceil(self._numbers.pop() - _ROUNDING)

    def written_ms(self, number: int) -> float:
        """Return when a record was written; infinity when there is none of that number."""
        if number >= self.total:
            return math.inf
        place = bisect_right(self._numbers, number + _ROUNDING) - 1
        rate = self._rates[place]
        if rate == 0:
            return math.inf
        return round(self._starts[place] + (number - self._numbers[place]) / rate)

    def count(self, at_ms: float) -> int:
        """Return how many records were written up to a time."""
        place = bisect_right(self._starts, at_ms + _HALF_MS) - 1
        if place < 0:
            return 0
        rate, number = self._rates[place], self._numbers[place]
        if rate == 0:
            written = math.ceil(number - _ROUNDING)
        else:
            passed = at_ms + _HALF_MS - self._starts[place]
            written = math.floor(number + passed * rate + _ROUNDING) + 1
        return min(written, self.total)
