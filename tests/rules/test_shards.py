from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Errored, Invoke, Read, ShardDone, ShardSeen
from cdk_streams.simulator import insert, simulate
from cdk_streams.simulator._records import START
from cdk_streams.testing import PollerHarness

Play = Callable[..., Any]


def _records(*numbers: int) -> list[dict[str, Any]]:
    return [insert({"pk": str(number)}, number=number) for number in numbers]


def _number(record: Any) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def _nothing(_event: Any, _context: Any) -> None:
    return None


def test_children_are_read_after_their_parent_is_drained() -> None:
    """H1, recorded for Kinesis: the parent first, then both children at once."""
    run = simulate(
        _nothing,
        {"parent": _records(1, 2, 3), "left": _records(4), "right": _records(5)},
        settings=MappingSettings(batch_size=2),
        parents={"left": ["parent"], "right": ["parent"]},
        duration=timedelta(seconds=1),
    )
    assert [call.shard_id for call in run.invocations] == ["parent", "parent", "left", "right"]
    times = [call.at.total_seconds() for call in run.invocations]
    assert times == [0, 1, 2, 2]


def test_a_merged_shard_waits_for_both_parents() -> None:
    poller = PollerHarness()
    poller.list_shards("a", "b", ShardSeen("child", ("a", "b")))
    poller.give("a", _records(1), closed=True)
    assert ShardDone("a") in poller.end("a")
    poller.give("b", _records(2), closed=True)
    asked = poller.end("b")
    assert ShardDone("b") in asked
    assert [each.shard_id for each in asked if isinstance(each, Read)] == ["child"]


def test_a_child_of_a_trimmed_parent_is_read_at_once() -> None:
    poller = PollerHarness()
    poller.list_shards(ShardSeen("child", ("gone",)))
    assert poller.read("child").after is None


def test_a_shard_with_a_failing_batch_holds_its_children_back() -> None:
    poller = PollerHarness(MappingSettings(retry_attempts=1))
    poller.list_shards("parent", ShardSeen("child", ("parent",)))
    poller.give("parent", _records(1), closed=True)
    poller.end("parent", Errored())
    poller.wake("parent")
    asked = poller.end("parent", Errored())
    assert ShardDone("parent") in asked
    assert poller.read("child").after is None


def test_latest_passes_over_shards_that_are_closed_at_the_start() -> None:
    poller = PollerHarness(MappingSettings(starting_position="LATEST"))
    poller.list_shards(ShardSeen("old", closed=True), ShardSeen("open", ("old",)))
    assert poller.read("open").start == "LATEST"
    asked = [each.shard_id for each in poller.asked if isinstance(each, Read)]
    assert asked == ["open"]


def test_a_child_that_appears_later_is_read_from_its_start() -> None:
    poller = PollerHarness(MappingSettings(starting_position="LATEST"))
    poller.list_shards("parent")
    poller.give("parent", closed=True)
    poller.list_shards(ShardSeen("parent", closed=True), ShardSeen("child", ("parent",)))
    assert poller.read("child").start == "TRIM_HORIZON"


def test_everything_behind_a_poison_record_waits(play: Play) -> None:
    """H4, recorded."""
    played = play(4, bad={2}, batch_size=1, until=timedelta(hours=1))
    assert played.calls.startswith("[1] [2] [2]")
    assert "[3]" not in played.calls
    assert played.checkpoint == 1


def test_a_poison_record_holds_up_no_other_shard() -> None:
    def handler(event: dict[str, Any], _context: Any) -> None:
        if event["Records"][0]["dynamodb"]["Keys"]["pk"]["S"] == "1":
            raise ValueError("poison")

    run = simulate(
        handler,
        {"a": _records(1, 2), "b": _records(3, 4)},
        settings=MappingSettings(batch_size=1),
        until=timedelta(minutes=1),
    )
    assert run.checkpoints == {"b": _number(_records(4)[0])}


def test_a_factor_runs_as_many_calls_of_a_shard_at_once() -> None:
    poller = PollerHarness(MappingSettings(batch_size=1, parallelization_factor=4))
    poller.list_shards("a")
    asked = poller.give("a", _records(*range(1, 41)))
    calls = [each for each in asked if isinstance(each, Invoke)]
    assert sorted(call.lane for call in calls) == [0, 1, 2, 3]


def test_records_of_one_item_share_a_lane() -> None:
    """Documented: order is kept for each item, partition and sort key together."""
    poller = PollerHarness(MappingSettings(batch_size=100, parallelization_factor=10))
    poller.list_shards("a")
    stream = [
        insert({"pk": "1", "sk": str(number % 7)}, keys=["pk", "sk"], number=number)
        for number in range(1, 50)
    ]
    asked = poller.give("a", stream)
    lanes: dict[str, set[int]] = {}
    for call in asked:
        if isinstance(call, Invoke):
            for record in call.records:
                key = record["dynamodb"]["Keys"]["sk"]["S"]
                lanes.setdefault(key, set()).add(call.lane)
    assert len(lanes) == 7
    assert all(len(each) == 1 for each in lanes.values())
    assert len(set().union(*lanes.values())) > 1


def test_a_blocked_lane_holds_the_checkpoint_but_not_the_others() -> None:
    poller = PollerHarness(MappingSettings(batch_size=1, parallelization_factor=2))
    poller.list_shards("a")
    stream = _records(*range(1, 9))
    poller.give("a", stream)
    blocked = poller.call("a", lane=0)
    poller.end("a", Errored(), lane=0)
    handled = {blocked.request_id}
    while (call := poller.call("a", lane=1)).request_id not in handled:
        handled.add(call.request_id)
        poller.end("a", lane=1)
    # The other lane got through all its records, the checkpoint not past the blocked one.
    assert len(handled) > 3
    checkpoint = poller.poller.shards["a"].checkpoint
    passed = [each for each in stream if checkpoint and int(_number(each)) <= int(checkpoint)]
    assert passed == stream[: list[Any](stream).index(blocked.records[0])]


def test_several_mappings_on_one_stream_have_a_checkpoint_each() -> None:
    stream = _records(1, 2)
    good, bad = PollerHarness(), PollerHarness()
    for poller in (good, bad):
        poller.list_shards("a")
        poller.give("a", stream)
    good.end("a")
    bad.end("a", Errored())
    assert good.poller.shards["a"].checkpoint == _number(stream[-1])
    assert bad.poller.shards["a"].checkpoint is None


def test_an_old_stream_begins_with_its_oldest_records(play: Play) -> None:
    hour = timedelta(hours=1)
    stream = [
        insert({"pk": str(number)}, number=number, at=START - hour * age)
        for number, age in enumerate((30, 25, 20, 1), 1)
    ]
    played = play(stream, start=START)
    assert played.calls == "[3,4]"
    assert played.run.counts.trimmed == 2
