from __future__ import annotations

from pathlib import Path

import pytest

from cdk_streams.errors import ToolError
from cdk_streams.local._source_watcher import SourceWatcher, is_source


@pytest.mark.parametrize("name", ["app.py", "cdk.json", "handlers/audit.py", "requirements.txt"])
def test_a_source_file_counts(tmp_path: Path, name: str) -> None:
    assert is_source(tmp_path, tmp_path / name)


@pytest.mark.parametrize(
    "name",
    [
        ".venv/x.py",
        ".cache/a/x.json",
        ".hidden.py",
        "cdk.out/t.json",
        "cdk.context.json",
        "build/x.py",
        "notes.md",
    ],
)
def test_what_is_no_source_does_not(tmp_path: Path, name: str) -> None:
    assert not is_source(tmp_path, tmp_path / name)


def test_nor_does_a_virtual_environment_of_any_name(tmp_path: Path) -> None:
    (tmp_path / "mine" / "lib").mkdir(parents=True)
    (tmp_path / "mine" / "pyvenv.cfg").touch()
    assert not is_source(tmp_path, tmp_path / "mine" / "lib" / "x.py")


def test_nor_does_the_programs_own_output(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.touch()
    status = log.stat()
    assert is_source(tmp_path, log)
    assert not is_source(tmp_path, log, [(status.st_dev, status.st_ino)])


def test_a_folder_that_cannot_be_watched_is_said_in_a_sentence(tmp_path: Path) -> None:
    with SourceWatcher(tmp_path / "absent") as watcher:
        watcher._thread.join()
        with pytest.raises(ToolError, match="absent cannot be watched: "):
            watcher.take_change()
