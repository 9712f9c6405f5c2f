"""The files of a function's entry: a handler's file, or a folder with all that it needs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from cdk_streams.errors import SourceError

__all__ = ["collect"]

_LEFT_OUT: Final = (
    "__pycache__",
    "*.py[cod]",
    ".DS_Store",
    ".git",
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
)


def collect(entry: Path, exclude: Sequence[str] = ()) -> dict[str, bytes]:
    """Return the files of a handler: `{"audit.py": b"…"}` for a file, a folder's tree otherwise.

    `exclude` has shell patterns of file or folder names, such as `"tests"`; caches and what
    version control and editors leave are excluded always. Links are followed.

    Raises:
        SourceError: The entry is not there, is no Python file, or is a folder without files.

    """
    if entry.is_file():
        if entry.suffix != ".py":
            raise SourceError(
                f"entry must be a Python file or a folder, got {str(entry)!r}; "
                "name the .py file that defines the handler"
            )
        return {entry.name: entry.read_bytes()}
    if not entry.is_dir():
        raise SourceError(
            f"entry must be a Python file or a folder, got {str(entry)!r}, which is not there; "
            f"relative paths start at {str(Path.cwd())!r}"
        )
    found = {
        path.relative_to(entry).as_posix(): path.read_bytes()
        for path in _walk(entry, (*_LEFT_OUT, *exclude))
    }
    if not found:
        raise SourceError(f"entry must hold the handler's files, got the empty folder {entry}")
    return found


def _walk(folder: Path, left_out: Sequence[str]) -> Iterator[Path]:
    seen: set[Path] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = Path(root).resolve()
        if real in seen:
            # A link that leads back to a folder above it.
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _matches(name, left_out))
        for name in sorted(files):
            path = Path(root, name)
            if not _matches(name, left_out) and path.is_file():
                yield path


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
