"""Run the tests; with `--all` the slow ones too.

Those that start servers mostly wait, so they run beside the others, and are shown last.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from types import FrameType
from typing import IO

NO_TESTS = 5  # pytest's answer when a selection, such as PYTEST_ADDOPTS="-k x", leaves none


def main() -> int:
    """Run both halves at once; 0 when both passed."""
    with tempfile.TemporaryFile() as shown:
        speed = "" if "--all" in sys.argv[1:] else " and not slow"
        servers = _pytest(f"e2e{speed}", shown)
        others = _pytest(f"not e2e{speed}", None)

        def stop(_number: int, _frame: FrameType | None) -> None:
            # As Ctrl-C does, which a terminal sends to all three: tests stop what they started.
            for each in (servers, others):
                each.send_signal(signal.SIGINT)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, lambda _number, _frame: None)
        answers = {others.wait(), servers.wait()}
        shown.seek(0)
        sys.stdout.buffer.write(shown.read())
    return int(not answers <= {0, NO_TESTS} or answers == {NO_TESTS})


def _pytest(marked: str, output: IO[bytes] | None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "-m", marked]
    return subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603 - our own words


if __name__ == "__main__":
    sys.exit(main())
