"""Checkpoints of each consumer's shards in a SQLite file, so that `kill -9` loses no record.

A checkpoint is written after its records are handled, filtered or in a failure record. A driver
that dies before that handles them again: at least once, never a gap.

SQLite's write-ahead log makes each write one append. It is not flushed to the disk each time: the
death of the process loses nothing then; a power cut may lose the last moments, which repeats their
records and skips none. The state of a tumbling window is in its checkpoint's row, so that neither
is newer than the other: records that are repeated are not counted twice.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from cdk_streams.poller import OpenWindow

__all__ = ["CheckpointStore", "ShardCheckpoint"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS checkpoint (
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
class ShardCheckpoint:
    """How far a shard has been processed.

    `number` is the sequence number of the last record processed, None before the first. `done`: the
    shard is closed and all its records are processed, so its children may be read. `window` is the
    tumbling window that is open behind that record.
    """

    number: str | None = None
    done: bool = False
    window: OpenWindow | None = None


class CheckpointStore:
    """The checkpoints in one SQLite file; safe to call from several threads.

    A consumer's checkpoints count for one stream only: a table that is made again has another
    stream ARN, and is read from its start.
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

        A consumer that starts at `LATEST` reads shards without a checkpoint from this moment on,
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

    def load(self, consumer: str, stream_arn: str) -> dict[str, ShardCheckpoint]:
        """Return the checkpoint of each shard that has one."""
        with self._lock:
            rows = self._database.execute(
                "SELECT shard, number, done, open_window FROM checkpoint"
                " WHERE consumer=? AND stream=?",
                (consumer, stream_arn),
            ).fetchall()
        return {
            shard: ShardCheckpoint(number, bool(done), None if text is None else _window(text))
            for shard, number, done, text in rows
        }

    def save(
        self, consumer: str, stream_arn: str, shard_id: str, checkpoint: ShardCheckpoint
    ) -> None:
        """Keep the checkpoint; once this returns, the death of the process does not lose it."""
        text = None if checkpoint.window is None else json.dumps(asdict(checkpoint.window))
        row = (consumer, stream_arn, shard_id, checkpoint.number, checkpoint.done, text)
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?, ?)", row
            )


def _window(text: str) -> OpenWindow:
    return OpenWindow(**json.loads(text))
