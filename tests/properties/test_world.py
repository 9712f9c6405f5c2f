"""What holds in every world, whatever its seed, its faults and its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Fate
from cdk_streams.simulator import NO_FAULTS, Consumer, Faults, World
from cdk_streams.simulator._timeline.events import TimelineEvent

QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"
Writes = list[tuple[str, int, int]]

rare = st.sampled_from([0.0, 0.05, 0.3])
seeds = st.integers(min_value=0, max_value=2**63)
writes: st.SearchStrategy[Writes] = st.lists(
    st.tuples(
        st.sampled_from("abcdefg"),
        st.integers(min_value=-1, max_value=3),
        st.integers(min_value=0, max_value=900),
    ),
    max_size=30,
)
any_faults = st.builds(
    Faults,
    crash=rare,
    timeout=rare,
    throttle=rare,
    slow=rare,
    duplicate=rare,
    destination_denied=rare,
    shard_change=rare,
    late_start=rare,
)
any_settings = st.builds(
    MappingSettings,
    batch_size=st.integers(min_value=1, max_value=7),
    max_batching_window=st.sampled_from([0, 0, 3]),
    parallelization_factor=st.integers(min_value=1, max_value=10),
    retry_attempts=st.integers(min_value=0, max_value=3),
    max_record_age=st.sampled_from([None, None, 60]),
    bisect_batch_on_error=st.booleans(),
    report_batch_item_failures=st.booleans(),
    filters=st.sampled_from([(), ({"eventName": ["MODIFY", "REMOVE"]},)]),
    on_failure=st.sampled_from([None, QUEUE]),
)


def _key(record: dict[str, Any]) -> str:
    key: str = record["dynamodb"]["Keys"]["pk"]["S"]
    return key


def _play(
    world: World,
    script: Writes,
    mapping: MappingSettings,
    handler: Callable[[Any, Any], Any],
    shards: int = 1,
) -> Consumer:
    """Write the script, -1 being a delete, and let the world come to rest."""
    table = world.table("Items", shards=shards)
    consumer = world.consumer("reader", handler, table=table, settings=mapping)
    for key, value, pause_ms in script:
        if value < 0:
            table.delete({"pk": key})
        else:
            table.put({"pk": key, "value": value})
        world.run_for(timedelta(milliseconds=pause_ms))
    world.run()
    return consumer


def _picky(bad: str) -> Callable[[Any, Any], Any]:
    """Return a handler that fails at the records of one item, and reports which."""

    def handler(event: Any, _: Any) -> Any:
        failed = [each for each in event["Records"] if _key(each) == bad]
        if failed and len(event["Records"]) % 2:
            raise ValueError(bad)
        number = failed and failed[0]["dynamodb"]["SequenceNumber"]
        return {"batchItemFailures": [{"itemIdentifier": number}] if number else []}

    return handler


@given(seeds, writes, any_faults, any_settings)
def test_a_run_is_a_function_of_its_seed(
    seed: int, script: Writes, faults: Faults, mapping: MappingSettings
) -> None:
    def story() -> Sequence[TimelineEvent]:
        world = World(seed, faults=faults)
        _play(world, script, mapping, _picky("c"), shards=2)
        return world.timeline

    assert story() == story()


@settings(max_examples=200)
@given(seeds, writes, any_faults, any_settings, st.integers(min_value=1, max_value=4))
def test_no_record_is_lost_silently(
    seed: int, script: Writes, faults: Faults, mapping: MappingSettings, shards: int
) -> None:
    world = World(seed, faults=faults)
    consumer = _play(world, script, mapping, _picky("c"), shards)

    fates: tuple[Fate, ...] = get_args(Fate)
    assert consumer.waiting == []
    assert sum(len(consumer.records(fate)) for fate in fates) == world.tables["Items"].written
    named = [body["DDBStreamBatchInfo"] for body in consumer.failures]
    for record in [*consumer.records("failed"), *consumer.records("age_exceeded")]:
        number = int(record["dynamodb"]["SequenceNumber"])
        assert any(
            int(batch["startSequenceNumber"]) <= number <= int(batch["endSequenceNumber"])
            for batch in named
        )


@settings(max_examples=200)
@given(seeds, writes, any_faults, any_settings, st.integers(min_value=1, max_value=4))
def test_changes_of_one_item_first_arrive_in_their_order(
    seed: int, script: Writes, faults: Faults, mapping: MappingSettings, shards: int
) -> None:
    first: dict[str, list[int]] = {}

    def handler(event: Any, context: Any) -> Any:
        for record in event["Records"]:
            number = int(record["dynamodb"]["SequenceNumber"])
            seen = first.setdefault(_key(record), [])
            if number not in seen:
                seen.append(number)
        return _picky("c")(event, context)

    _play(World(seed, faults=faults), script, mapping, handler, shards)

    for numbers in first.values():
        assert numbers == sorted(numbers)


@given(seeds, writes, st.integers(min_value=2, max_value=6), rare)
def test_shards_change_no_items_history(
    seed: int, script: Writes, shards: int, change: float
) -> None:
    def histories(world: World, shards: int) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}

        def handler(event: Any, _: Any) -> None:
            for record in event["Records"]:
                body = record["dynamodb"]
                told = (record["eventName"], body.get("OldImage"), body.get("NewImage"))
                found.setdefault(_key(record), []).append(told)

        _play(world, script, MappingSettings(batch_size=3), handler, shards)
        return found

    none = dict.fromkeys(Faults.__dataclass_fields__, 0.0)
    restless = Faults(**(none | {"shard_change": change}))
    whole = histories(World(seed, faults=NO_FAULTS), 1)

    assert histories(World(seed, faults=restless), shards) == whole
