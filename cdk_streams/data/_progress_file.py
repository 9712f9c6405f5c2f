"""How far a backfill is, in a file that a `kill -9` leaves whole.

Each part (a segment of the scan, a data file of the export) has one row: where it goes on, whether
it is done, and its counts. A row is written after the items before it are in the target, so a
run that is killed writes some items again, which the guard makes harmless, and skips none.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self

from cdk_streams.errors import SourceError
from lambda_runtime import decode, encode
from lambda_runtime.replication import Counts

__all__ = ["PartProgress", "ProgressFile"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (what TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS part (
    name TEXT PRIMARY KEY, next_key TEXT, done INTEGER NOT NULL,
    read INTEGER NOT NULL, written INTEGER NOT NULL, superseded INTEGER NOT NULL,
    failures TEXT NOT NULL
) WITHOUT ROWID;
"""


class PartProgress(NamedTuple):
    """How far one part is; `next_key` is None at its beginning."""

    next_key: dict[str, Any] | None = None
    is_done: bool = False
    counts: Counts = Counts()


class ProgressFile:
    """The progress of one backfill; safe to call from several threads.

    Args:
        path: The file; None keeps it in memory.
        what: What is copied where, in how many parts. A file of another backfill is refused.

    Raises:
        SourceError: The file is of another backfill, or is none.

    """

    def __init__(self, path: Path | None, what: str) -> None:
        self._lock = threading.Lock()
        self._path = path
        with ExitStack() as on_error:
            try:
                self._database = sqlite3.connect(path or ":memory:", check_same_thread=False)
                on_error.callback(self._database.close)
                self._database.executescript(f"PRAGMA journal_mode=WAL; {_SCHEMA}")
                kept = self._database.execute("SELECT what FROM run").fetchone()
            except sqlite3.DatabaseError as error:
                raise SourceError(
                    f"the progress file must be one of a backfill, got {path}: {error}; name "
                    "another"
                ) from error
            if kept is None:
                with self._database:
                    self._database.execute("INSERT INTO run VALUES (?)", (what,))
            elif kept[0] != what:
                raise SourceError(
                    f"the progress file {path} is of another backfill ({kept[0]}), got {what}; "
                    "name another file, or delete it to begin anew"
                )
            on_error.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def part(self, name: str) -> PartProgress:
        """How far a part is."""
        with self._lock:
            row = self._database.execute("SELECT * FROM part WHERE name = ?", (name,)).fetchone()
        if row is None:
            return PartProgress()
        _, key, done, read, written, superseded, failures = row
        counts = Counts(read, written, superseded, tuple(json.loads(failures)))
        return PartProgress(None if key is None else _from_text(key), bool(done), counts)

    def save(self, name: str, progress: PartProgress) -> None:
        """Keep how far a part is."""
        counts = progress.counts
        key = None if progress.next_key is None else _to_text(progress.next_key)
        row = (name, key, progress.is_done, counts.read, counts.written, counts.superseded)
        with self._lock, self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row, json.dumps(counts.failures)),
            )

    def delete(self) -> None:
        """Remove the file, when its backfill is done with."""
        self._database.close()
        if self._path is not None:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)


def _to_text(key: dict[str, Any]) -> str:
    return json.dumps(encode(decode({"M": key})))


def _from_text(text: str) -> dict[str, Any]:
    made: dict[str, Any] = encode(decode(json.loads(text)), binary="bytes")["M"]
    return made
