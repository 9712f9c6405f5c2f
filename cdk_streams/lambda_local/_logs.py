"""What a function's process prints, line by line, each under the request that printed it."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["LineBuffer", "LogLine", "LogPipe"]

_CHUNK_BYTES = 65536
_LOOK_FOR_THE_END_S = 0.1
# How the runtime client begins its report of an error; a logger's own line has a tab there.
_ERROR_REPORT = "[ERROR] "


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a function's output; `request_id` is "" outside invocations (while importing).

    `is_error_report`: the runtime client printed it about an error that the invocation's response
    holds too.
    """

    function: str
    request_id: str
    text: str
    is_error_report: bool = False


class LineBuffer:
    """Cuts chunks of output into lines; the `pieces` of a line are joined once, when it ends."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def add(self, chunk: bytes) -> list[bytes]:
        """Return the lines that end in this chunk."""
        first, *others = chunk.split(b"\n")
        if not others:
            self.pieces.append(chunk)
            return []
        line, self.pieces = b"".join([*self.pieces, first]), [others[-1]] if others[-1] else []
        return [line, *others[:-1]]

    def rest(self) -> bytes:
        """Return and forget the line that has not ended yet."""
        line, self.pieces = b"".join(self.pieces), []
        return line


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
        self._buffer = LineBuffer()
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
            if rest := self._buffer.rest():
                self._emit(rest)
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
            for line in self._buffer.add(chunk):
                self._emit(line)

    def _emit(self, line: bytes) -> None:
        # The runtime writes a stack trace as one line with carriage returns between its parts.
        parts = line.decode("utf-8", "replace").rstrip("\r").split("\r")
        is_report = parts[0].startswith(_ERROR_REPORT)
        for text in parts:
            self._lines.append(text)
            self._sink(LogLine(self._function, self._request_id, text, is_report))
