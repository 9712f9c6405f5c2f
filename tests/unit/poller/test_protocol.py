from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest

from cdk_streams.mapping import GET_RECORDS_LIMIT, MappingSettings
from cdk_streams.poller import (
    Assumptions,
    CallEnded,
    CallResult,
    Errored,
    Event,
    FailureSent,
    Invoke,
    Measure,
    Outcome,
    Read,
    ReadFailed,
    RecordsRead,
    Returned,
    Throttled,
    WakeAt,
    Woken,
    begin,
    step,
)
from cdk_streams.poller._lanes import TRANSITIONS
from cdk_streams.poller._state import Phase
from cdk_streams.simulator import insert
from cdk_streams.testing import PollerHarness


def _record(number: int) -> dict[str, Any]:
    return insert({"pk": str(number)}, number=number)


def _kinds(effects: list[Any], kind: type[Any]) -> list[Any]:
    return [each for each in effects if isinstance(each, kind)]


def test_a_step_is_a_function() -> None:
    poller = PollerHarness()
    poller.list_shards("a")
    before = poller.poller
    kept = pickle.dumps(before)
    event = RecordsRead("a", poller.read("a").read, [_record(1)])
    once = step(poller.mapping, before, event, poller.now_ms)
    again = step(poller.mapping, before, event, poller.now_ms)
    assert once == again
    assert pickle.dumps(before) == kept


def test_every_phase_has_a_way_out() -> None:
    assert {phase for phase, _ in TRANSITIONS} == set(Phase)


@pytest.mark.parametrize(
    "event",
    [
        RecordsRead("a", 999, [_record(9)]),
        ReadFailed("a", 999, "late"),
        CallEnded("a", 0, 999, Returned()),
        FailureSent("a", 0, 999),
        Woken("a", 0, 999),
        CallEnded("unknown", 0, 1, Returned()),
    ],
)
def test_an_answer_that_comes_too_late_changes_nothing(event: Event) -> None:
    poller = PollerHarness()
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    assert poller.tell(event) == []
    assert poller.call("a").records == (_record(1),)


def test_an_answer_counts_once() -> None:
    poller = PollerHarness()
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    poller.end("a", Errored())
    assert poller.end("a", Errored()) == []


def test_an_empty_read_is_repeated_after_the_poll_interval() -> None:
    poller = PollerHarness()
    (first,) = poller.list_shards("a")
    assert first == Read("a", 1, None, "TRIM_HORIZON", GET_RECORDS_LIMIT, poller.now_ms)
    asked = poller.give("a")
    assert asked == [
        Measure("PolledEventCount", 0),
        Read("a", 2, None, "TRIM_HORIZON", GET_RECORDS_LIMIT, poller.now_ms + 250),
    ]


def test_a_stream_known_to_hold_more_is_read_at_once() -> None:
    poller = PollerHarness(MappingSettings(batch_size=3))
    poller.list_shards("a")
    asked = poller.give("a", [_record(1)], more=True)
    assert _kinds(asked, Invoke) == []
    assert _kinds(asked, Read)[0].at_ms == poller.now_ms
    assert poller.read("a").after == _record(1)["dynamodb"]["SequenceNumber"]
    asked = poller.give("a", [_record(2)])
    assert len(_kinds(asked, Invoke)[0].records) == 2


def test_a_busy_lane_reads_one_batch_ahead_and_no_further() -> None:
    poller = PollerHarness(MappingSettings(batch_size=2))
    poller.list_shards("a")
    assert _kinds(poller.give("a", [_record(1), _record(2), _record(3)], more=True), Read)
    assert not _kinds(poller.give("a", [_record(4), _record(5)], more=True), Read)
    assert _kinds(poller.end("a"), Read)


def test_a_blocked_lane_does_not_fill_the_memory() -> None:
    assumptions = Assumptions(read_ahead=10)
    poller = PollerHarness(
        MappingSettings(batch_size=1, parallelization_factor=2), assumptions=assumptions
    )
    poller.list_shards("a")
    number = 0
    for _ in range(100):
        reads = _kinds(poller.asked, Read)
        if poller.poller.shards["a"].reading is False:
            break
        assert reads
        number += 5
        poller.give("a", [_record(each) for each in range(number - 4, number + 1)], more=True)
    assert sum(len(lane.pending) for lane in poller.poller.shards["a"].lanes) <= 15


def test_describing_the_stream_again_starts_nothing_twice() -> None:
    poller = PollerHarness()
    poller.list_shards("a")
    assert poller.list_shards("a") == []


def test_a_shard_that_is_done_and_gone_is_forgotten() -> None:
    poller = PollerHarness()
    poller.list_shards("a", "b")
    poller.give("a", closed=True)
    assert "a" in poller.poller.finished
    poller.list_shards("b")
    assert set(poller.poller.shards) == {"b"}
    assert poller.poller.finished == frozenset()


def test_every_timer_is_answered_by_its_own_token() -> None:
    poller = PollerHarness(MappingSettings(retry_attempts=5))
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    poller.end("a", Errored())
    (old,) = _kinds(poller.asked, WakeAt)
    poller.wake("a")
    poller.end("a", Errored())
    assert poller.tell(Woken("a", 0, old.timer)) == []


def test_last_result_is_lambdas_own_text() -> None:
    poller = PollerHarness()
    assert begin().last_result == "No records processed"
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    poller.end("a", Errored())
    assert poller.poller.last_result == "PROBLEM: Function call failed"
    poller.wake("a")
    poller.end("a")
    assert poller.poller.last_result == "OK"


def test_the_last_result_after_a_partial_response_is_ok() -> None:
    poller = PollerHarness(MappingSettings(report_batch_item_failures=True))
    poller.list_shards("a")
    poller.give("a", [_record(1), _record(2)])
    poller.end("a", _reporting(_record(2)))
    assert poller.poller.last_result == "OK"
    poller.end("a", _reporting(_record(2)))
    assert poller.poller.last_result == "PROBLEM: Function call failed"


def _reporting(record: dict[str, Any]) -> Returned:
    number = record["dynamodb"]["SequenceNumber"]
    return Returned({"batchItemFailures": [{"itemIdentifier": number}]})


@pytest.mark.parametrize(
    ("outcome", "report", "expected"),
    [
        (Returned(), True, "handled"),
        (_reporting(_record(2)), True, "partial"),
        (_reporting(_record(1)), True, "failed"),
        (_reporting(_record(2)), False, "handled"),
        (Errored(), True, "failed"),
        (Throttled(), True, "throttled"),
    ],
)
def test_the_poller_says_what_a_call_came_to_before_what_follows(
    outcome: Outcome, report: bool, expected: str
) -> None:
    poller = PollerHarness(MappingSettings(report_batch_item_failures=report, retry_attempts=0))
    poller.list_shards("a")
    poller.give("a", [_record(1), _record(2)])
    call = poller.call("a")
    first, *others = poller.end("a", outcome)
    assert isinstance(first, CallResult)
    assert (first.call, first.outcome) == (call.call, expected)
    assert _kinds(others, CallResult) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("done", "an answer must be an object with batchItemFailures, got text"),
        (
            {"batchItemFailures": {}},
            "batchItemFailures must be a list, got an object",
        ),
        (
            {"batchItemFailures": ["1"]},
            "batchItemFailures[0] must be an object with itemIdentifier, got text",
        ),
        (
            {"batchItemFailures": [{"foo": 1}]},
            "batchItemFailures[0] must have an itemIdentifier, got foo",
        ),
        (
            {"batchItemFailures": [{"itemIdentifier": ""}]},
            (
                "batchItemFailures[0].itemIdentifier must be a record's sequence number as text, "
                "got an empty text"
            ),
        ),
        (
            {"batchItemFailures": [{"itemIdentifier": 123}]},
            (
                "batchItemFailures[0].itemIdentifier must be a record's sequence number as text, "
                "got a number"
            ),
        ),
        (
            {"batchItemFailures": [{"itemIdentifier": "7"}]},
            (
                "batchItemFailures[0].itemIdentifier must be the sequence number of a record of "
                "the batch, got '7'"
            ),
        ),
        (_reporting(_record(1)).payload, "the answer reports the first record"),
    ],
)
def test_an_answer_that_fails_the_batch_has_its_reason(answer: Any, reason: str) -> None:
    poller = PollerHarness(MappingSettings(report_batch_item_failures=True))
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    assert poller.end("a", Returned(answer))[0] == CallResult("a", 0, 2, "failed", reason)


def test_an_answer_without_a_windows_state_has_its_reason() -> None:
    poller = PollerHarness(MappingSettings(tumbling_window=10))
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    (result, *_) = poller.end("a", Returned({"batchItemFailures": []}))
    assert isinstance(result, CallResult)
    assert result.reason == (
        "an answer in a tumbling window must be an object with state, got an object without state"
    )


def test_the_iterator_age_is_that_of_the_last_record() -> None:
    for choice, before_call in (("sent", True), ("ended", False)):
        poller = PollerHarness(assumptions=Assumptions(iterator_age_at=choice))  # type: ignore[arg-type] # a table
        poller.list_shards("a")
        poller.now_ms += 4_000
        asked = poller.give("a", [_record(1), _record(2)])
        ages = [each.value for each in _kinds(asked, Measure) if each.metric == "IteratorAge"]
        assert ages == ([4_000] if before_call else [])
        poller.now_ms += 500
        asked = poller.end("a")
        ages = [each.value for each in _kinds(asked, Measure) if each.metric == "IteratorAge"]
        assert ages == ([] if before_call else [4_500])


@pytest.mark.parametrize(("scale", "waits_ms"), [(1, [200, 400, 800]), (100, [2, 4, 8])])
def test_a_time_scale_divides_the_waits_before_retries(scale: float, waits_ms: list[int]) -> None:
    poller = PollerHarness(MappingSettings(retry_attempts=5))
    poller.mapping = replace(poller.mapping, time_scale=scale)
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    waited: list[int] = []
    for _ in waits_ms:
        poller.end("a", Errored())
        timer = _kinds(poller.asked, WakeAt)[-1]
        waited.append(timer.at_ms - poller.now_ms)
        poller.now_ms = timer.at_ms
        poller.tell(Woken("a", timer.lane, timer.timer))
    assert waited == waits_ms
