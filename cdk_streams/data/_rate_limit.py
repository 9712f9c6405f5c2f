"""A limit of items a second, shared by the threads of one run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cdk_streams.errors import SettingsError

__all__ = ["RateLimit"]


class RateLimit:
    """Lets items through at a steady rate; a burst is at most one second's worth.

    Args:
        items_per_s: Items a second, above 0; None lets everything through.
        clock: Seconds, never going back.
        sleep: Waits for so many seconds.

    """

    def __init__(
        self,
        items_per_s: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if items_per_s is not None and not items_per_s > 0:
            raise SettingsError(f"the rate must be above 0 items a second, got {items_per_s!r}")
        self._rate = items_per_s
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._free_at_s = clock()

    def take(self, items: int) -> None:
        """Wait until so many items may pass."""
        if self._rate is None:
            return
        with self._lock:
            now = self._clock()
            # What was not used is lost, but for one second's worth.
            begin = max(self._free_at_s, now - 1)
            self._free_at_s = begin + items / self._rate
            wait_s = begin - now
        if wait_s > 0:
            self._sleep(wait_s)
