from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cdk_streams.live._progress import Progress, RetryWait
from cdk_streams.poller import (
    CallOutcome,
    CallResult,
    FailureSent,
    Invoke,
    Read,
    RecordsRead,
    SendFailure,
    Settled,
    ShardDone,
    ShardSeen,
    ShardsListed,
    WakeAt,
    Woken,
)


def records(*numbers: int) -> tuple[Mapping[str, Any], ...]:
    return tuple({"dynamodb": {"SequenceNumber": str(number)}} for number in numbers)


def call(*numbers: int, attempt: int = 1, lane: int = 0) -> Invoke:
    return Invoke("s", lane, 1, "r", attempt, records(*numbers))


def ended(outcome: CallOutcome, lane: int = 0) -> CallResult:
    return CallResult("s", lane, 1, outcome)


def after(*notices: Any) -> Progress:
    progress = Progress()
    for at_ms, notice in enumerate(notices):
        progress.take(at_ms, notice)
    return progress


def test_a_record_waits_from_its_reading_until_it_is_settled() -> None:
    progress = after(RecordsRead("s", 1, records(1, 2)))
    assert (progress.read, progress.waiting) == (2, 2)
    assert progress.lag_ms(5_000) == 5_000
    progress.take(1, Settled("s", "handled", records(1, 2)))
    assert (progress.handled, progress.waiting, progress.lag_ms(5_000)) == (2, 0, 0)


@pytest.mark.parametrize(
    ("fate", "counted"),
    [("filtered", "filtered"), ("failed", "discarded"), ("age_exceeded", "discarded")],
)
def test_each_fate_has_its_count(fate: Any, counted: str) -> None:
    assert getattr(after(Settled("s", fate, records(1, 2))), counted) == 2


def test_a_lane_that_waits_tells_until_when_and_for_which_retry() -> None:
    failed = after(call(1, attempt=9), ended("failed"), WakeAt("s", 0, 1, 60_000))
    assert failed.retry_wait == RetryWait(60_000, 9)
    throttled = after(call(1), ended("throttled"), WakeAt("s", 0, 1, 60_000))
    assert throttled.retry_wait == RetryWait(60_000, 0)
    failed.take(60_000, Woken("s", 0, 1))
    assert failed.retry_wait is None


def test_the_soonest_of_several_lanes_is_told() -> None:
    progress = after(call(1), ended("failed"), WakeAt("s", 0, 1, 900))
    for notice in (call(2, attempt=3, lane=1), ended("failed", lane=1), WakeAt("s", 1, 1, 500)):
        progress.take(4, notice)
    assert progress.retry_wait == RetryWait(500, 3)


def test_a_batching_window_is_no_wait_for_a_retry() -> None:
    assert after(WakeAt("s", 0, 1, 900)).retry_wait is None
    sent = SendFailure("s", 0, 1, {}, None)
    assert after(call(1), ended("failed"), sent, WakeAt("s", 0, 1, 900)).retry_wait is None


def test_a_call_with_another_attempt_is_a_retry() -> None:
    progress = after(call(1, 2), ended("failed"), call(1, 2, attempt=2))
    assert (progress.calls, progress.retries, progress.splits, progress.errors) == (2, 1, 0, 1)


def test_a_first_call_with_a_part_of_a_failed_batch_is_a_split() -> None:
    progress = after(call(1, 2, 3, 4), ended("failed"), call(1, 2), ended("handled"), call(3, 4))
    assert progress.splits == 1
    progress = after(call(1, 2), ended("handled"), call(3, 4))
    assert progress.splits == 0


def test_lanes_do_not_share_their_splits() -> None:
    progress = after(call(1, 2), ended("failed"), call(3, lane=1))
    assert progress.splits == 0


def test_calls_are_counted_by_what_the_poller_makes_of_them() -> None:
    outcomes: list[CallOutcome] = ["partial", "throttled", "failed"]
    progress = after(*(notice for each in outcomes for notice in (call(1), ended(each))))
    assert (progress.partial, progress.throttles, progress.errors) == (1, 1, 1)


def test_failure_records_are_counted_as_taken_or_refused() -> None:
    sent, refused = FailureSent("s", 0, 1), FailureSent("s", 0, 1, delivered=False)
    progress = after(sent, sent, refused)
    assert (progress.sent, progress.refused) == (2, 1)


def test_the_children_of_a_shard_that_ended_are_waited_for() -> None:
    progress = after(RecordsRead("other", 1), RecordsRead("s", 2), ShardDone("s"))
    progress.take(10, RecordsRead("other", 3))
    assert not progress.caught_up(5)
    progress.take(11, ShardsListed((ShardSeen("other"), ShardSeen("child", ("s",)))))
    progress.take(11, Read("child", 4, None, "TRIM_HORIZON", 1000, 11))
    assert not progress.caught_up(5)
    progress.take(12, RecordsRead("child", 4))
    assert progress.caught_up(5)


def test_caught_up_means_an_empty_read_of_every_shard_and_nothing_waiting() -> None:
    progress = Progress()
    assert not progress.caught_up(0)
    progress.take(10, RecordsRead("a", 1))
    progress.take(10, RecordsRead("b", 1, records(1)))
    assert not progress.caught_up(5)
    progress.take(11, Settled("b", "handled", records(1)))
    assert not progress.caught_up(5)
    progress.take(12, RecordsRead("b", 2))
    assert progress.caught_up(5)
    assert not progress.caught_up(11)


@pytest.mark.parametrize("delivered", [True, False])
def test_a_record_that_was_discarded_is_waited_for_until_its_failure_record_is_sent(
    delivered: bool,
) -> None:
    progress = after(
        RecordsRead("s", 1, records(1)), RecordsRead("s", 2), Settled("s", "failed", records(1))
    )
    progress.take(9, RecordsRead("s", 3))
    assert not progress.caught_up(8)
    progress.take(9, SendFailure("s", 0, 1, {}, "arn:aws:sqs:us-east-1:000000000000:failed"))
    assert not progress.caught_up(8)
    progress.take(9, FailureSent("s", 0, 1, delivered))
    assert progress.caught_up(8)


def test_a_record_that_nobody_is_told_of_is_not_waited_for() -> None:
    progress = after(RecordsRead("s", 1, records(1)), Settled("s", "failed", records(1)))
    progress.take(9, RecordsRead("s", 2))
    progress.take(9, SendFailure("s", 0, 1, {}, None))
    assert progress.caught_up(8)
    progress = after(RecordsRead("s", 1, records(1)), Settled("s", "trimmed", records(1)))
    progress.take(9, RecordsRead("s", 2))
    assert progress.caught_up(8)


def test_a_finished_shard_is_not_waited_for() -> None:
    progress = after(RecordsRead("a", 1, records(1)), Settled("a", "handled", records(1)))
    progress.take(5, ShardDone("a"))
    progress.take(6, ShardsListed((ShardSeen("a", closed=True), ShardSeen("b", ("a",)))))
    progress.take(9, RecordsRead("b", 1))
    assert progress.caught_up(8)
