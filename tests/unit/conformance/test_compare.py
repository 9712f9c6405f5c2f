"""Each question beside the simulator: values are distinguished, wrong pollers are found."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from pathlib import Path

import pytest

from cdk_streams.errors import StreamsError
from cdk_streams.poller import DEFAULT_ASSUMPTIONS, Assumptions
from conformance.compare import compare, compare_all, main
from conformance.question import Question
from conformance.questions import NOT_ASKED, QUESTIONS
from conformance.recording import Recording, load, save, without_account
from conformance.simulated import simulated

ROOT = Path(__file__).parents[3]
BY_NAME = {each.name: each for each in QUESTIONS}
CHOICES = [each for each in QUESTIONS if each.assumption is not None]


def default(question: Question) -> Recording:
    return simulated(question, DEFAULT_ASSUMPTIONS).recording


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each.name)
def test_a_question_expects_what_the_simulator_does(question: Question) -> None:
    assert default(question).result(question.scenario) == question.scenario.expected


@pytest.mark.parametrize("question", CHOICES, ids=lambda each: each.name)
def test_each_reading_of_an_assumption_is_decided_by_its_scenario(question: Question) -> None:
    for value, assumptions in question.assumptions().items():
        compared = compare(question, simulated(question, assumptions).recording)
        assert compared.fits == (value,)
        assert compared.verdict == "decides"
        assert compared.by_default == (assumptions == DEFAULT_ASSUMPTIONS)


def test_each_assumption_is_asked_by_one_question_or_says_why_by_none() -> None:
    asked = [str(each.assumption) for each in CHOICES]
    assert sorted([*asked, *NOT_ASKED]) == sorted(each.name for each in fields(Assumptions))


def test_the_kits_page_says_why_an_assumption_is_not_asked() -> None:
    page = " ".join((ROOT / "conformance" / "README.md").read_text(encoding="utf-8").split())
    for name, reason in NOT_ASKED.items():
        assert f"| `{name}` | {reason} |" in page


def test_names_are_told_once() -> None:
    assert len(BY_NAME) == len(QUESTIONS)


def test_a_rule_that_holds_is_equal() -> None:
    question = BY_NAME["partial"]
    assert compare(question, default(question)).verdict == "equal"


def test_a_poller_that_never_retries_differs_where_it_stops() -> None:
    question = BY_NAME["raise_retry"]
    seen = default(question)
    compared = compare(question, replace(seen, calls=seen.calls[:1], failures=()))
    assert compared.verdict == "differs"
    assert "under the rule, call 2 must be (1, 2, 3, 4), got None" in compared.row()


def test_a_recording_that_ended_too_early_decides_nothing() -> None:
    question = BY_NAME["idle_window"]
    compared = compare(question, replace(default(question), watched_s=20.0))
    assert (compared.verdict, len(compared.fits)) == ("equal", 2)


def test_when_an_update_takes_effect_is_not_compared() -> None:
    question = BY_NAME["settings_update"]
    seen = default(question)
    (failure,) = seen.failures
    count = {**failure["requestContext"], "approximateInvokeCount": 9}
    late = replace(
        seen,
        calls=(seen.calls[0], *seen.calls),
        failures=({**failure, "requestContext": count},),
    )
    assert compare(question, late).verdict == "equal"
    assert compare(question, replace(seen, calls=seen.calls[:-1])).verdict == "differs"


def test_a_sum_that_is_asked_for_must_be_recorded() -> None:
    question = BY_NAME["no_destination"]
    compared = compare(question, replace(default(question), metrics={}))
    assert compared.verdict == "differs"
    assert "DroppedEventCount must be recorded, got no metric" in compared.row()


@pytest.mark.parametrize(
    ("age_ms", "fits"),
    [
        (900, ("iterator_age_at='sent'",)),
        (8_900, ("iterator_age_at='ended'",)),
        (60_000, ()),
        (None, ()),
    ],
)
def test_the_iterator_age_is_that_of_the_calls_beginning_or_end(
    age_ms: int | None, fits: tuple[str, ...]
) -> None:
    question = BY_NAME["age_of_a_slow_call"]
    metrics = {} if age_ms is None else {"IteratorAge": age_ms}
    assert compare(question, replace(default(question), metrics=metrics)).fits == fits


def test_waits_are_compared_by_bounds() -> None:
    question = BY_NAME["backoff_first"]
    seen = default(question)
    calls = [
        replace(each, began_ms=each.began_ms + 40 * place, ended_ms=each.ended_ms + 40 * place)
        for place, each in enumerate(seen.calls)
    ]
    assert compare(question, replace(seen, calls=tuple(calls))).by_default


def test_a_recording_is_read_as_it_was_written_without_an_account(tmp_path: Path) -> None:
    seen = default(BY_NAME["raise_retry"])
    arn = "arn:aws:lambda:us-east-1:210987654321:function:f"
    other = replace(seen, failures=({**seen.failures[0], "arn": arn},))
    read = load(save(other, tmp_path))
    assert read.failures[0]["arn"] == arn.replace("210987654321", "000000000000")
    assert replace(read, failures=other.failures, settings=other.settings) == other


def test_an_account_in_a_queues_address_is_hidden() -> None:
    hidden = "https://sqs.eu-west-1.amazonaws.com/000000000000/failed"
    assert without_account(hidden.replace("000000000000", "210987654321")) == hidden
    # Sequence numbers and times are digits too, and stay.
    assert without_account('"210987654321", 1789651660000') == '"210987654321", 1789651660000'


@pytest.mark.parametrize("seed", range(50))
def test_no_recording_holds_an_account_wherever_it_stands(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed to find the case again
    account = str(chance.randrange(10**11, 10**12))
    places = [
        f"arn:aws:lambda:us-east-1:{account}:function:f",
        f"arn:aws-cn:sqs:cn-north-1:{account}:q",
        f"arn:aws:iam::{account}:role/r",
        f"arn:aws:iam::{account}",
        f"https://sqs.eu-west-1.amazonaws.com/{account}/q",
        f"https://{account}.ddb.us-east-1.amazonaws.com/{account}/q",
        f"User: arn:aws:sts::{account}:assumed-role/r/s is not authorized",
    ]
    seen = default(BY_NAME["raise_retry"])
    failure = {chance.choice(["a", "b"]): chance.choice(places), "alone": account} | {
        "accountId": account
    }
    versions = {"tool": f"{account}-r1", chance.choice(places): "1"}
    file = save(replace(seen, failures=(failure,), versions=versions), tmp_path)
    assert account not in file.read_text(encoding="utf-8")
    assert load(file).ordinals == seen.ordinals


def test_a_recording_that_lacks_a_record_says_so() -> None:
    seen = replace(default(BY_NAME["raise_retry"]), ordinals={})
    with pytest.raises(StreamsError, match=r"raise_retry \(the simulator.*record it again"):
        compare(BY_NAME["raise_retry"], seen)


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"format": 3}', '{"format": 4}'])
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(StreamsError, match=r"x\.json"):
        compare_all(tmp_path)


def test_a_recording_of_an_earlier_format_says_what_to_do(tmp_path: Path) -> None:
    file = save(default(BY_NAME["partial"]), tmp_path)
    file.write_text(file.read_text(encoding="utf-8").replace('"format": 3', '"format": 2'))
    with pytest.raises(StreamsError, match="format must be 3, got 2; record it again"):
        load(file)


def test_the_command_fails_when_a_recording_decides_against_the_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(default(BY_NAME["partial"]), tmp_path)
    assert main([str(tmp_path)]) == 0
    question = BY_NAME["unknown_identifier"]
    save(
        simulated(question, question.assumptions()["unknown_identifier='ignore'"]).recording,
        tmp_path,
    )
    assert main([str(tmp_path)]) == 1
    assert "decides: unknown_identifier='ignore'" in capsys.readouterr().out
