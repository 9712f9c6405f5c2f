from __future__ import annotations

import os
from pathlib import Path

import pytest

from cdk_streams.constructs._bundle import staging


def test_the_fingerprint_covers_names_and_contents() -> None:
    prints = {
        staging.fingerprint(files)
        for files in ({"a": b"bc"}, {"ab": b"c"}, {"a": b"b", "c": b""}, {"a": b"BC"}, {})
    }
    assert len(prints) == 5


def test_the_fingerprint_does_not_depend_on_the_order() -> None:
    assert staging.fingerprint({"a": b"1", "b": b"2"}) == staging.fingerprint(
        {"b": b"2", "a": b"1"}
    )


def test_what_is_written_can_be_read_by_all(tmp_path: Path) -> None:
    previous = os.umask(0o077)
    try:
        staging.write({"index.py": b"x", "rules/tax.py": b"y"}, tmp_path / "out")
    finally:
        os.umask(previous)
    modes = {
        path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777
        for path in [tmp_path / "out", *(tmp_path / "out").rglob("*")]
    }
    assert modes == {
        "out": 0o755,
        "out/index.py": 0o644,
        "out/rules": 0o755,
        "out/rules/tax.py": 0o644,
    }


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    staging.write({"index.py": b"first"}, tmp_path / "out")
    staging.write({"index.py": b"second"}, tmp_path / "out")
    assert (tmp_path / "out" / "index.py").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="index"):
        staging.write({"index.py": b"", "index.py/x.py": b""}, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
