"""The event queue of a simulation: virtual time goes from one planned action to the next."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

__all__ = ["EventQueue"]


class EventQueue:
    """Actions in the order of their times; those of one moment in the order they were added.

    Polls come last at their moment, in the order of their ranks: what is there by then is found,
    and it makes no difference when they were planned. Times are whole milliseconds since 1970;
    nothing ever waits.
    """

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self._added = 0
        self._actions: list[tuple[int, int, int, Callable[..., None], tuple[Any, ...]]] = []

    def add(self, at_ms: int, action: Callable[..., None], *arguments: Any) -> None:
        """Plan `action(*arguments)`; a time that has passed means now."""
        self._added += 1
        heappush(self._actions, (max(at_ms, self.now_ms), 0, self._added, action, arguments))

    def add_poll(self, at_ms: int, rank: int, action: Callable[..., None], *arguments: Any) -> None:
        """Plan a poll, behind everything else at its moment; ranks count from 1."""
        self._added += 1
        heappush(self._actions, (max(at_ms, self.now_ms), rank, self._added, action, arguments))

    def next_ms(self) -> int | None:
        """Return when the next action is due; None when nothing is planned."""
        return self._actions[0][0] if self._actions else None

    def step(self) -> None:
        """Take the next action, and the time with it."""
        self.now_ms, _, _, action, arguments = heappop(self._actions)
        action(*arguments)
