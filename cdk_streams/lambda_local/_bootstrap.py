"""The first lines that run inside a function's process; run as a script, never imported.

    python -S _bootstrap.py audit.handler

Two things differ from plain `python -m awslambdaric`, and both are about not leaving processes
behind: a thread waits for the end of standard input, which the driver holds open, and ends the
process when the driver is gone, `kill -9` included; and the handler's own standard input is empty,
as it is on Lambda.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

__all__: list[str] = []


def _end_with(driver: int) -> None:
    """Wait until the other end of the pipe `driver` is closed, then end this process."""
    while os.read(driver, 4096):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def _run(handler: str) -> None:
    driver = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    threading.Thread(target=_end_with, args=(driver,), name="driver-watch", daemon=True).start()
    # Python put this script's folder first; Lambda puts the function's own folder there.
    sys.path[0] = os.getcwd()  # noqa: PTH109 - pathlib would be imported for this one line
    # Found on the path set just above; the client has no type information.
    from awslambdaric.__main__ import main  # type: ignore[import-untyped]  # noqa: PLC0415 - in the function's own process only

    main(["awslambdaric", handler])


if __name__ == "__main__":
    _run(sys.argv[1])
