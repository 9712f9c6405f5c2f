"""Sentences fit a terminal, and are one line each in a file or a pipe."""

from __future__ import annotations

import sys

import pytest

from cdk_streams.cli._terminal_lines import fitted

LINE = "    Of 3,600 records written to one shard, one a second, 16 are discarded."


@pytest.mark.parametrize("columns", ["40", "60", "200"])
def test_a_line_is_broken_between_words_at_the_width(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    lines = fitted(f"{LINE}\n\nx").splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert all(line.startswith("    ") for line in lines[:-2])
    assert lines[-2:] == ["", "x"]
    assert " ".join(" ".join(lines[:-2]).split()) == LINE.strip()


def test_what_is_piped_is_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert fitted(LINE) == LINE
