from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk_streams.poller import Assumptions

Play = Callable[..., Any]


def _always(response: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda _event: response


def test_records_behind_the_lowest_failure_are_retried_with_it(play: Play) -> None:
    """C1, recorded: 3 and 4 succeeded, and still go to the destination with 2."""
    played = play(4, bad={2}, report_batch_item_failures=True, retry_attempts=1)
    assert played.calls == "[1,2,3,4] [2,3,4] [2,3,4]"
    assert played.failed == [("RetryAttemptsExhausted", 2, 3, "2-4", None)]
    assert played.checkpoint == 4


def test_what_is_left_after_an_advance_has_a_fresh_budget(play: Play) -> None:
    """C2, recorded: record 6 is delivered five times with three retries."""
    played = play(6, bad={6}, batch_size=3, report_batch_item_failures=True, retry_attempts=3)
    assert played.calls == "[1,2,3] [4,5,6] [6] [6] [6] [6]"
    assert played.failed == [("RetryAttemptsExhausted", 4, 1, "6-6", None)]
    assert played.checkpoint == 6


def test_with_bisect_the_batch_is_cut_first_and_then_halved(play: Play) -> None:
    """C3, recorded."""
    played = play(
        4, bad={2}, report_batch_item_failures=True, bisect_batch_on_error=True, retry_attempts=1
    )
    assert played.calls == "[1,2,3,4] [2,3,4] [2] [2] [3,4]"
    assert played.failed == [("RetryAttemptsExhausted", 2, 1, "2-2", None)]
    assert played.checkpoint == 4


def test_without_the_setting_the_answer_is_ignored(play: Play) -> None:
    """C4, recorded."""
    played = play(4, answer=_always({"batchItemFailures": [{"itemIdentifier": "2"}]}))
    assert played.calls == "[1,2,3,4]"
    assert played.failed == []
    assert played.checkpoint == 4


def test_an_empty_identifier_fails_the_whole_batch(play: Play) -> None:
    """C5, recorded."""
    answer = _always({"batchItemFailures": [{"itemIdentifier": ""}]})
    played = play(4, answer=answer, report_batch_item_failures=True, retry_attempts=0)
    assert played.calls == "[1,2,3,4]"
    assert played.failed == [("RetryAttemptsExhausted", 1, 4, "1-4", None)]
    assert played.checkpoint == 4


@pytest.mark.parametrize(
    "entry",
    [
        {"itemIdentifier": ""},
        {"itemIdentifier": None},
        {"itemIdentifier": 123},
        {"foo": 123},
        {"foo": None},
    ],
)
def test_an_identifier_that_cannot_be_read_fails_the_batch(play: Play, entry: Any) -> None:
    """C6, recorded: five cases."""
    answer = _always({"batchItemFailures": [entry]})
    played = play(1, answer=answer, report_batch_item_failures=True, retry_attempts=3)
    assert played.calls == "[1] [1] [1] [1]"
    assert played.failed == [("RetryAttemptsExhausted", 4, 1, "1-1", None)]


@pytest.mark.parametrize(
    "response", [[], None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, ""]
)
def test_an_answer_that_names_no_failure_is_success(play: Play, response: Any) -> None:
    """C7, recorded: five shapes; an empty text is recorded for Kinesis."""
    played = play(1, answer=_always(response), report_batch_item_failures=True, retry_attempts=3)
    assert played.calls == "[1]"
    assert played.failed == []
    assert played.checkpoint == 1


def test_a_failure_of_the_first_record_is_a_failure_of_all(play: Play) -> None:
    """C11."""
    played = play(3, bad={1}, report_batch_item_failures=True, retry_attempts=1)
    assert played.calls == "[1,2,3] [1,2,3]"
    assert played.failed == [("RetryAttemptsExhausted", 2, 3, "1-3", None)]
    assert played.checkpoint == 3


def test_an_unknown_identifier_fails_the_whole_batch(play: Play) -> None:
    """C13."""
    answer = _always({"batchItemFailures": [{"itemIdentifier": "4242"}]})
    played = play(4, answer=answer, report_batch_item_failures=True, retry_attempts=0)
    assert played.calls == "[1,2,3,4]"
    assert played.failed == [("RetryAttemptsExhausted", 1, 4, "1-4", None)]


def test_an_unknown_identifier_can_be_ignored_by_choice(play: Play) -> None:
    answer = _always({"batchItemFailures": [{"itemIdentifier": "4242"}]})
    assumptions = Assumptions(unknown_identifier="ignore")
    played = play(4, answer=answer, report_batch_item_failures=True, assumptions=assumptions)
    assert played.calls == "[1,2,3,4]"
    assert played.checkpoint == 4


def test_the_lowest_identifier_counts_however_often_and_in_whatever_order(play: Play) -> None:
    def answer(event: dict[str, Any]) -> Any:
        named = [each["dynamodb"]["SequenceNumber"] for each in event["Records"][1:]]
        listed = [*named[::-1], *named]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in listed]}

    played = play(3, answer=answer, report_batch_item_failures=True, retry_attempts=0)
    assert played.calls == "[1,2,3] [2,3] [3]"


def test_sequence_numbers_are_compared_as_integers(play: Play) -> None:
    def answer(event: dict[str, Any]) -> Any:
        bad = [each for each in event["Records"] if each["dynamodb"]["NewImage"]["n"]["N"] > "7"]
        bad_numbers = [each["dynamodb"]["SequenceNumber"] for each in bad]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in bad_numbers]}

    # As text, 10 comes before 9: the batch would be cut two records too early or too late.
    records = [
        {
            "eventName": "INSERT",
            "dynamodb": {"NewImage": {"n": {"N": str(each)}}, "SequenceNumber": str(each)},
        }
        for each in (7, 8, 9, 10, 11)
    ]
    played = play(records, answer=answer, report_batch_item_failures=True, retry_attempts=0)
    assert played.calls == "[1,2,3,4,5] [2,3,4,5]"
    assert played.failed == [("RetryAttemptsExhausted", 1, 4, "2-5", None)]


@pytest.mark.parametrize("response", ["done", 7, True, [1], {"batchItemFailures": "2"}])
def test_an_answer_that_is_no_report_fails_the_batch(play: Play, response: Any) -> None:
    played = play(2, answer=_always(response), report_batch_item_failures=True, retry_attempts=0)
    assert played.failed == [("RetryAttemptsExhausted", 1, 2, "1-2", None)]


def test_an_object_without_the_key_is_success(play: Play) -> None:
    answer = _always({"statusCode": 200})
    played = play(2, answer=answer, report_batch_item_failures=True, retry_attempts=0)
    assert played.failed == []


def test_what_is_left_can_be_topped_up_by_choice(play: Play) -> None:
    played = play(
        6,
        bad={3},
        batch_size=3,
        report_batch_item_failures=True,
        retry_attempts=1,
        assumptions=Assumptions(top_up_after_checkpoint=True),
    )
    assert played.calls == "[1,2,3] [3,4,5] [3,4,5] [6]"


def test_what_is_left_is_not_topped_up(play: Play) -> None:
    played = play(6, bad={3}, batch_size=3, report_batch_item_failures=True, retry_attempts=1)
    assert played.calls == "[1,2,3] [3] [3] [4,5,6]"
