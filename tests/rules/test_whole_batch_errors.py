from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

Play = Callable[..., Any]


def test_a_failed_batch_is_retried_whole_under_its_request_id(play: Play) -> None:
    """A1, recorded: gaps of about 0.2 s, then longer."""
    played = play(4, bad={2}, retry_attempts=2)
    assert played.calls == "[1,2,3,4] [1,2,3,4] [1,2,3,4]"
    assert len(set(played.request_ids)) == 1
    assert played.gaps == [timedelta(seconds=0.2), timedelta(seconds=0.4)]
    assert played.failed == [("RetryAttemptsExhausted", 3, 4, "1-4", "Unhandled")]
    assert played.checkpoint == 4


def test_one_retry_is_two_calls(play: Play) -> None:
    """A2, recorded."""
    played = play(1, bad={1}, retry_attempts=1)
    assert played.calls == "[1] [1]"
    assert played.failed == [("RetryAttemptsExhausted", 2, 1, "1-1", "Unhandled")]
    assert played.checkpoint == 1


def test_an_exception_fails_the_batch_although_reports_are_on(play: Play) -> None:
    """A3, recorded."""

    def answer(event: dict[str, Any]) -> None:
        raise RuntimeError(len(event))

    played = play(1, answer=answer, retry_attempts=3, report_batch_item_failures=True)
    assert played.calls == "[1] [1] [1] [1]"
    assert played.failed == [("RetryAttemptsExhausted", 4, 1, "1-1", "Unhandled")]


def test_no_retries_is_one_call(play: Play) -> None:
    """A4, recorded."""
    played = play(4, bad={2}, retry_attempts=0)
    assert played.calls == "[1,2,3,4]"
    assert played.failed == [("RetryAttemptsExhausted", 1, 4, "1-4", "Unhandled")]
    assert played.checkpoint == 4


def test_endless_retries_end_when_the_stream_trims_the_records(play: Play) -> None:
    """A7, documented: nothing is sent, and the checkpoint is blocked until then."""
    played = play(3, bad={1}, retry_attempts=-1)
    assert set(played.calls.split()) == {"[1,2,3]"}
    assert len(set(played.request_ids)) == 1
    assert played.run.counts.trimmed == 3
    assert played.failed == []
    assert played.run.took > timedelta(hours=24)
    assert played.run.invocations[-1].at <= timedelta(hours=24)


def test_endless_retries_block_the_checkpoint(play: Play) -> None:
    played = play(3, bad={1}, retry_attempts=-1, until=timedelta(hours=23))
    assert played.run.checkpoints == {}
    assert played.run.counts.waiting == 3


def test_without_a_destination_a_failed_batch_is_dropped(play: Play) -> None:
    """A8, documented."""
    played = play(2, bad={1}, retry_attempts=1, on_failure=None)
    assert played.calls == "[1,2] [1,2]"
    assert played.run.deliveries == []
    assert played.checkpoint == 2


@pytest.mark.parametrize("retries", [0, 1, 7, 100])
def test_n_retries_are_n_more_calls_of_the_same_batch(play: Play, retries: int) -> None:
    played = play(2, bad={2}, retry_attempts=retries)
    assert played.calls == " ".join(["[1,2]"] * (retries + 1))
    assert played.failed == [("RetryAttemptsExhausted", retries + 1, 2, "1-2", "Unhandled")]
    assert [call.attempt for call in played.run.invocations] == list(range(1, retries + 2))


def test_waits_double_up_to_the_cap(play: Play) -> None:
    played = play(1, bad={1}, retry_attempts=11)
    seconds = [gap.total_seconds() for gap in played.gaps]
    assert seconds == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60]


def test_after_a_discarded_batch_the_next_record_follows(play: Play) -> None:
    played = play(5, bad={2}, batch_size=2, retry_attempts=1)
    assert played.calls == "[1,2] [1,2] [3,4] [5]"
    assert played.checkpoint == 5
