"""A pause after failures that pass by themselves: batches end at once, until it is over.

While a database is down, each record that is tried costs its timeout and puts more load on what is
to recover. After some such failures in a row a router therefore tries nothing for a while, and
names the first record of each batch: nothing is lost, nothing is skipped, the order stays.
"""

from __future__ import annotations

import time

from lambda_runtime._batches.processing import Failure
from lambda_runtime.errors import PauseError, RouteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_runtime._batches.processing import ReportFailure, Take

__all__ = ["Pause"]


class Pause:
    """When a router pauses: `Router(pause_on=Pause(ConnectionError, after=3, seconds=30))`.

    A record that all of its routes have handled, or a failure of another kind, begins the count
    again. When the pause is over the next record is tried; one more such failure is the next pause.
    What is counted belongs to one execution environment.

    Args:
        errors: The types of exceptions that pass by themselves, at least one.
        after: How many failures in a row begin a pause; at least 1.
        seconds: How long it lasts, above 0. Every batch that comes meanwhile is an attempt to
            Lambda: give the mapping `retry_attempts=None`, so that age alone discards records.
        clock: Seconds since any moment; a test gives its own.

    Raises:
        RouteError: An argument that is none of these.
    """

    def __init__(
        self,
        *errors: type[Exception],
        after: int = 3,
        seconds: float = 30,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not errors or not all(
            isinstance(each, type) and issubclass(each, Exception) for each in errors
        ):
            raise RouteError(f"Pause takes classes of exceptions such as OSError, got {errors!r}")
        if not isinstance(after, int) or after < 1:
            raise RouteError(f"after must be 1 or more failures, got {after!r}")
        if not isinstance(seconds, int | float) or not seconds > 0:
            raise RouteError(f"seconds must be a number above 0, got {seconds!r}")
        self._errors = errors
        self._after = after
        self._seconds = seconds
        self._clock = clock
        self._failures = 0
        self._until: float | None = None

    def begin(self, records: list[Any]) -> PausedBatch:
        """Start a batch."""
        return PausedBatch(self, records)

    def is_on(self) -> bool:
        """Whether nothing is tried now."""
        return self._until is not None and self._clock() < self._until

    def count(self, error: BaseException | None) -> None:
        """Count a failure, or a success (None)."""
        if not isinstance(error, self._errors):
            self._failures, self._until = 0, None
            return
        self._failures += 1
        if self._failures >= self._after:
            from lambda_runtime._batches.log_lines import log_pause_begins  # noqa: PLC0415 - in a pause only

            self._until = self._clock() + self._seconds
            log_pause_begins(error, self._seconds)


class PausedBatch:
    """One batch of a router with a pause."""

    def __init__(self, pause: Pause, records: list[Any]) -> None:
        self._pause = pause
        self._records = records
        self._failed = False

    def function_of(self, _: str, function: Callable[..., object]) -> Callable[..., object]:
        """Return the function as it is: another route may still fail the same record."""
        return function

    def taking(self, take: Take, *, settles: bool) -> Take:
        """Wrap what takes one record, so that none is tried during a pause.

        A record that is settled then is a success; otherwise, a batch without a failure is.
        """

        def unless_paused(record: Any, position: int) -> Failure | None:
            if not self._pause.is_on():
                failure = take(record, position)
                if failure is None and settles:
                    self._pause.count(None)
                return failure
            from lambda_runtime._batches.log_lines import log_pause  # noqa: PLC0415 - in a pause only

            self._failed = True
            log_pause(self._records, position)
            return Failure(position, PauseError("paused after failures in a row"), None)

        return unless_paused

    def reporting(self, report_failure: ReportFailure) -> ReportFailure:
        """Wrap what reports a failed record, so that it is counted."""

        def counted(failure: Failure) -> Failure | None:
            self._failed = True
            self._pause.count(failure.error)
            return report_failure(failure)

        return counted

    def end(self, _: dict[str, Any] | None) -> None:
        """Count a batch without a failure."""
        if not self._failed:
            self._pause.count(None)
