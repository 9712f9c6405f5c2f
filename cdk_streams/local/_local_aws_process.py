"""The process `local_aws` starts: ministack, for as long as the process that started it lives.

The starter holds the other end of standard input. When that closes, because the starter closed it
or because it died (`kill -9` included), ministack is asked to end, and made to after GRACE_S. The
folder named on the command line is removed last, with whatever ministack left in it.

Run as `python -m cdk_streams.local._local_aws_process /tmp/cdk-streams-x1y2z3`.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
import threading
import time
from importlib import import_module

__all__ = ["GRACE_S"]

GRACE_S = 3.0
"""Seconds ministack has to end by itself; while a custom resource waits, it never does."""


def _end_with(starter: int, folder: str) -> None:
    while os.read(starter, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    shutil.rmtree(folder, ignore_errors=True)
    # The group is this process and the function workers that ministack started.
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _run(folder: str) -> None:
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    starter = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    threading.Thread(target=_end_with, args=(starter, folder), daemon=True).start()
    sys.argv[1:] = []
    import_module("ministack.app").main()


if __name__ == "__main__":
    _run(sys.argv[1])
