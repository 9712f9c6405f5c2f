from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cdk_streams.errors import FilterError
from cdk_streams.simulator import expire, insert, modify, remove
from cdk_streams.simulator._records import START

Play = Callable[..., Any]


def _pattern(**image: Any) -> str:
    return json.dumps({"dynamodb": {"NewImage": image}})


def _items(attribute: str, *values: Any) -> list[dict[str, Any]]:
    return [
        insert({"pk": str(number), attribute: value}, number=number)
        for number, value in enumerate(values, 1)
    ]


def test_filters_come_before_batches(play: Play) -> None:
    """E1, recorded: the checkpoint moves past what was filtered out."""
    records = _items("keep", False, True, False, True)
    played = play(records, batch_size=4, filters=[_pattern(keep={"BOOL": [True]})])
    assert played.calls == "[2,4]"
    assert played.checkpoint == 4


def test_nothing_is_called_when_no_record_matches(play: Play) -> None:
    """E2."""
    played = play(4, filters=[_pattern(keep={"BOOL": [True]})])
    assert played.calls == ""
    assert played.checkpoint == 4
    assert played.run.counts.filtered == 4


def test_filtered_records_fill_no_batch(play: Play) -> None:
    records = _items("n", *range(1, 8))
    filters = [_pattern(n={"N": ["1", "4", "7"]})]
    played = play(records, batch_size=2, filters=filters)
    assert played.calls == "[1,4] [7]"
    assert played.run.metrics["FilteredOutEventCount"] == 4


def test_filtered_records_are_in_no_failure_record(play: Play) -> None:
    filters = [_pattern(n={"N": ["1", "4"]})]
    played = play(_items("n", 1, 2, 3, 4), bad={4}, filters=filters, retry_attempts=0)
    assert played.failed == [("RetryAttemptsExhausted", 1, 2, "1-4", "Unhandled")]


def test_a_record_passes_when_one_of_several_filters_matches(play: Play) -> None:
    filters = [_pattern(n={"N": ["1"]}), _pattern(n={"N": ["3"]})]
    assert play(_items("n", 1, 2, 3), filters=filters).calls == "[1,3]"


def test_the_batching_window_begins_again_after_a_call(play: Play) -> None:
    """E4, recorded: the last record came 5 s after the call before it."""
    played = play(5, batch_size=2, max_batching_window=5)
    assert played.calls == "[1,2] [3,4] [5]"
    assert played.gaps == [timedelta(0), timedelta(seconds=5)]


def test_a_window_opens_at_any_time_of_the_clock(play: Play) -> None:
    records = [{"dynamodb": {"SequenceNumber": "1"}}]
    played = play(records, max_batching_window=5, start=0)
    assert [call.at for call in played.run.invocations] == [timedelta(seconds=5)]


def test_a_full_batch_does_not_wait_for_its_window(play: Play) -> None:
    played = play(4, batch_size=2, max_batching_window=300)
    assert [call.at for call in played.run.invocations] == [timedelta(0)] * 2


def test_records_that_arrive_within_the_window_share_a_batch(play: Play) -> None:
    records = [
        insert({"pk": str(number)}, number=number, at=START + timedelta(seconds=second))
        for number, second in enumerate((0, 3, 4, 9), 1)
    ]
    played = play(records, max_batching_window=5, start=START)
    assert played.calls == "[1,2,3] [4]"
    assert [call.at for call in played.run.invocations] == [
        timedelta(seconds=5),
        timedelta(seconds=14),
    ]


def test_without_a_window_what_is_there_is_called(play: Play) -> None:
    records = [
        insert({"pk": str(number)}, number=number, at=START + timedelta(seconds=second))
        for number, second in enumerate((0, 0, 3), 1)
    ]
    assert play(records, start=START).calls == "[1,2] [3]"


def test_an_insert_filter_passes_only_the_insert(play: Play) -> None:
    """E5, recorded: the second identical put writes nothing that passes."""
    item = {"pk": "1", "n": 1}
    records = [insert(item, number=1), modify(item, item, number=2)]
    played = play(records, filters=[json.dumps({"eventName": ["INSERT"]})])
    assert played.calls == "[1]"


def test_exists_false_on_an_attribute_name_passes_everything(play: Play) -> None:
    """E6, recorded: `exists` looks at leaves, and an attribute is none."""
    records = [insert({"pk": "1", "flag": "x"}, number=1), insert({"pk": "2"}, number=2)]
    assert play(records, filters=[_pattern(flag=[{"exists": False}])]).calls == "[1,2]"


def test_numbers_are_text_to_a_filter(play: Play) -> None:
    """E7, recorded: numeric never matches an N, anything-but compares its text."""
    filters = [_pattern(n={"N": [{"numeric": [">", 100]}, {"anything-but": "101"}]})]
    assert play(_items("n", 42, 101), filters=filters).calls == "[1]"


def test_all_changes_of_an_item_share_a_batch_in_order(play: Play) -> None:
    """E8, recorded."""
    records = [
        insert({"pk": "1", "n": 1}, number=1),
        modify({"pk": "1", "n": 1}, {"pk": "1", "n": 2}, number=2),
        remove({"pk": "1", "n": 2}, number=3),
    ]
    played = play(records)
    (event,) = played.events
    assert [each["eventName"] for each in event["Records"]] == ["INSERT", "MODIFY", "REMOVE"]


def test_a_pattern_that_is_no_object_is_refused(play: Play) -> None:
    """E9, recorded."""
    with pytest.raises((FilterError, ValueError)):
        play(1, filters=['"single-string"'])


def test_an_expired_item_tells_who_deleted_it(play: Play) -> None:
    pattern = {"userIdentity": {"principalId": ["dynamodb.amazonaws.com"]}}
    records = [remove({"pk": "1"}, number=1), expire({"pk": "2"}, number=2)]
    assert play(records, filters=[json.dumps(pattern)]).calls == "[2]"


def test_a_call_holds_at_most_6_mb(play: Play) -> None:
    records = _items("blob", *["x" * 300_000] * 50)
    played = play(records, batch_size=100)
    sizes = [len(json.dumps(event, separators=(",", ":"))) for event in played.events]
    assert max(sizes) <= 6 * 1024 * 1024
    # Each batch is as full as it can be: one more record would have been too much.
    assert min(sizes[:-1]) + 300_000 > 6 * 1024 * 1024
    assert sum(len(event["Records"]) for event in played.events) == 50


@pytest.mark.parametrize("retries", [0, 2])
def test_a_record_larger_than_a_call_is_never_sent(play: Play, retries: int) -> None:
    """Recorded for Kinesis, 2026-09-19: it spends its retries, and the next record follows."""
    records = _items("blob", "a", "\x01" * 1_100_000, "b")
    played = play(records, retry_attempts=retries, bisect_batch_on_error=True)
    assert played.calls == "[1] [3]"
    assert played.failed == [
        ("RetryAttemptsExhausted", retries + 1, 1, "2-2", "no responseContext")
    ]
    assert played.gaps[0] >= timedelta(milliseconds=200) * retries
    assert played.checkpoint == 3


def test_a_record_larger_than_a_call_blocks_its_shard_without_a_limit(play: Play) -> None:
    large = insert({"pk": "1", "blob": "\x01" * 1_100_000}, number=1)
    next_one = insert({"pk": "2"}, number=2, at=START + timedelta(seconds=50))
    played = play([large, next_one], max_record_age=60)
    ((condition, count, *_),) = played.failed
    assert condition == "RecordAgeExceeded"
    assert count > 1
    assert played.calls == "[2]"
