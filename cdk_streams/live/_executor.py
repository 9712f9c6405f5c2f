"""What a consumer runs on: a clock, threads for its requests, and the order of their answers.

`Threads` is the real one. `InOrder` is its fake: it runs each task when its answer is asked for,
and its clock stands still until nothing else is left to do.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Protocol, TypeAlias

__all__ = ["Clock", "Follow", "InOrder", "Task", "Threads", "Work", "system_ms"]

# What follows from a task's answer, to be run on the thread that waits for it.
Follow: TypeAlias = Callable[[], None]
Task: TypeAlias = Callable[[], Follow]
Clock: TypeAlias = Callable[[], int]


def system_ms() -> int:
    """Return the system's time in milliseconds since the epoch; it may go back."""
    return time.time_ns() // 1_000_000


class Work(Protocol):
    """Runs tasks beside each other and hands out one by one what follows from them."""

    def now_ms(self) -> int:
        """Return the time in milliseconds since the epoch; it never goes back."""
        ...

    def submit(self, task: Task) -> None:
        """Run `task` soon; what follows comes out of `wait`, its exception too."""
        ...

    def wait(self, until_ms: int | None) -> Follow | None:
        """Return what follows from the next task; None when `until_ms` has come first."""
        ...


class Threads:
    """Real threads, up to `most` of them, and the system's clock made monotonic.

    Another `clock` must run as fast as time does: its moments are waited for. One that is ahead
    makes every record older.
    """

    def __init__(self, most: int, clock: Clock = system_ms) -> None:
        self._clock = clock
        self._follows: SimpleQueue[Follow] = SimpleQueue()
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="consumer")
        self._lock = threading.Lock()
        self._latest_ms = 0

    def now_ms(self) -> int:
        """Return the clock's time; after it went back, the latest time so far."""
        with self._lock:
            self._latest_ms = max(self._latest_ms, self._clock())
            return self._latest_ms

    def submit(self, task: Task) -> None:
        """Run `task` on a free thread."""
        self._pool.submit(self._run, task)

    def post(self, follow: Follow) -> None:
        """Hand out `follow` in its turn, as if a task had led to it."""
        self._follows.put(follow)

    def wait(self, until_ms: int | None) -> Follow | None:
        """Return what follows from the next task; None when `until_ms` has come first."""
        timeout_s = None if until_ms is None else max(0.0, (until_ms - self.now_ms()) / 1000)
        try:
            return self._follows.get(timeout=timeout_s)
        except Empty:
            return None

    def close(self) -> None:
        """Wait for the tasks that run; those that have not begun are dropped."""
        self._pool.shutdown(cancel_futures=True)

    def _run(self, task: Task) -> None:
        try:
            follow = task()
        except BaseException as error:  # noqa: BLE001 - raised again where its answer is awaited
            follow = _raising(error)
        self._follows.put(follow)


class InOrder:
    """Tasks run one after another in the order they came; the clock jumps to what is next."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._tasks: deque[Task] = deque()

    def now_ms(self) -> int:
        """Return the virtual time."""
        return self._now_ms

    def submit(self, task: Task) -> None:
        """Run `task` when `wait` comes to it."""
        self._tasks.append(task)

    def wait(self, until_ms: int | None) -> Follow | None:
        """Run the next task; with none left, let the time pass until `until_ms`."""
        if self._tasks:
            return self._tasks.popleft()()
        if until_ms is not None:
            self._now_ms = max(self._now_ms, until_ms)
        return None


def _raising(error: BaseException) -> Follow:
    def follow() -> None:
        raise error

    return follow
