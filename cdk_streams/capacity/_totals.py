"""What is counted while a model runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["Totals"]

_MINUTE_MS: Final = 60_000
_RATES: Final = (
    *("invocations", "failed_calls", "timeouts", "throttles", "reads", "handled", "filtered"),
    *("discarded", "age_exceeded", "trimmed", "called_ms", "waited_ms", "lag_sum_ms"),
)


@dataclass(slots=True)
class Totals:
    """Counts and milliseconds so far; `lags` is the largest lag of each minute."""

    invocations: float = 0
    failed_calls: float = 0
    timeouts: float = 0
    throttles: float = 0
    reads: float = 0
    handled: float = 0
    filtered: float = 0
    discarded: float = 0
    age_exceeded: float = 0
    trimmed: float = 0
    called_ms: float = 0
    waited_ms: float = 0
    lag_sum_ms: float = 0
    most_at_once: int = 0
    most_records: int = 0
    most_lag_ms: float = 0
    most_age_ms: float = 0
    lags: dict[int, float] = field(default_factory=dict)

    def called(self, records: int, length_ms: float, at_once: int) -> None:
        """Count a call that begins."""
        self.invocations += 1
        self.called_ms += length_ms
        self.most_at_once = max(self.most_at_once, at_once)
        self.most_records = max(self.most_records, records)

    def aged(self, age_ms: float) -> None:
        """Note an iterator age."""
        self.most_age_ms = max(self.most_age_ms, age_ms)

    def settled(self, records: int, now_ms: float, oldest_ms: float, middle_ms: float) -> None:
        """Count the records of a call that has succeeded, and how old they are."""
        self.handled += records
        self.lag_sum_ms += records * (now_ms - middle_ms)
        self.lagged(now_ms, now_ms - oldest_ms)

    def lagged(self, now_ms: float, lag_ms: float) -> None:
        """Note a lag at a time."""
        minute = int(now_ms // _MINUTE_MS)
        if lag_ms > self.lags.get(minute, -1):
            self.lags[minute] = lag_ms
        self.most_lag_ms = max(self.most_lag_ms, lag_ms)

    def rates(self) -> dict[str, float]:
        """Return what only grows, to be compared with a later time."""
        return {name: getattr(self, name) for name in _RATES}

    def grow(self, of_each: dict[str, float], records: int) -> None:
        """Count what so many records more add, each the same."""
        for name, value in of_each.items():
            setattr(self, name, getattr(self, name) + value * records)
