"""What a function's process prints, line by line, each under the request that printed it."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["LogLine", "LogPipe"]

_CHUNK_BYTES = 65536
_LOOK_FOR_THE_END_S = 0.1


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a function's output; `request_id` is "" outside invocations (while importing)."""

    function: str
    request_id: str
    text: str


class LogPipe:
    """Reads a process's output as it comes; a second reader empties the pipe at the answer.

    A runtime flushes its lines before it posts its answer, so when the answer is here the lines are
    in the pipe: `finish` reads them itself instead of hoping that the reading thread was faster.
    """

    def __init__(self, descriptor: int, function: str, sink: Callable[[LogLine], None]) -> None:
        self._descriptor = descriptor
        self._function = function
        self._sink = sink
        self._lock = threading.Lock()
        self._partial = b""
        self._request_id = ""
        self._lines: list[str] = []
        self._closed = False
        os.set_blocking(descriptor, False)
        self._thread = threading.Thread(target=self._follow, name="function-logs", daemon=True)
        self._thread.start()

    def begin(self, request_id: str) -> None:
        """Count what is printed from now on to the invocation `request_id`."""
        with self._lock:
            self._drain()
            self._request_id = request_id

    def finish(self) -> tuple[str, ...]:
        """Return all lines since the last `finish`, an unfinished one too."""
        with self._lock:
            self._drain()
            self._emit_partial()
            lines, self._lines = tuple(self._lines), []
            self._request_id = ""
            return lines

    def close(self) -> None:
        """Read what is left and stop reading; the owner of the descriptor closes it."""
        self._closed = True
        self._thread.join()
        self.finish()

    def _follow(self) -> None:
        open_ended = True
        while open_ended and not self._closed:
            ready, _, _ = select.select([self._descriptor], [], [], _LOOK_FOR_THE_END_S)
            if ready:
                with self._lock:
                    open_ended = self._drain()

    def _drain(self) -> bool:
        """Read all that is there; False at the end of the output."""
        while True:
            try:
                chunk = os.read(self._descriptor, _CHUNK_BYTES)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            *lines, self._partial = (self._partial + chunk).split(b"\n")
            for line in lines:
                self._emit(line)

    def _emit_partial(self) -> None:
        if self._partial:
            self._emit(self._partial)
            self._partial = b""

    def _emit(self, line: bytes) -> None:
        # The runtime writes a stack trace as one line with carriage returns between its parts.
        for text in line.decode("utf-8", "replace").rstrip("\r").split("\r"):
            self._lines.append(text)
            self._sink(LogLine(self._function, self._request_id, text))
