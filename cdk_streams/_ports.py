"""Free ports of this machine, and the wait for a started process that is to listen on one."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any

__all__ = ["free_port", "wait_until"]

_LOOK_EVERY_S = 0.05


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens now; another process may take it first."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(
    answers: Callable[[], bool], process: subprocess.Popen[Any], timeout_s: float
) -> bool:
    """Wait until `answers()`; False when the process has ended or the time is up.

    An `OSError` of `answers` counts as no answer yet.
    """
    give_up = time.monotonic() + timeout_s
    while process.poll() is None and time.monotonic() < give_up:
        try:
            if answers():
                return True
        except OSError:
            pass
        time.sleep(_LOOK_EVERY_S)
    return False
