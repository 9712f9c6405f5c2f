"""Where each shard of each consumer stands, on disk, so that `kill -9` loses nothing.

A position is written after its records are dealt with (handled, filtered, or in a failure record),
so a driver that dies in between deals with them once more: at least once, never a gap.

SQLite's write-ahead log makes each write one append. It is not flushed to the disk each time: the
death of the process loses nothing then, a power cut may lose the last moments, which repeats their
records and skips none.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["Position", "PositionStore"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS position (
    consumer TEXT NOT NULL,
    stream TEXT NOT NULL,
    shard TEXT NOT NULL,
    number TEXT,
    done INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (consumer, stream, shard)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS beginning (
    consumer TEXT NOT NULL,
    stream TEXT NOT NULL,
    since_s REAL NOT NULL,
    PRIMARY KEY (consumer, stream)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a shard is dealt with.

    `number` is the sequence number of the last record dealt with, None before the first. `done`:
    the shard is closed and every record of it is dealt with, so its children may be read.
    """

    number: str | None = None
    done: bool = False


class PositionStore:
    """The positions in one SQLite file; safe to call from several threads.

    A consumer's positions count for one stream only: a table that is made again has another stream
    ARN, and is read from its start.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        # Autocommit: each statement is a transaction of its own.
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def began(self, consumer: str, stream_arn: str, now_s: float) -> float:
        """Return when the consumer first read this stream, in epoch seconds: now, if never yet.

        A shard without a position is read from this moment by a consumer that starts at `LATEST`,
        however often its driver is started again.
        """
        key = (consumer, stream_arn)
        with self._lock:
            self._database.execute(
                "INSERT OR IGNORE INTO beginning VALUES (?, ?, ?)", (*key, now_s)
            )
            row = self._database.execute(
                "SELECT since_s FROM beginning WHERE consumer=? AND stream=?", key
            ).fetchone()
        since_s: float = row[0]
        return since_s

    def load(self, consumer: str, stream_arn: str) -> dict[str, Position]:
        """Return the position of each shard that has one."""
        with self._lock:
            rows = self._database.execute(
                "SELECT shard, number, done FROM position WHERE consumer=? AND stream=?",
                (consumer, stream_arn),
            ).fetchall()
        return {shard: Position(number, bool(done)) for shard, number, done in rows}

    def save(self, consumer: str, stream_arn: str, shard_id: str, position: Position) -> None:
        """Keep the position; when this returns, the death of the process does not lose it."""
        row = (consumer, stream_arn, shard_id, position.number, position.done)
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?, ?)", row)
