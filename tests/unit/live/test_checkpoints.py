from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from cdk_streams.live._checkpoints import Position, PositionStore
from cdk_streams.poller import OpenWindow


@pytest.mark.parametrize(
    "position",
    [
        Position("21"),
        Position("21", done=True),
        Position(done=True),
        Position("21", window=OpenWindow(1_789_654_270_000, {"sum": 10, "é": [None, 1.5]})),
        Position("21", window=OpenWindow(0, {})),
    ],
)
def test_a_position_is_there_for_the_next_store(tmp_path: Path, position: Position) -> None:
    with PositionStore(tmp_path / "positions") as store:
        store.save("audit", "stream", "shard", position)
    with PositionStore(tmp_path / "positions") as store:
        assert store.load("audit", "stream") == {"shard": position}


def test_the_last_position_counts(tmp_path: Path) -> None:
    with PositionStore(tmp_path / "positions") as store:
        for number in ("9", "10", "11"):
            store.save("audit", "stream", "shard", Position(number))
        assert store.load("audit", "stream") == {"shard": Position("11")}


def test_a_window_that_has_closed_is_gone(tmp_path: Path) -> None:
    with PositionStore(tmp_path / "positions") as store:
        store.save("audit", "stream", "shard", Position("21", window=OpenWindow(0, {"sum": 1})))
        store.save("audit", "stream", "shard", Position("21"))
        assert store.load("audit", "stream") == {"shard": Position("21")}


def test_a_file_from_before_windows_were_kept_goes_on(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "positions", isolation_level=None)) as old:
        old.executescript(
            "CREATE TABLE position (consumer TEXT NOT NULL, stream TEXT NOT NULL,"
            " shard TEXT NOT NULL, number TEXT, done INTEGER NOT NULL DEFAULT 0,"
            " PRIMARY KEY (consumer, stream, shard)) WITHOUT ROWID;"
            "INSERT INTO position VALUES ('audit', 'stream', 'shard', '21', 0)"
        )
    later = Position("22", window=OpenWindow(0, {"sum": 1}))
    with PositionStore(tmp_path / "positions") as store:
        assert store.load("audit", "stream") == {"shard": Position("21")}
        store.save("audit", "stream", "shard", later)
        assert store.load("audit", "stream") == {"shard": later}


def test_what_is_saved_is_seen_without_closing(tmp_path: Path) -> None:
    with PositionStore(tmp_path / "p") as writer, PositionStore(tmp_path / "p") as reader:
        writer.save("audit", "stream", "shard", Position("9"))
        assert reader.load("audit", "stream") == {"shard": Position("9")}


def test_consumers_and_streams_have_positions_of_their_own(tmp_path: Path) -> None:
    with PositionStore(tmp_path / "positions") as store:
        store.save("audit", "stream", "shard", Position("9"))
        assert store.load("stock", "stream") == {}
        assert store.load("audit", "a newer stream") == {}


def test_the_first_beginning_counts(tmp_path: Path) -> None:
    with PositionStore(tmp_path / "positions") as store:
        assert store.began("audit", "stream", 100.5) == 100.5
    with PositionStore(tmp_path / "positions") as store:
        assert store.began("audit", "stream", 200.0) == 100.5
        assert store.began("stock", "stream", 200.0) == 200.0
