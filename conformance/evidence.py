"""The last column of the assumptions in docs/semantics.md: what AWS was asked, and answered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from conformance.compare import RECORDINGS, Comparison, compare_all
from conformance.questions import NOT_ASKED, QUESTIONS

__all__ = ["PAGE", "evidence_of", "with_evidence"]

PAGE: Final = Path(__file__).parents[1] / "docs" / "semantics.md"
"""The page whose table `make compare WRITE=yes` brings up to date."""
_TABLE: Final = re.compile(r"(?<=\| what is known \| on AWS \|\n\|---\|---\|---\|---\|\n)(\|.*\n)+")
_AWS: Final = "AWS "


def evidence_of(assumption: str, compared: Iterable[Comparison]) -> str:
    """Return what recordings of AWS say of a field of `Assumptions`, in a few words."""
    if assumption in NOT_ASKED:
        return f"not asked: {NOT_ASKED[assumption]}"
    (name,) = [each.name for each in QUESTIONS if each.assumption == assumption]
    said = [
        f"{_said(each)} ({each.recording.where}, {each.recording.made})"
        for each in compared
        if each.question.name == name and each.recording.where.startswith(_AWS)
    ]
    return f"asked by `{name}`, {'; '.join(said) or 'not yet recorded on AWS'}"


def _said(comparison: Comparison) -> str:
    """Return the values that fit; none fits where the poller does something else."""
    if not comparison.fits:
        return "recorded, and no value fits"
    return f"recorded: `{'` or `'.join(comparison.fits)}`"


def with_evidence(page: str, compared: Iterable[Comparison]) -> str:
    """Return the text of the page with the last column of its assumptions written anew."""
    known = list(compared)

    def row(line: str) -> str:
        *cells, _ = line.strip().strip("|").split("|")
        field = cells[0].strip().strip("`")
        return "|".join(["", *cells, f" {evidence_of(field, known)} ", "\n"])

    return _TABLE.sub(lambda table: "".join(map(row, table[0].splitlines())), page)


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_evidence(text, compare_all(RECORDINGS)), encoding="utf-8")
