"""Where each shard of each consumer stands, on disk, so that `kill -9` loses nothing.

A position is written after its records are dealt with (handled, filtered, or in a failure record),
so a driver that dies in between deals with them once more: at least once, never a gap.

SQLite's write-ahead log makes each write one append. It is not flushed to the disk each time: the
death of the process loses nothing then, a power cut may lose the last moments, which repeats their
records and skips none. The state of a tumbling window is in its position's row, so that one is
never newer than the other: records that are repeated are not counted twice.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from cdk_streams.poller import OpenWindow

__all__ = ["Position", "PositionStore"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS position (
    consumer TEXT NOT NULL,
    stream TEXT NOT NULL,
    shard TEXT NOT NULL,
    number TEXT,
    done INTEGER NOT NULL DEFAULT 0,
    open_window TEXT,
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
    `window` is the tumbling window that is open behind that record.
    """

    number: str | None = None
    done: bool = False
    window: OpenWindow | None = None


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
        self._add_windows()

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
                "SELECT shard, number, done, open_window FROM position"
                " WHERE consumer=? AND stream=?",
                (consumer, stream_arn),
            ).fetchall()
        return {
            shard: Position(number, bool(done), None if text is None else _window(text))
            for shard, number, done, text in rows
        }

    def save(self, consumer: str, stream_arn: str, shard_id: str, position: Position) -> None:
        """Keep the position; when this returns, the death of the process does not lose it."""
        text = None if position.window is None else json.dumps(asdict(position.window))
        row = (consumer, stream_arn, shard_id, position.number, position.done, text)
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?, ?, ?)", row)

    def _add_windows(self) -> None:
        """Give a file from before windows were kept their column."""
        columns = {row[1] for row in self._database.execute("PRAGMA table_info(position)")}
        if "open_window" not in columns:
            self._database.execute("ALTER TABLE position ADD COLUMN open_window TEXT")


def _window(text: str) -> OpenWindow:
    return OpenWindow(**json.loads(text))
