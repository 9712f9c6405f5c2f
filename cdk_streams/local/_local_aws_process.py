"""The process that `local_aws` starts: ministack, for as long as its starter lives.

When the starter closes the pipe to it or dies (`kill -9` included), ministack is asked to end, and
is killed after GRACE_S. The folder named on the command line goes last, with all that is in it.

Run as a script: `_local_aws_process.py /tmp/cdk-streams-x1y2z3`.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
import time
from importlib import import_module

from cdk_streams._lifeline import end_with_starter, kill_marked

__all__ = ["GRACE_S"]

GRACE_S = 3.0
"""Seconds ministack has to end by itself; while a custom resource waits, it never does."""


def _end(folder: str) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    _remove(folder)
    # The group is this process and the function workers that ministack started.
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _remove(folder: str) -> None:
    # A cdk command that outlives its starter would write into the folder again.
    kill_marked(f"TMPDIR={folder}")
    shutil.rmtree(folder, ignore_errors=True)


def _run(folder: str) -> None:
    atexit.register(_remove, folder)
    # Until ministack has a handler of its own: the signal must not end this without `atexit`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    end_with_starter(lambda: _end(folder))
    sys.argv[1:] = []
    import_module("ministack.app").main()


if __name__ == "__main__":
    _run(sys.argv[1])
