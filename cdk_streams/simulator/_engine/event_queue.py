"""Virtual time: what is to be done, and when; nothing ever waits."""

from __future__ import annotations

import heapq
from collections.abc import Callable

__all__ = ["EventQueue"]


class EventQueue:
    """Actions in the order of their times, those of one moment in the order they were added.

    Times are whole milliseconds since 1970.
    """

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self._added = 0
        self._actions: list[tuple[int, int, Callable[[], None]]] = []

    def add(self, at_ms: int, action: Callable[[], None]) -> None:
        """Plan the action; a time that has passed means now."""
        self._added += 1
        heapq.heappush(self._actions, (max(at_ms, self.now_ms), self._added, action))

    def next_ms(self) -> int | None:
        """Return when the next action is due; None when nothing is planned."""
        return self._actions[0][0] if self._actions else None

    def step(self) -> None:
        """Take the next action, and the time with it."""
        self.now_ms, _, action = heapq.heappop(self._actions)
        action()
