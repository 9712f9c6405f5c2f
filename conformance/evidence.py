"""What docs/semantics.md says of recordings of AWS, beside each rule and each assumption."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from conformance.compare import RECORDINGS, Comparison, compare_all
from conformance.questions import NOT_ASKED, QUESTIONS

__all__ = ["PAGE", "RULES_ASKED", "evidence_of", "with_evidence"]

PAGE: Final = Path(__file__).parents[1] / "docs" / "semantics.md"
"""The page that `make compare WRITE=yes` brings up to date."""
RULES_ASKED: Final[Mapping[str, str]] = {
    "raise_retry": "A batch that fails is called again whole, under the same request id",
    "raise_once": "n retries are n + 1 calls, and the failure record counts them",
    "single_record": "n retries are n + 1 calls, and the failure record counts them",
    "after_a_discard": "After a discarded batch, the next record follows",
    "throttled": "A throttle spends no attempt; the batch waits, or ages out",
    "raise_bisect": "A failed batch is halved down to the bad record",
    "bisect_without_retries": "Halving spends no retry",
    "partial": "Everything from the lowest number reported on is retried",
    "partial_fresh_budget": "What is left is a new batch with a fresh budget",
    "partial_bisect": (
        "With bisect, the batch is cut first; halved when the first record is the one"
    ),
    "partial_not_asked_for": "Without the setting the answer is ignored",
    "invalid_identifier": "An identifier that cannot be read fails the batch",
    "identifier_that_is_no_text": "An identifier that cannot be read fails the batch",
    "entry_without_identifier": "An identifier that cannot be read fails the batch",
    "first_record_reported": "A failure of the first record is a failure of all",
    "too_old": "A record past the maximum age is not called",
    "old_before_young": "Only the records at the front that are too old go",
    "filter": "Filters come before batches",
    "batches": "A full batch does not wait; others take what arrives",
    "oversized_record": "A record larger than a call is never sent",
    "window": "State runs through a window and into its closing call",
    "closing_call_fails": "A closing call that fails for good lets the next window begin ⚡",
    "latest_begins_when_enabled": "LATEST begins where the poller really starts",
    "settings_update": "An update of the retries holds for a batch that is being retried",
    "list_streams_denied": "Lambda tests the role when a mapping is created, for three actions",
    "one_item_at_factor_10": "Records of one item share a lane",
    "split_shard": "Children are read after their parent is drained, both at once",
}
"""The row of the page that a question of a rule asks for, by the question's name."""
_ASSUMPTIONS: Final = re.compile(
    r"(?<=\| what is known \| on AWS \|\n\|---\|---\|---\|---\|\n)(\|.*\n)+"
)
_RULES: Final = re.compile(r"(?<=\| evidence \| test \|\n\|---\|---\|---\|---\|\n)(\|.*\n)+")
_ASKED: Final = "; asked by `"
_AWS: Final = "AWS "
_Row: TypeAlias = Callable[[list[str], Sequence[Comparison]], list[str]]


def evidence_of(assumption: str, compared: Iterable[Comparison]) -> str:
    """Return what recordings of AWS say of a field of `Assumptions`, in a few words."""
    if assumption in NOT_ASKED:
        return f"not asked: {NOT_ASKED[assumption]}"
    (name,) = [each.name for each in QUESTIONS if each.assumption == assumption]
    said = [
        f"{_said(each)} ({each.recording.where}, {each.recording.made})"
        for each in _of_aws(name, compared)
    ]
    return f"asked by `{name}`, {'; '.join(said) or 'not yet recorded on AWS'}"


def with_evidence(page: str, compared: Iterable[Comparison]) -> str:
    """Return the text of the page with what AWS was asked and has answered written anew."""
    known = list(compared)
    page = _ASSUMPTIONS.sub(lambda table: _each_row(table[0], known, _assumption), page)
    return _RULES.sub(lambda table: _each_row(table[0], known, _rule), page)


def _each_row(table: str, known: Sequence[Comparison], written: _Row) -> str:
    rows = (line.strip().strip("|").split("|") for line in table.splitlines())
    return "".join("|".join(["", *written(cells, known), "\n"]) for cells in rows)


def _assumption(cells: list[str], known: Sequence[Comparison]) -> list[str]:
    field = cells[0].strip().strip("`")
    return [*cells[:-1], f" {evidence_of(field, known)} "]


def _rule(cells: list[str], known: Sequence[Comparison]) -> list[str]:
    rule, value, evidence, test = cells
    evidence = evidence.partition(_ASKED)[0].strip()
    names = [name for name, asked in RULES_ASKED.items() if asked == rule.strip()]
    if names:
        evidence += f"{_ASKED}{'`, `'.join(names)}`"
    for name in names:
        for each in _of_aws(name, known):
            verdict = "the same" if each.fits else "not the same"
            evidence += f", {verdict} on {each.recording.where}, {each.recording.made}"
    return [rule, value, f" {evidence} ", test]


def _of_aws(name: str, compared: Iterable[Comparison]) -> list[Comparison]:
    return [
        each
        for each in compared
        if each.question.name == name and each.recording.where.startswith(_AWS)
    ]


def _said(comparison: Comparison) -> str:
    """Return the values that fit; none fits where the poller does something else."""
    if not comparison.fits:
        return "recorded, and no value fits"
    return f"recorded: `{'` or `'.join(comparison.fits)}`"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_evidence(text, compare_all(RECORDINGS)), encoding="utf-8")
