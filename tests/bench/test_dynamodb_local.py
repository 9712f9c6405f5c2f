from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.bench.dynamodb_local import missing


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on the PATH, with a java that lists a JDK's modules."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("java", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho java.base@17 jdk.compiler@17\n")
        (tmp_path / name).chmod(stat.S_IRWXU)
    return tmp_path


@pytest.mark.usefixtures("commands")
def test_with_a_jdk_nothing_is_missing() -> None:
    assert missing() is None


def test_every_absent_command_is_named(commands: Path) -> None:
    (commands / "java").unlink()
    (commands / "npm").unlink()
    assert missing() == "DynamoDB Local needs Java 17 or newer and npm, which fetches it"


def test_a_java_runtime_without_its_compiler_is_not_enough(commands: Path) -> None:
    (commands / "java").write_text("#!/bin/sh\necho java.base@17\n")
    assert missing() == "DynamoDB Local needs the compiler of a JDK, not a Java runtime alone"
