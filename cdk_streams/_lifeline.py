"""Processes that end with the process that started them, `kill -9` of the starter included.

The starter holds the other end of their standard input. When it closes, because the starter closed
it or because the starter died, the process ends. As a script, this does it for another program:

    python _lifeline.py java -jar DynamoDBLocal.jar

Functions of any Python version import this file by itself: nothing but the standard library here.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

__all__ = ["end_with_starter", "kill_marked", "kill_with_descendants"]

# The kernel closes what a killed process held one after the other, within microseconds.
_CLOSING_S = 0.05
_KILLING_S = 10.0


def end_with_starter(end: Callable[[], None]) -> Callable[[], None]:
    """Call `end` on a thread when standard input closes, which reads as empty from now on.

    Return a function to call before the process ends by itself: where the starter is gone, it
    waits for `end`. A process that loses its connection to a starter that died may notice that
    first, and would leave behind what `end` was to kill.
    """
    starter = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)

    def wait() -> None:
        while os.read(starter, 4096):
            pass
        end()

    thread = threading.Thread(target=wait, name="lifeline", daemon=True)
    thread.start()

    def leave() -> None:
        if select.select([starter], [], [], _CLOSING_S)[0]:
            thread.join(_KILLING_S)

    return leave


def kill_with_descendants(group: int, mark: str) -> None:
    """Kill a process group, and on Linux also each process whose environment holds `mark`.

    A process that starts a session of its own leaves the group, and its parents may be gone; it
    keeps the environment that it started with. `mark` is `NAME=value`, unique to one process. The
    calling process, when it carries the mark itself, is killed last.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(0) != group:
            os.killpg(group, signal.SIGKILL)
    kill_marked(mark)
    if os.getpgid(0) == group:
        os.killpg(group, signal.SIGKILL)


def kill_marked(mark: str) -> None:
    """Kill each other process whose environment holds `mark`, `NAME=value`; on Linux alone."""
    for process in _marked(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _marked(mark: str) -> list[int]:
    """Return the other processes of this user that were started with a variable."""
    try:
        processes = [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208 - pathlib is not imported in a function's process
    except OSError:
        return []
    found = []
    for process in processes:
        try:
            with open(f"/proc/{process}/environ", "rb") as environment:  # noqa: PTH123 - the same
                variables = environment.read().split(b"\0")
        except OSError:  # It has ended, or is another user's.
            continue
        if process != os.getpid() and mark.encode() in variables:
            found.append(process)
    return found


def _supervise(command: list[str]) -> int:
    """Run a program until it ends, or until the starter of this process is gone."""
    end_with_starter(lambda: os.killpg(os.getpgid(0), signal.SIGKILL))
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 - the starter's command


if __name__ == "__main__":
    sys.exit(_supervise(sys.argv[1:]))
