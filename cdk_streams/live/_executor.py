"""Executors of a driver: a clock, and tasks whose continuations come back one at a time.

`ThreadExecutor` is for real runs. `SerialExecutor` is its fake: it runs each task when its
continuation is waited for, and its clock advances only when no task is left.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Protocol, TypeAlias

__all__ = [
    "Clock",
    "Continuation",
    "Executor",
    "SerialExecutor",
    "Task",
    "ThreadExecutor",
    "system_ms",
]

# What a task leaves to be run on the thread that waits for it.
Continuation: TypeAlias = Callable[[], None]
Task: TypeAlias = Callable[[], Continuation]
Clock: TypeAlias = Callable[[], int]


def system_ms() -> int:
    """Return the system's time in milliseconds since the epoch; it may go back."""
    return time.time_ns() // 1_000_000


class Executor(Protocol):
    """Runs tasks concurrently and returns their continuations one at a time."""

    def now_ms(self) -> int:
        """Return the time in milliseconds since the epoch; it never goes back."""
        ...

    def submit(self, task: Task) -> None:
        """Run `task` soon; `wait` returns its continuation, or raises its exception from it."""
        ...

    def wait(self, until_ms: int | None) -> Continuation | None:
        """Return the next continuation; None when `until_ms` comes first."""
        ...


class ThreadExecutor:
    """Real threads, up to `most` of them, and the system's clock made monotonic.

    Another `clock` must run as fast as time does: its moments are waited for. One that is ahead
    makes every record older.
    """

    def __init__(self, most: int, clock: Clock = system_ms) -> None:
        self._clock = clock
        self._continuations: SimpleQueue[Continuation] = SimpleQueue()
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

    def post(self, continuation: Continuation) -> None:
        """Queue `continuation` as if a task had returned it."""
        self._continuations.put(continuation)

    def wait(self, until_ms: int | None) -> Continuation | None:
        """Return the next continuation; None when `until_ms` comes first."""
        timeout_s = None if until_ms is None else max(0.0, (until_ms - self.now_ms()) / 1000)
        try:
            return self._continuations.get(timeout=timeout_s)
        except Empty:
            return None

    def close(self) -> None:
        """Wait for the tasks that run; those that have not begun are dropped."""
        self._pool.shutdown(cancel_futures=True)

    def _run(self, task: Task) -> None:
        try:
            continuation = task()
        except BaseException as error:  # noqa: BLE001 - raised again by the continuation
            continuation = _raising(error)
        self._continuations.put(continuation)


class SerialExecutor:
    """Runs tasks one after another in the order of `submit`, in the thread that waits.

    Its clock is virtual, in milliseconds since 1970: waiting moves it on, and no call sleeps.
    """

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._tasks: deque[Task] = deque()

    def now_ms(self) -> int:
        """Return the virtual time."""
        return self._now_ms

    def submit(self, task: Task) -> None:
        """Queue `task`; `wait` runs it."""
        self._tasks.append(task)

    def wait(self, until_ms: int | None) -> Continuation | None:
        """Run the next task; with none left, advance the clock to `until_ms`."""
        if self._tasks:
            return self._tasks.popleft()()
        if until_ms is not None:
            self._now_ms = max(self._now_ms, until_ms)
        return None


def _raising(error: BaseException) -> Continuation:
    def continuation() -> None:
        raise error

    return continuation
