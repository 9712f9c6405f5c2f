from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cdk_streams.poller import Assumptions
from cdk_streams.simulator import insert
from cdk_streams.simulator._records import START

Play = Callable[..., Any]
QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"


def _after(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


def _written(*seconds: float) -> list[dict[str, Any]]:
    return [
        insert({"pk": str(number)}, number=number, at=_after(second))
        for number, second in enumerate(seconds, 1)
    ]


def test_a_record_too_old_is_never_called(play: Play) -> None:
    """D1, recorded: a count of 1 although no call was made, and no responseContext."""
    played = play(1, max_record_age=60, start=_after(70))
    assert played.calls == ""
    assert played.failed == [("RecordAgeExceeded", 1, 1, "1-1", "no responseContext")]
    assert "responseContext" not in played.run.failures[0]
    assert played.checkpoint == 1


def test_only_the_too_old_records_at_the_front_are_discarded(play: Play) -> None:
    """Recorded for Kinesis: one record is too old, the five younger ones are delivered."""
    played = play(_written(0, 80, 80, 80, 80, 80), max_record_age=60)
    assert played.calls == "[2,3,4,5,6]"
    assert played.failed == [("RecordAgeExceeded", 1, 1, "1-1", "no responseContext")]
    assert played.checkpoint == 6


@pytest.mark.parametrize("destination", [None, QUEUE])
def test_a_batch_behind_too_old_records_is_as_full_as_any(
    play: Play, destination: str | None
) -> None:
    """Whether a failure record is sent or not decides nothing about the batches behind it."""
    records = _written(0, 1, 2, 80, 80)
    records[1]["dynamodb"]["NewImage"]["drop"] = {"BOOL": True}
    kept = {"dynamodb": {"NewImage": {"drop": {"BOOL": [{"exists": False}]}}}}
    played = play(records, batch_size=2, max_record_age=60, filters=[kept], on_failure=destination)
    assert played.calls == "[4,5]"
    assert [failure[2:4] for failure in played.failed] == [(2, "1-3")]


def test_a_record_can_become_too_old_between_retries(play: Play) -> None:
    """Recorded for Kinesis, 2025-11-25: the calls made are counted (an older recording says 1)."""
    played = play(1, bad={1}, max_record_age=60)
    calls = len(played.run.invocations)
    assert calls > 7
    assert played.failed == [("RecordAgeExceeded", calls, 1, "1-1", "no responseContext")]
    assert all(call.at <= timedelta(seconds=60) for call in played.run.invocations)
    assert played.run.failures[0]["requestContext"]["requestId"] == played.request_ids[0]


def test_what_is_left_behind_too_old_records_is_a_new_batch(play: Play) -> None:
    played = play(_written(0, 30), bad={2}, max_record_age=60, retry_attempts=9)
    assert played.calls.split()[0] == "[1,2]"
    (too_old, exhausted) = played.failed
    together = played.calls.split().count("[1,2]")
    assert too_old == ("RecordAgeExceeded", together, 1, "1-1", "no responseContext")
    assert exhausted[0] == "RecordAgeExceeded"
    assert played.request_ids[0] != played.request_ids[-1]


def test_a_record_exactly_as_old_as_the_limit_is_called(play: Play) -> None:
    assert play(1, max_record_age=60, start=_after(60)).calls == "[1]"
    assert play(1, max_record_age=60, start=_after(60.001)).calls == ""


def test_after_24_hours_a_record_has_left_the_stream(play: Play) -> None:
    """D4, documented."""
    played = play(1, start=_after(24 * 3600 + 1))
    assert played.calls == ""
    assert played.failed == []
    assert played.run.counts.trimmed == 1
    assert played.run.checkpoints == {}


def test_a_record_of_exactly_24_hours_is_still_there(play: Play) -> None:
    assert play(1, start=_after(24 * 3600)).calls == "[1]"


def test_whichever_limit_comes_first_wins(play: Play) -> None:
    """D5, documented: the condition names it."""
    slow = play(1, bad={1}, max_record_age=60, retry_attempts=10_000)
    assert slow.failed[0][0] == "RecordAgeExceeded"
    quick = play(1, bad={1}, max_record_age=60, retry_attempts=3)
    assert quick.failed[0][0] == "RetryAttemptsExhausted"


def test_records_trimmed_during_retries_can_be_sent_by_choice(play: Play) -> None:
    assumptions = Assumptions(retention_failure_record=True)
    played = play(1, bad={1}, assumptions=assumptions)
    calls = len(played.run.invocations)
    assert played.failed == [("RecordAgeExceeded", calls, 1, "1-1", "no responseContext")]
    assert played.run.counts.trimmed == 0
