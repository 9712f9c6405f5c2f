from __future__ import annotations

import contextlib
import errno
import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from cdk_streams.cli import LiveView, main
from cdk_streams.cli._local import local_session as _local_session
from cdk_streams.cli._local.local_options import LocalOptions
from cdk_streams.cli._local.local_session import exit_code
from cdk_streams.cli._local.timeline_recorder import TimelineRecorder
from cdk_streams.local import LocalAws


def options(
    *, allow_failures: bool = False, command: str | None = "python seed.py"
) -> LocalOptions:
    return LocalOptions(
        folder=Path(),
        cdk=("cdk",),
        region="us-east-1",
        command=command,
        keep=False,
        allow_failures=allow_failures,
        calls=False,
        timeline=None,
    )


def test_a_run_in_which_records_were_discarded_has_failed() -> None:
    assert exit_code(0, discarded=1, options=options()) == 1
    assert exit_code(0, discarded=0, options=options()) == 0
    assert exit_code(0, discarded=1, options=options(allow_failures=True)) == 0
    assert exit_code(0, discarded=1, options=options(command=None)) == 0


def test_the_commands_own_failure_comes_first() -> None:
    assert exit_code(7, discarded=1, options=options()) == 7
    assert exit_code(7, discarded=1, options=options(allow_failures=True)) == 7


def test_outputs_and_sentences_of_others_are_no_markup() -> None:
    written = io.StringIO()
    run: Any = SimpleNamespace(
        aws=LocalAws("http://127.0.0.1:1", Path("folder")),
        outputs={"Shop[/id]": {"Name": "[a-z] [red]x \x1b[2J"}},
        skipped=("Mail: a function that is run here must have a Python runtime, got [node]",),
        warnings=("audit: the packages pydantic_core are compiled for [arm64]",),
    )
    faster = replace(options(), time_scale=10, retries=3)
    _local_session._introduce(Console(file=written, width=200), run, faster)
    assert "before retries and maximum record ages are divided by 10." in written.getvalue()
    assert "Retries of a batch, at most: 3." in written.getvalue()
    assert "Shop[/id]:" in written.getvalue()
    assert "Name = [a-z] [red]x \ufffd[2J" in written.getvalue()
    assert "skipped: Mail: a function that is run here" in written.getvalue()
    assert "got [node]" in written.getvalue()
    assert "warning: audit: the packages pydantic_core are compiled for [arm64]" in (
        written.getvalue()
    )


@pytest.mark.parametrize("profile", ["work", None])
def test_a_profile_of_the_terminal_is_to_be_unset(
    monkeypatch: pytest.MonkeyPatch, profile: str | None
) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)
    written = io.StringIO()
    aws = LocalAws("http://127.0.0.1:1", Path("folder"))
    run: Any = SimpleNamespace(aws=aws, outputs={}, skipped=(), warnings=())
    _local_session._introduce(Console(file=written, width=200), run, options())
    assert ("\n  unset AWS_PROFILE\n" in written.getvalue()) == bool(profile)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_disk_or_one_that_is_read_only_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    def full(*_: Any, **__: Any) -> contextlib.AbstractContextManager[None]:
        raise OSError(number, "there is a reason", str(tmp_path / "file"))

    (tmp_path / "cdk.json").write_text("{}")
    monkeypatch.setattr(_local_session, "local_run", full)
    answer = CliRunner().invoke(main, ["local", "--app", str(tmp_path)])
    assert answer.exit_code == 2
    (sentence,) = [line for line in answer.output.splitlines() if line.startswith("Error: ")]
    assert "this machine does not let it run: " in sentence
    assert "there is a reason" in sentence


@pytest.mark.parametrize(
    ("name", "start"), [("run.html", "<!doctype html>"), ("run.json", '{"traceEvents":')]
)
def test_the_name_of_the_timelines_file_decides_what_is_written(
    tmp_path: Path, name: str, start: str
) -> None:
    console = Console(file=io.StringIO())
    wanted = replace(options(), timeline=tmp_path / name)
    _local_session._write_timeline(console, LiveView(console), wanted)
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


def test_the_page_and_the_terminal_say_which_events_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = "only the first 3 events are on the timeline"
    monkeypatch.setattr(TimelineRecorder, "left_out", sentence)
    printed = io.StringIO()
    console = Console(file=printed, width=200)
    wanted = replace(options(), timeline=tmp_path / "run.html")

    _local_session._write_timeline(console, LiveView(console), wanted)

    assert sentence in printed.getvalue()
    assert f"cdk-streams local: {sentence}" in (tmp_path / "run.html").read_text(encoding="utf-8")
