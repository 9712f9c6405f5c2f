"""docs/semantics.md says of each assumption what recordings of AWS say, and no more."""

from __future__ import annotations

from dataclasses import replace

from cdk_streams.poller import DEFAULT_ASSUMPTIONS
from conformance.compare import RECORDINGS, Comparison, compare, compare_all
from conformance.evidence import PAGE, RULES_ASKED, evidence_of, with_evidence
from conformance.questions import QUESTIONS
from conformance.recording import Recording
from conformance.simulated import simulated

(QUESTION,) = [each for each in QUESTIONS if each.name == "unknown_identifier"]
TEXT = PAGE.read_text(encoding="utf-8")


def recorded(where: str) -> Recording:
    seen = simulated(QUESTION, DEFAULT_ASSUMPTIONS).recording
    return replace(seen, where=where, made="2026-12-01")


def compared(where: str) -> Comparison:
    return compare(QUESTION, recorded(where))


def test_the_page_is_what_the_recordings_say() -> None:
    written = with_evidence(TEXT, compare_all(RECORDINGS))
    assert written == TEXT, "run make compare WRITE=yes"
    table = TEXT[TEXT.index("| what is known | on AWS |") :]
    assert table.count("asked by `") + table.count("not asked: ") == 14


def test_a_recording_of_aws_is_told_with_its_region_and_date() -> None:
    written = with_evidence(TEXT, [compared("AWS eu-west-1")])
    (before,) = [each for each in TEXT.splitlines() if each.startswith("| `unknown_identifier`")]
    (row,) = [each for each in written.splitlines() if each.startswith("| `unknown_identifier`")]
    assert row.endswith(
        "| asked by `unknown_identifier`, recorded: `unknown_identifier='fail_batch'` "
        "(AWS eu-west-1, 2026-12-01) |"
    )
    assert written == TEXT.replace(before, row)


def test_what_stands_in_the_place_of_aws_is_no_evidence() -> None:
    said = evidence_of("unknown_identifier", [compared("the live driver on ministack")])
    assert said == "asked by `unknown_identifier`, not yet recorded on AWS"


def test_a_recording_that_fits_no_value_says_so() -> None:
    seen = recorded("AWS eu-west-1")
    differing = compare(QUESTION, replace(seen, calls=(), failures=()))
    said = evidence_of("unknown_identifier", [differing])
    assert "recorded, and no value fits (AWS eu-west-1, 2026-12-01)" in said


def test_each_question_of_a_rule_stands_beside_its_row() -> None:
    asked = [each.name for each in QUESTIONS if each.assumption is None]
    assert sorted(RULES_ASKED) == sorted(asked)
    for name, rule in RULES_ASKED.items():
        (row,) = [each for each in TEXT.splitlines() if each.startswith(f"| {rule} |")]
        assert f"`{name}`" in row


def test_a_rule_says_what_was_recorded_on_aws() -> None:
    question = next(each for each in QUESTIONS if each.name == "partial")
    seen = simulated(question, DEFAULT_ASSUMPTIONS).recording
    same = replace(seen, where="AWS eu-west-1", made="2026-12-01")
    other = replace(same, calls=(), made="2026-12-02")
    written = with_evidence(TEXT, [compare(question, each) for each in (same, other)])
    rule = RULES_ASKED["partial"]
    (row,) = [each for each in written.splitlines() if each.startswith(f"| {rule} |")]
    assert (
        "; asked by `partial`, the same on AWS eu-west-1, 2026-12-01, "
        "not the same on AWS eu-west-1, 2026-12-02 |" in row
    )
    assert with_evidence(written, []) == TEXT
