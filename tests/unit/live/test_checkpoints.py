from __future__ import annotations

from pathlib import Path

import pytest

from cdk_streams.live._checkpoints import CheckpointStore, ShardCheckpoint
from cdk_streams.poller import OpenWindow


@pytest.mark.parametrize(
    "checkpoint",
    [
        ShardCheckpoint("21"),
        ShardCheckpoint("21", done=True),
        ShardCheckpoint(done=True),
        ShardCheckpoint("21", window=OpenWindow(1_789_654_270_000, {"sum": 10, "é": [None, 1.5]})),
        ShardCheckpoint("21", window=OpenWindow(0, {})),
    ],
)
def test_a_checkpoint_is_there_for_the_next_store(
    tmp_path: Path, checkpoint: ShardCheckpoint
) -> None:
    with CheckpointStore(tmp_path / "checkpoints") as store:
        store.save("audit", "stream", "shard", checkpoint)
    with CheckpointStore(tmp_path / "checkpoints") as store:
        assert store.load("audit", "stream") == {"shard": checkpoint}


def test_the_last_checkpoint_counts(tmp_path: Path) -> None:
    with CheckpointStore(tmp_path / "checkpoints") as store:
        for number in ("9", "10", "11"):
            store.save("audit", "stream", "shard", ShardCheckpoint(number))
        assert store.load("audit", "stream") == {"shard": ShardCheckpoint("11")}


def test_a_window_that_has_closed_is_gone(tmp_path: Path) -> None:
    with CheckpointStore(tmp_path / "checkpoints") as store:
        store.save(
            "audit", "stream", "shard", ShardCheckpoint("21", window=OpenWindow(0, {"sum": 1}))
        )
        store.save("audit", "stream", "shard", ShardCheckpoint("21"))
        assert store.load("audit", "stream") == {"shard": ShardCheckpoint("21")}


def test_what_is_saved_is_seen_without_closing(tmp_path: Path) -> None:
    with CheckpointStore(tmp_path / "p") as writer, CheckpointStore(tmp_path / "p") as reader:
        writer.save("audit", "stream", "shard", ShardCheckpoint("9"))
        assert reader.load("audit", "stream") == {"shard": ShardCheckpoint("9")}


def test_consumers_and_streams_have_checkpoints_of_their_own(tmp_path: Path) -> None:
    with CheckpointStore(tmp_path / "checkpoints") as store:
        store.save("audit", "stream", "shard", ShardCheckpoint("9"))
        assert store.load("stock", "stream") == {}
        assert store.load("audit", "a newer stream") == {}


def test_the_first_beginning_counts(tmp_path: Path) -> None:
    with CheckpointStore(tmp_path / "checkpoints") as store:
        assert store.began("audit", "stream", 100.5) == 100.5
    with CheckpointStore(tmp_path / "checkpoints") as store:
        assert store.began("audit", "stream", 200.0) == 100.5
        assert store.began("stock", "stream", 200.0) == 200.0
