"""Forwarded events under every fault: nothing is lost, nothing overtakes, nothing is made up."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import Consumer, World
from cdk_streams.testing import FakeServices
from lambda_runtime import forward, parse
from lambda_runtime.forward import Forwarder

# 10,000 seeds ran once for each target; the gate runs these.
SEEDS = range(int(os.environ.get("FORWARD_SEEDS", "10")))
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
TARGETS: dict[str, Callable[[], Any]] = {
    "bus": lambda: forward.EventBus("orders"),
    "FIFO topic": lambda: forward.SnsTopic("arn:aws:sns:us-east-1:123456789012:orders.fifo"),
    "FIFO queue": lambda: forward.SqsQueue("https://sqs/orders.fifo"),
    "Kinesis": lambda: forward.KinesisStream("orders"),
    "Firehose": lambda: forward.FirehoseDeliveryStream("orders"),
    "bucket": lambda: forward.S3Bucket("orders"),
    "state machine": lambda: forward.SfnStateMachine(MACHINE),
    "function": lambda: forward.LambdaFunction("orders"),
}
# Of which the first event of each change must come in the order of the item's changes.
ORDERED = ("FIFO topic", "FIFO queue", "Kinesis")
RETRIED = MappingSettings(
    batch_size=20,
    max_batching_window=1,
    retry_attempts=3,
    bisect_batch_on_error=True,
    report_batch_item_failures=True,
    parallelization_factor=2,
)


class Failing:
    """One entry in ten is refused, and one call in thirty fails as a whole."""

    def __init__(self, world: World) -> None:
        self.over = False
        self._rng = world.rng

    def __call__(self, _service: str, _event: Any) -> str | None:
        if self.over:
            return None
        if self._rng.chance(0.03):
            raise ConnectionError
        return "Throttled" if self._rng.chance(0.1) else None


def write_orders(world: World, table: Any, count: int) -> None:
    """Plan `count` writes of a few orders within ten seconds: items are hot."""
    for number in range(count):
        key = {"pk": world.rng.choice("ABCDE")}
        kind = world.rng.choice(("put", "put", "update", "delete"))
        action: Callable[[], None] = {
            "put": partial(table.put, {**key, "n": number}),
            "update": partial(table.update, key, {"n": number, "tags": {"x", str(number)}}),
            "delete": partial(table.delete, key),
        }[kind]
        world.call_after(timedelta(milliseconds=world.rng.integer(0, 10_000)), action)


def numbers(records: list[Any]) -> set[int]:
    return {int(record["dynamodb"]["SequenceNumber"]) for record in records}


def nothing_is_lost(consumer: Consumer, services: FakeServices) -> None:
    sent = {int(event["sequence"]) for event in services.events}
    assert not consumer.waiting
    assert numbers(consumer.records("handled")) <= sent


def nothing_is_made_up(consumer: Consumer, services: FakeServices) -> None:
    fates: Any = ("handled", "failed", "age_exceeded", "trimmed")
    written = {
        each["dynamodb"]["SequenceNumber"]: each
        for fate in fates
        for each in consumer.records(fate)
    }
    for change in parse(services.events):
        assert change.record == written[change.sequence_number]


def nothing_overtakes(services: FakeServices) -> None:
    seen: defaultdict[str, list[int]] = defaultdict(list)
    for event in services.events:
        number = int(event["sequence"])
        if number not in seen[event["subject"]]:
            seen[event["subject"]].append(number)
    assert all(each == sorted(each) for each in seen.values())


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_change_arrives_whatever_fails(seed: int, name: str) -> None:
    with World(seed) as world:
        failing = Failing(world)
        services = FakeServices(refuse=failing, now=lambda: world.now)
        table = world.table("Orders")
        handler = services.running(Forwarder(TARGETS[name]()).handler)
        consumer = world.consumer("events", handler, table=table, settings=RETRIED)
        write_orders(world, table, 60)
        world.run()

        nothing_is_lost(consumer, services)
        nothing_is_made_up(consumer, services)
        if name in ORDERED:
            nothing_overtakes(services)

        # Hours later, what was discarded is redriven.
        failing.over = True
        discarded = [*consumer.records("failed"), *consumer.records("age_exceeded")]
        handler({"Records": discarded}, None)
        written = {*numbers(consumer.records("handled")), *numbers(discarded)}
        assert {int(event["sequence"]) for event in services.events} >= written
        assert len(written) == table.written
