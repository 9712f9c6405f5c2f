from __future__ import annotations

import pytest

from cdk_streams.cli._progress_bar import progress_bar


@pytest.mark.parametrize(
    ("terminal", "quiet", "is_shown"), [("1", False, True), ("1", True, False), ("", False, False)]
)
def test_a_bar_is_shown_on_a_terminal_unless_it_is_to_be_quiet(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    terminal: str,
    quiet: bool,
    is_shown: bool,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", terminal)
    with progress_bar(200, "items", quiet=quiet) as advance:
        advance(150)
        advance(50)
    told = capsys.readouterr()
    assert told.out == ""
    assert ("200/200" in told.err) is is_shown


def test_a_total_that_nobody_knows_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar(0, "items", quiet=False) as advance:
        advance(7)
    assert "7/?" in capsys.readouterr().err
