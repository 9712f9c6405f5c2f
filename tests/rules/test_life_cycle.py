from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import (
    Checkpoint,
    Disabled,
    Enabled,
    Errored,
    Invoke,
    Read,
    ReadFailed,
    Restarted,
    Returned,
    Throttled,
)
from cdk_streams.simulator import insert
from cdk_streams.simulator._records import START
from cdk_streams.testing import PollerHarness

Play = Callable[..., Any]

ALIAS = "arn:aws:lambda:us-east-1:123456789012:function:f:live"
BUCKET = "arn:aws:s3:::failures"


def _record(number: int, second: float = 0) -> dict[str, Any]:
    return insert({"pk": str(number)}, number=number, at=START + timedelta(seconds=second))


def _number(record: Any) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def test_latest_begins_where_the_poller_really_starts(play: Play) -> None:
    """G1, recorded: a record 70 s after `Enabled` was missed too, a later one came."""
    records = [_record(1, -10), _record(2, 70), _record(3, 140)]
    played = play(records, starting_position="LATEST", start=START + timedelta(seconds=90))
    assert played.calls == "[3]"
    assert played.run.counts.skipped == 2


def test_trim_horizon_begins_at_the_oldest_record_kept(play: Play) -> None:
    """H5, documented."""
    hours = timedelta(hours=1).total_seconds()
    records = [_record(1, -25 * hours), _record(2, -23 * hours), _record(3)]
    played = play(records, start=START)
    assert played.calls == "[2,3]"
    assert played.run.counts.trimmed == 1


def test_a_source_that_refuses_reads_loses_nothing() -> None:
    """G2, recorded: the mapping stays enabled and tells the error; the records come later."""
    poller = PollerHarness(MappingSettings(batch_size=1))
    poller.list_shards("a")
    denied = "User is not authorized to perform: dynamodb:DescribeStream"
    poller.tell(ReadFailed("a", poller.read("a").read, denied))
    assert poller.poller.last_result == denied
    assert poller.poller.enabled
    first = poller.read("a")
    assert first.after is None
    assert first.at_ms == poller.now_ms + 250
    poller.give("a", [_record(1), _record(2)])
    assert poller.call("a").records == (_record(1),)
    poller.end("a")
    assert poller.call("a").records == (_record(2),)
    assert poller.poller.last_result == "OK"


def test_a_disabled_mapping_goes_on_where_it_stopped() -> None:
    """G3, recorded: what was written meanwhile is delivered from the kept checkpoint."""
    poller = PollerHarness(MappingSettings(batch_size=1))
    poller.list_shards("a")
    poller.give("a", [_record(1), _record(2)])
    poller.tell(Disabled())
    asked = poller.end("a")
    assert Checkpoint("a", _number(_record(1))) in asked
    assert not any(isinstance(each, (Invoke, Read)) for each in asked)
    asked = poller.tell(Enabled())
    (read,) = asked
    assert isinstance(read, Read)
    assert read.after == _number(_record(1))
    poller.give("a", [_record(2), _record(3)])
    assert poller.call("a").records == (_record(2),)


def test_a_batch_that_fails_while_disabled_is_read_again() -> None:
    poller = PollerHarness()
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    poller.tell(Disabled())
    assert not any(isinstance(each, Invoke) for each in poller.end("a", Errored()))
    poller.tell(Enabled())
    assert poller.read("a").after is None
    poller.give("a", [_record(1)])
    assert poller.call("a").attempt == 1


def test_a_call_under_way_when_enabled_again_is_not_repeated() -> None:
    poller = PollerHarness(MappingSettings(batch_size=1))
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    poller.tell(Disabled())
    assert poller.tell(Enabled()) == []
    poller.end("a")
    assert poller.read("a").after == _number(_record(1))


def test_a_disabled_mapping_reads_nothing() -> None:
    poller = PollerHarness(MappingSettings(enabled=False))
    assert poller.list_shards("a") == []
    (read,) = poller.tell(Enabled())
    assert isinstance(read, Read)


def test_a_restart_delivers_again_from_the_checkpoint() -> None:
    """Documented: at least once; an answer to a call from before is too late."""
    poller = PollerHarness(MappingSettings(batch_size=1))
    poller.list_shards("a")
    poller.give("a", [_record(1), _record(2)])
    poller.end("a")
    poller.tell(Restarted())
    late = poller.end("a")
    assert late == []
    assert poller.read("a").after == _number(_record(1))
    poller.give("a", [_record(2)])
    assert poller.call("a").records == (_record(2),)


def test_a_restart_keeps_the_state_of_a_window() -> None:
    poller = PollerHarness(MappingSettings(batch_size=1, tumbling_window=10))
    poller.list_shards("a")
    poller.give("a", [_record(1), _record(2)])
    poller.end("a", Returned({"state": {"sum": 1}}))
    poller.tell(Restarted())
    poller.give("a", [_record(2)])
    window = poller.call("a").window
    assert window is not None
    assert window.state == {"sum": 1}


def test_a_saved_checkpoint_is_where_another_poller_goes_on() -> None:
    number = _number(_record(7))
    poller = PollerHarness(checkpoints={"a": number}, finished=["parent"])
    poller.list_shards("a", "parent")
    assert poller.read("a").after == number
    with pytest.raises(LookupError):
        poller.read("parent")


def _metrics(run: Any) -> dict[str, int]:
    return {name: value for name, value in run.metrics.items() if "EventCount" in name}


def test_a_refused_failure_record_is_lost_and_processing_goes_on(play: Play) -> None:
    """G4, recorded."""
    played = play(3, bad={1, 2, 3}, retry_attempts=0, destination_denied=True)
    assert _metrics(played.run) == {
        "PolledEventCount": 3,
        "InvokedEventCount": 3,
        "FailedInvokeEventCount": 3,
        "DroppedEventCount": 3,
    }
    assert played.run.metrics["DestinationDeliveryFailures"] == 1
    (delivery,) = played.run.deliveries
    assert not delivery.delivered
    assert played.checkpoint == 3


def test_a_delivered_failure_is_counted_as_delivered(play: Play) -> None:
    """G5, recorded: no Dropped point at all."""
    played = play(3, bad={1}, retry_attempts=0)
    assert _metrics(played.run) == {
        "PolledEventCount": 3,
        "InvokedEventCount": 3,
        "FailedInvokeEventCount": 3,
        "OnFailureDestinationDeliveredEventCount": 3,
    }


def test_without_a_destination_nothing_counts_as_dropped(play: Play) -> None:
    """G6, recorded; the documentation suggests 3."""
    played = play(3, bad={1}, retry_attempts=0, on_failure=None)
    assert _metrics(played.run) == {
        "PolledEventCount": 3,
        "InvokedEventCount": 3,
        "FailedInvokeEventCount": 3,
    }


def test_a_bucket_gets_the_records_themselves(play: Play) -> None:
    """G7 and G8, recorded: key, payload as text, qualified function, executed version."""
    played = play(
        4,
        bad={2},
        retry_attempts=0,
        on_failure=BUCKET,
        function_arn=ALIAS,
        executed_version="1",
    )
    (delivery,) = played.run.deliveries
    uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    shard = r"shardId-00000001789654273755-3d110129"
    stamp = r"2026/01/01/2026-01-01T00\.00\.00"
    assert re.fullmatch(f"aws/lambda/{uuid}/{shard}/{stamp}-{uuid}", delivery.key)
    body = json.loads(delivery.text)
    assert list(body) == [
        "requestContext",
        "responseContext",
        "version",
        "payload",
        "timestamp",
        "DDBStreamBatchInfo",
    ]
    assert json.loads(body["payload"]) == played.events[0]
    assert '"ApproximateCreationDateTime":1.7672256E9' in body["payload"]
    assert body["requestContext"]["functionArn"] == ALIAS
    assert body["requestContext"]["approximateInvokeCount"] == 1
    assert body["responseContext"]["executedVersion"] == "1"
    assert body["DDBStreamBatchInfo"]["batchSize"] == 4


def test_a_partial_failure_is_no_function_error(play: Play) -> None:
    """G9, documented."""
    played = play(4, bad={2}, report_batch_item_failures=True, retry_attempts=0)
    assert "Errors" not in played.run.metrics
    assert played.run.metrics["FailedInvokeEventCount"] == 3 + 3
    assert played.run.metrics["Invocations"] == 2


def test_a_throttle_spends_no_attempt(play: Play) -> None:
    """G10, documented: the batch waits for capacity and is delivered."""
    played = play(2, bad={2}, retry_attempts=1, throttled=lambda at: at < timedelta(minutes=5))
    assert played.calls == "[1,2] [1,2]"
    assert [call.attempt for call in played.run.invocations] == [1, 2]
    assert played.run.metrics["Throttles"] > 10
    assert played.run.invocations[0].at >= timedelta(minutes=5)
    assert played.failed == [("RetryAttemptsExhausted", 2, 2, "1-2", "Unhandled")]


def test_a_throttled_batch_ages_out(play: Play) -> None:
    played = play(2, max_record_age=60, throttled=lambda _at: True)
    assert played.calls == ""
    assert played.failed == [("RecordAgeExceeded", 1, 2, "1-2", "no responseContext")]


def test_a_throttled_call_keeps_its_request_id() -> None:
    poller = PollerHarness()
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    first = poller.call("a")
    poller.end("a", Throttled())
    poller.wake("a")
    again = poller.call("a")
    assert again.request_id == first.request_id
    assert again.attempt == first.attempt == 1
    assert again.call != first.call
