from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cdk_streams.errors import SettingsError
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Assumptions
from cdk_streams.simulator import insert

Play = Callable[..., Any]

NOON = datetime(2026, 9, 17, 14, 11, tzinfo=UTC)


def _written(*seconds: float) -> list[dict[str, Any]]:
    return [
        insert({"pk": str(number), "n": number}, number=number, at=NOON + timedelta(seconds=second))
        for number, second in enumerate(seconds, 1)
    ]


def _sum(event: dict[str, Any]) -> Any:
    added = sum(int(each["dynamodb"]["NewImage"]["n"]["N"]) for each in event["Records"])
    return {"state": {"sum": event["state"].get("sum", 0) + added}}


def _told(event: dict[str, Any]) -> tuple[Any, ...]:
    return (event["state"], event["isFinalInvokeForWindow"], event["isWindowTerminatedEarly"])


def test_state_runs_through_a_window_and_its_closing_call(play: Play) -> None:
    """F1, recorded."""
    records = _written(1, 2, 3, 4, 15)
    played = play(records, answer=_sum, batch_size=1, tumbling_window=10)
    assert played.calls == "[1] [2] [3] [4] [] [5]"
    assert [_told(event) for event in played.events] == [
        ({}, False, False),
        ({"sum": 1}, False, False),
        ({"sum": 3}, False, False),
        ({"sum": 6}, False, False),
        ({"sum": 10}, True, False),
        ({}, False, False),
    ]
    assert list(played.events[0]) == [
        "Records",
        "shardId",
        "eventSourceARN",
        "window",
        "state",
        "isFinalInvokeForWindow",
        "isWindowTerminatedEarly",
    ]


def test_windows_begin_at_multiples_of_their_length(play: Play) -> None:
    """F2, recorded: by the record's creation time, since the epoch."""
    played = play(_written(16), answer=_sum, tumbling_window=10)
    assert played.events[0]["window"] == {
        "start": "2026-09-17T14:11:10Z",
        "end": "2026-09-17T14:11:20Z",
    }


def test_the_end_of_a_window_alone_does_not_close_it(play: Play) -> None:
    """F3, recorded: no closing call until a later record comes."""
    played = play(_written(1, 2), answer=_sum, tumbling_window=10)
    assert played.calls == "[1,2]"


def test_an_idle_window_can_be_closed_by_choice(play: Play) -> None:
    assumptions = Assumptions(idle_window_flush_ms=120_000)
    played = play(_written(1, 2), answer=_sum, tumbling_window=10, assumptions=assumptions)
    assert played.calls == "[1,2] []"
    assert played.run.invocations[1].at == timedelta(seconds=10 + 120 - 2)


def test_the_end_of_a_shard_closes_its_window(play: Play) -> None:
    played = play(_written(1, 2), answer=_sum, tumbling_window=10, closed=True)
    assert played.calls == "[1,2] []"
    assert _told(played.events[1]) == ({"sum": 3}, True, False)


def _fails_at_the_end(event: dict[str, Any]) -> Any:
    if event["isFinalInvokeForWindow"]:
        raise RuntimeError("the sum cannot be stored")
    return _sum(event)


def test_a_closing_call_that_fails_for_good_lets_the_next_window_begin(play: Play) -> None:
    """F4, recorded; the documentation says that processing is suspended."""
    played = play(_written(1, 15), answer=_fails_at_the_end, tumbling_window=10, retry_attempts=0)
    assert played.calls == "[1] [] [2]"
    (body,) = played.run.failures
    assert list(body["DDBStreamBatchInfo"]) == ["shardId", "streamArn"]
    assert list(body)[-2:] == ["DDBStreamBatchInfo", "timeWindowInfo"]
    assert body["timeWindowInfo"] == {
        "window": {"start": "2026-09-17T14:11:00Z", "end": "2026-09-17T14:11:10Z"},
        "isFinalInvokeForWindow": True,
        "isWindowTerminatedEarly": False,
    }
    assert _told(played.events[2]) == ({}, False, False)


def test_a_closing_call_is_retried_like_any_other(play: Play) -> None:
    played = play(_written(1, 15), answer=_fails_at_the_end, tumbling_window=10, retry_attempts=2)
    assert played.calls == "[1] [] [] [] [2]"
    assert played.run.failures[0]["requestContext"]["approximateInvokeCount"] == 3


def test_a_failing_closing_call_can_suspend_the_shard_by_choice(play: Play) -> None:
    played = play(
        _written(1, 15),
        answer=_fails_at_the_end,
        tumbling_window=10,
        retry_attempts=0,
        assumptions=Assumptions(failed_final_call="suspend"),
    )
    assert set(played.calls.split()) == {"[1]", "[]"}
    assert played.run.failures == []


def test_a_state_past_1_mb_ends_the_window_early(play: Play) -> None:
    """F5, recorded: at once a call without records, then a fresh state in the same window."""

    def answer(event: dict[str, Any]) -> Any:
        return {"state": {"sum": "x" * 1_048_577}} if event["Records"] else {"state": {}}

    played = play(_written(1, 2), answer=answer, batch_size=1, tumbling_window=10)
    assert played.calls == "[1] [] [2] []"
    assert [_told(event)[1:] for event in played.events] == [
        (False, False),
        (True, True),
        (False, False),
        (True, True),
    ]
    assert len(played.events[1]["state"]["sum"]) == 1_048_577
    assert played.events[2]["state"] == {}
    assert played.events[2]["window"] == played.events[0]["window"]


def test_an_answer_without_state_is_a_failed_call(play: Play) -> None:
    """F6, documented."""
    played = play(_written(1), answer=lambda _event: {}, tumbling_window=10, retry_attempts=1)
    assert played.calls == "[1] [1]"
    assert played.failed == [("RetryAttemptsExhausted", 2, 1, "1-1", None)]


@pytest.mark.parametrize(
    "other", [{"parallelization_factor": 2}, {"filters": ['{"eventName":["INSERT"]}']}]
)
def test_windows_go_with_neither_parallelism_nor_filters(other: dict[str, Any]) -> None:
    """F7, recorded."""
    with pytest.raises(SettingsError, match="tumbling_window"):
        MappingSettings(tumbling_window=10, **other)


def test_a_batch_never_crosses_a_window(play: Play) -> None:
    played = play(_written(1, 2, 11, 12, 25), answer=_sum, tumbling_window=10)
    assert played.calls == "[1,2] [] [3,4] [] [5]"
    assert [event["state"] for event in played.events] == [{}, {"sum": 3}, {}, {"sum": 7}, {}]


def test_halves_share_the_state_in_order(play: Play) -> None:
    def answer(event: dict[str, Any]) -> Any:
        if len(event["Records"]) > 1:
            raise ValueError("one at a time")
        return _sum(event)

    played = play(_written(1, 2), answer=answer, tumbling_window=10, bisect_batch_on_error=True)
    assert played.calls == "[1,2] [1] [2]"
    assert [event["state"] for event in played.events] == [{}, {}, {"sum": 1}]


def test_a_failure_record_of_a_window_tells_its_window(play: Play) -> None:
    played = play(_written(1), answer=lambda _event: None, tumbling_window=10, retry_attempts=0)
    assert played.run.failures[0]["timeWindowInfo"]["isFinalInvokeForWindow"] is False


def test_a_closing_call_needs_no_state_unless_chosen(play: Play) -> None:
    def answer(event: dict[str, Any]) -> Any:
        return None if event["isFinalInvokeForWindow"] else _sum(event)

    options: dict[str, Any] = {"answer": answer, "tumbling_window": 10, "retry_attempts": 0}
    assert play(_written(1, 15), **options).run.failures == []
    strict = play(_written(1, 15), assumptions=Assumptions(final_call_needs_state=True), **options)
    assert len(strict.run.failures) == 1


def test_the_state_of_a_partial_answer_is_kept_unless_chosen(play: Play) -> None:
    def answer(event: dict[str, Any]) -> Any:
        failed = [each["dynamodb"]["SequenceNumber"] for each in event["Records"][1:]]
        return _sum({**event, "Records": event["Records"][:1]}) | {
            "batchItemFailures": [{"itemIdentifier": each} for each in failed]
        }

    options: dict[str, Any] = {
        "answer": answer,
        "tumbling_window": 10,
        "report_batch_item_failures": True,
    }
    kept = play(_written(1, 2, 3), **options)
    assert kept.calls == "[1,2,3] [2,3] [3]"
    assert [event["state"] for event in kept.events] == [{}, {"sum": 1}, {"sum": 3}]
    dropped = play(
        _written(1, 2, 3), assumptions=Assumptions(state_of_partial_response="dropped"), **options
    )
    assert [event["state"] for event in dropped.events] == [{}, {}, {}]


def test_a_record_too_old_opens_no_window(play: Play) -> None:
    played = play(_written(1, 200), answer=_sum, tumbling_window=10, max_record_age=60)
    assert played.calls == "[2]"
    assert played.run.failures[0]["timeWindowInfo"]["window"]["start"] == "2026-09-17T14:11:00Z"


def test_a_window_that_has_ended_is_not_opened_again_by_a_late_record(play: Play) -> None:
    """Records 1 to 5: the second window, 10 to 20, ends early; 3 is late, from the first one."""

    def answer(event: dict[str, Any]) -> Any:
        early = any(each["dynamodb"]["NewImage"]["n"]["N"] == "2" for each in event["Records"])
        return {"state": {"sum": "x" * 1_048_577} if early else {}}

    played = play(_written(1, 12, 5, 13, 21), answer=answer, batch_size=1, tumbling_window=10)

    calls = [
        (event["window"]["start"][-3:-1], len(event["Records"]), event["isFinalInvokeForWindow"])
        for event in played.events
    ]
    assert calls == [
        ("00", 1, False),
        ("00", 0, True),
        ("10", 1, False),
        ("10", 0, True),
        ("10", 1, False),
        ("10", 1, False),
        ("10", 0, True),
        ("20", 1, False),
    ]
