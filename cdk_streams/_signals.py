"""Signals that end a program which has started other processes: Ctrl-C, `kill`, a closed terminal.

    with exit_on_signals(), local_aws() as aws:
        ...

Python turns only Ctrl-C into an exception, so `kill` would end the program with no `finally` run.
A second Ctrl-C would interrupt the cleanup: `ignore_signals` is for that part.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["exit_on_signals", "ignore_signals"]

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def exit_on_signals() -> Iterator[None]:
    """Leave the block by `SystemExit` on Ctrl-C (130), hang-up (129) and `kill` (143).

    Must be entered in the main thread, where Python handles signals.
    """
    before = {number: signal.signal(number, _leave) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def ignore_signals() -> Iterator[None]:
    """Ignore those signals within the block; in another thread than the main one, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
