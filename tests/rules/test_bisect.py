from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

Play = Callable[..., Any]


def test_a_failed_batch_is_halved_down_to_the_bad_record(play: Play) -> None:
    """B1, recorded."""
    played = play(4, bad={2}, bisect_batch_on_error=True, retry_attempts=1)
    assert played.calls == "[1,2,3,4] [1,2] [1] [2] [2] [3,4]"
    assert played.failed == [("RetryAttemptsExhausted", 2, 1, "2-2", "Unhandled")]
    assert played.checkpoint == 4


def test_halving_spends_no_retry(play: Play) -> None:
    """B2: with no retries at all a failed batch is still halved."""
    played = play(4, bad={2}, bisect_batch_on_error=True, retry_attempts=0)
    assert played.calls == "[1,2,3,4] [1,2] [1] [2] [3,4]"
    assert played.failed == [("RetryAttemptsExhausted", 1, 1, "2-2", "Unhandled")]
    assert played.checkpoint == 4


def test_the_left_half_of_an_odd_batch_is_the_smaller(play: Play) -> None:
    """B4."""
    played = play(5, bad={5}, bisect_batch_on_error=True, retry_attempts=0)
    assert played.calls == "[1,2,3,4,5] [1,2] [3,4,5] [3] [4,5] [4] [5]"
    assert played.failed == [("RetryAttemptsExhausted", 1, 1, "5-5", "Unhandled")]
    assert played.checkpoint == 5


def test_a_single_record_cannot_be_halved(play: Play) -> None:
    """B7."""
    played = play(2, bad={1}, batch_size=1, bisect_batch_on_error=True, retry_attempts=1)
    assert played.calls == "[1] [1] [2]"
    assert played.failed == [("RetryAttemptsExhausted", 2, 1, "1-1", "Unhandled")]
    assert played.checkpoint == 2


def test_halves_are_new_batches_called_at_once(play: Play) -> None:
    """B8, recorded: a new request id and no wait; only retries keep the id and wait."""
    played = play(4, bad={2}, bisect_batch_on_error=True, retry_attempts=1)
    at_once, wait = timedelta(0), timedelta(seconds=0.2)
    assert played.gaps == [at_once, at_once, at_once, wait, at_once]
    whole, left, first, second, again, right = played.request_ids
    assert second == again
    assert len({whole, left, first, second, right}) == 5


def test_with_endless_retries_the_bad_record_alone_blocks(play: Play) -> None:
    played = play(4, bad={3}, bisect_batch_on_error=True, until=timedelta(minutes=1))
    assert played.calls.startswith("[1,2,3,4] [1,2] [3,4] [3] [3]")
    assert set(played.calls.split()[3:]) == {"[3]"}
    assert played.checkpoint == 2
