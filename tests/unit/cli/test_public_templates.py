"""Each command answers about templates of every origin, or refuses in one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdk_streams.cli import main

TEMPLATES = sorted(Path(__file__).with_name("templates").iterdir())
# No mapping of theirs can be run: there is none, or it lacks a value, or Lambda refuses it.
NOT_RUN = {
    "cdk-analytics-only.template.json",
    "cdk-no-stream.template.json",
    "hand-condition.yaml",
    "hand-kinesis-only.yaml",
    "hand-table-arn.yaml",
    "hand-wrong-shapes.json",
    "hand-wrong-values.yaml",
    "sam-alias.yaml",
    "sam-misspelled-event.yaml",
    "sam-simple-table.yaml",
    "sam-stage-parameter.yaml",
}
# A mapping has to be named.
TWO_MAPPINGS = {"hand-loop.yaml", "sam-two-functions.yaml"}
NO_FINDINGS = {
    "cdk-analytics-only.template.json",
    "hand-condition.yaml",
    "hand-kinesis-only.yaml",
}
SIZE = ["--writes-per-second", "10", "--record-ms", "5", "--hours", "1"]
COMMANDS = {
    "check": ["check"],
    "explain": ["explain"],
    "simulate": ["simulate", "--poison", "3", "--template"],
    "size": ["size", *SIZE, "--template"],
}
REFUSED = {
    "check": set[str](),
    "explain": NOT_RUN,
    "simulate": NOT_RUN | TWO_MAPPINGS,
    "size": NOT_RUN | TWO_MAPPINGS | {"cdk-window.template.json"},
}


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let `explain` run few records for a minute: its numbers are not looked at here."""
    monkeypatch.setattr("cdk_streams.analysis._explanation.OUTAGE", timedelta(minutes=1))
    monkeypatch.setattr("cdk_streams.analysis._situations._MOST_RECORDS", 10)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_command_answers_or_refuses_in_one_sentence(template: Path, command: str) -> None:
    result = CliRunner().invoke(main, [*COMMANDS[command], str(template)])
    refused = result.exit_code == 2
    assert refused == (template.name in REFUSED[command]), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    if refused:
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
    else:
        assert result.stdout.strip()
        assert result.stderr == ""


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_what_check_finds(template: Path) -> None:
    result = CliRunner().invoke(main, ["check", str(template)])
    assert result.exit_code == (0 if template.name in NO_FINDINGS else 1)


def test_there_are_templates_of_each_origin() -> None:
    assert len(TEMPLATES) == 30
    origins = {each.name.partition("-")[0] for each in TEMPLATES}
    assert origins == {"cdk", "hand", "sam", "serverless"}


def test_cdks_defaults_block_for_a_day_and_have_no_destination() -> None:
    path = Path(__file__).with_name("templates") / "cdk-defaults.template.json"
    output = CliRunner().invoke(main, ["explain", str(path)]).output
    assert "Its shard stands still for 24 h" in output
    assert "There is no on-failure destination: what Lambda discards is lost." in output


@pytest.mark.parametrize("command", COMMANDS)
def test_a_garbage_file_is_one_line(command: str, tmp_path: Path) -> None:
    path = tmp_path / "garbage"
    path.write_bytes(bytes(range(256)))
    result = CliRunner().invoke(main, [*COMMANDS[command], str(path)])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "is no UTF-8 text" in result.stderr
