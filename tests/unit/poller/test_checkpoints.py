from __future__ import annotations

from typing import Any

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Checkpoint, Errored, Invoke
from cdk_streams.simulator import insert
from cdk_streams.testing import PollerHarness


def _numbered(*numbers: int) -> list[dict[str, Any]]:
    """Return records with these very sequence numbers, each of an item of its own."""
    made = [insert({"pk": str(number)}) for number in numbers]
    for record, number in zip(made, numbers, strict=True):
        record["dynamodb"]["SequenceNumber"] = str(number)
    return made


def _checkpoints(poller: PollerHarness) -> list[int]:
    return [int(each.sequence_number) for each in poller.asked if isinstance(each, Checkpoint)]


def test_checkpoints_of_several_lanes_are_compared_as_integers() -> None:
    poller = PollerHarness(MappingSettings(batch_size=1, parallelization_factor=2))
    poller.list_shards("a")
    stream = _numbered(*range(6, 13))
    poller.give("a", stream)
    for _ in stream:
        for lane in (0, 1):
            call = poller.call("a", lane)
            if poller.poller.shards["a"].lanes[lane].work:
                assert call.records
                poller.end("a", lane=lane)
    checkpoints = _checkpoints(poller)
    assert checkpoints == sorted(checkpoints)
    assert checkpoints[-1] == 12
    assert poller.poller.shards["a"].unsettled == ()


def test_the_checkpoint_stops_before_the_first_record_that_waits() -> None:
    poller = PollerHarness(MappingSettings(batch_size=10, parallelization_factor=4))
    poller.list_shards("a")
    stream = _numbered(8, 9, 10, 11, 100)
    asked = poller.give("a", stream)
    calls = {each.lane: each for each in asked if isinstance(each, Invoke)}
    waiting = {int(each["dynamodb"]["SequenceNumber"]) for each in stream}
    for lane, call in calls.items():
        poller.end("a", lane=lane)
        waiting -= {int(each["dynamodb"]["SequenceNumber"]) for each in call.records}
        passed = _checkpoints(poller)[-1:] or [0]
        assert passed[0] == max(
            (number for number in (8, 9, 10, 11, 100) if number < min(waiting, default=101)),
            default=0,
        )


def test_a_checkpoint_is_stored_once() -> None:
    poller = PollerHarness()
    poller.list_shards("a")
    poller.give("a", _numbered(1))
    poller.end("a")
    poller.give("a")
    poller.give("a")
    assert _checkpoints(poller) == [1]


def test_a_failure_record_under_way_holds_the_checkpoint() -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:failures"
    poller = PollerHarness(MappingSettings(retry_attempts=0, on_failure=queue))
    poller.list_shards("a")
    poller.give("a", _numbered(1))
    poller.end("a", Errored())
    assert _checkpoints(poller) == []
    poller.deliver("a")
    assert _checkpoints(poller) == [1]
