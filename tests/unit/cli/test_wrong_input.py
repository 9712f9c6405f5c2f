"""Files, names and numbers that no command can use: one sentence, exit code 2, nothing written."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import main

SIZE = ("size", "--record-ms", "1")
FILES = {
    "deep.json": "[" * 100_000,
    "long.json": json.dumps([{"dynamodb": {"SequenceNumber": "9" * 6000}}]),
    "far.csv": "0,1\n1e12,5\n",
    "wrong.py": "syntax error(\n",
    "ends.py": "import sys\nsys.exit(3)\n",
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    # What is refused is refused before a Region or credentials are looked for.
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("check", "deep.json"), "deep.json is nested too deeply to be read"),
        (("check", ""), "TEMPLATE must be a file, a folder or -, got ''; name one"),
        (("simulate", ""), "it must be a name, got ''"),
        (("simulate", "long.json"), "sequence numbers of at most 40 digits, got a longer one"),
        ((*SIZE, "--csv", "far.csv"), "far.csv must hold the writes of at most 366 days, got"),
        ((*SIZE, "--writes-per-second", "nan"), "it must be a finite number, got 'nan'"),
        ((*SIZE, "--writes-per-second", "5", "--target-lag", "inf"), "finite number, got 'inf'"),
        (("backfill", "a", "b", "--rate", "nan"), "it must be a finite number, got 'nan'"),
        (("compare", "", "b"), "it must be a name, got ''"),
        (("status", "x", "--endpoint-url", "http://"), "it must be a URL like http://localhost:"),
        (("status", "x", "--endpoint-url", "http://[::"), "URL like http://localhost:4566, got"),
        (("tail", "arn:bad", "--region", "us-east-1"), "the ARN must be that of a DynamoDB stream"),
        (
            ("backfill", "a", "b", "--transform", "missing.py:shape"),
            "the transform must stand in a Python file, got missing.py, which is not there",
        ),
        (
            ("compare", "a", "b", "--transform", "wrong.py:shape"),
            "the transform wrong.py:shape could not be imported: SyntaxError: ",
        ),
        (
            ("backfill", "a", "b", "--view", "ends.py:view", "--marks", "m"),
            "the view ends.py:view could not be imported: the file ends its process (sys.exit)",
        ),
        (("init", ""), "it must be a name, got ''"),
        (("init", "far.csv"), "FOLDER must be a folder, got the file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_refuses(arguments: tuple[str, ...], why: str, files: Path) -> None:
    answer = run(*arguments)
    assert why in answer.output
    assert answer.exit_code == 2
    assert {each.name for each in files.iterdir()} <= {*FILES, "__pycache__"}


def test_a_file_that_cannot_be_opened_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied", "shop/app.py")

    monkeypatch.setattr(Path, "write_text", refused)
    answer = run("init", "shop")
    assert answer.output == "Error: shop/app.py cannot be read or written: Permission denied\n"
    assert answer.exit_code == 2


def test_a_closed_output_is_one_sentence() -> None:
    command = [sys.executable, "-m", "cdk_streams", "simulate", "--records", "2"]
    shell = f"exec {shlex.join(command)} >&-"
    done = subprocess.run(  # noqa: S603 - this very command
        ["/bin/sh", "-c", shell], stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.stderr.startswith("Error: standard output must be open, got a closed one; ")
    assert (done.stderr.count("\n"), done.returncode) == (1, 2)


def test_ctrl_c_ends_a_command_as_a_shell_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("cdk_streams.simulator.simulate", interrupted)
    assert run("simulate", "--records", "2").exit_code == 130
