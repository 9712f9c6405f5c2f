"""Changes of an app's source files, as the operating system reports them.

with SourceWatcher(Path(".")) as watcher:
if watcher.take_change():
…
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cdk_streams.errors import ToolError

__all__ = ["SourceWatcher", "is_source"]

# Changes that come within this time are one change.
_DEBOUNCE_MS = 250
_SUFFIXES = {".py", ".json", ".toml", ".txt", ".yaml", ".yml"}
# What the cdk command and Python builds write into an app's folder.
_NOT_SOURCE = {"cdk.out", "build", "dist", "cdk.context.json"}


class SourceWatcher:
    """Watches a folder from the moment it is entered until the block is left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._error: Exception | None = None
        # A thread of its own: watchfiles would turn every signal into a Ctrl-C.
        self._thread = threading.Thread(target=self._watch, name="source-watcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def take_change(self) -> bool:
        """Tell whether a source file has changed since the last time.

        Raises:
            ToolError: The folder cannot be watched.

        """
        if self._error is not None:
            raise ToolError(f"the files of {self._folder} cannot be watched: {self._error}")
        changed = self._changed.is_set()
        self._changed.clear()
        return changed

    def _watch(self) -> None:
        from watchfiles import DefaultFilter, watch  # noqa: PLC0415 - in the extra `local` only

        is_kept, output = DefaultFilter(), _output_files()
        try:
            for _changes in watch(
                self._folder,
                watch_filter=lambda change, path: (
                    is_kept(change, path) and is_source(self._folder, Path(path), output)
                ),
                debounce=_DEBOUNCE_MS,
                stop_event=self._stop,
                raise_interrupt=False,
            ):
                self._changed.set()
        except (OSError, RuntimeError) as error:
            self._error = error


def is_source(folder: Path, path: Path, output: Sequence[tuple[int, int]] = ()) -> bool:
    """Tell whether a changed file below `folder` is source of the app.

    Hidden folders, virtual environments of any name and build results are not; nor is one of the
    files `output`, by device and inode: what this program itself prints, redirected.
    """
    parts = path.relative_to(folder).parts
    if path.suffix not in _SUFFIXES or _NOT_SOURCE.intersection(parts):
        return False
    if any(part.startswith(".") for part in parts):
        return False
    above = [folder.joinpath(*parts[:depth]) for depth in range(1, len(parts))]
    if any((each / "pyvenv.cfg").exists() for each in above):
        return False
    return not output or _identity(path) not in output


def _output_files() -> list[tuple[int, int]]:
    """Return the files into which standard output and standard error are redirected."""
    found = []
    for stream in (sys.stdout, sys.stderr):
        try:
            status = os.fstat(stream.fileno())
        except (OSError, ValueError):  # It is closed, or no file of the system.
            continue
        found.append((status.st_dev, status.st_ino))
    return found


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
