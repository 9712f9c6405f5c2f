"""`on.latest` in every world: the newest state of each item is handled, and none comes after it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import World, check
from lambda_runtime import Change, Router

QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"


def an_index(world: World) -> None:
    """A search index of the newest states, with other routes and handlers that fail beside it."""
    rng = world.rng
    table = world.table("Orders", keys="order_id", shards=2)
    index: dict[str, Any] = {}
    on = Router(concurrency=rng.integer(1, 3))

    @on.latest
    def newest(change: Change) -> None:
        index[change.keys["order_id"]] = change.new["n"] if change.has_new else None
        if rng.chance(0.05):
            raise ConnectionError

    @on.default
    def never(_change: Change) -> None:
        raise AssertionError("a latest route takes every change")

    consumer = world.consumer(
        "index",
        on.handler,
        table=table,
        settings=MappingSettings(
            batch_size=rng.integer(1, 9),
            max_batching_window=rng.integer(0, 3),
            parallelization_factor=rng.integer(1, 3),
            retry_attempts=rng.integer(1, 4),
            bisect_batch_on_error=rng.chance(0.5),
            report_batch_item_failures=rng.chance(0.7),
            on_failure=QUEUE,
        ),
    )
    for number in range(rng.integer(5, 40)):
        order = {"order_id": f"o-{rng.integer(0, 5)}"}
        if rng.chance(0.2):
            table.delete(order)
        else:
            table.put({**order, "n": number})
        world.run_for(timedelta(seconds=rng.between(0, 2)))
    world.run()

    discarded = [*consumer.records("failed"), *consumer.records("age_exceeded")]
    unsure = {record["dynamodb"]["Keys"]["order_id"]["S"] for record in discarded}
    there = {item["order_id"]: item["n"] for item in table.items()}
    stale = {key: n for key, n in index.items() if key not in unsure and n != there.get(key)}
    assert stale == {}
    assert there.keys() - unsure <= index.keys()


def test_the_index_ends_in_the_newest_states() -> None:
    check(an_index, seeds=50)
