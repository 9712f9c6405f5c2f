"""Replicas under every fault: when all is quiet, the target is the transformed source."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from cdk_streams.data import compare, repair, side_of
from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import World
from cdk_streams.testing import FakeDynamoDB, RequestFailed
from lambda_runtime import encode, is_tombstone
from lambda_runtime.replication import BackfillWriter, Replica, Settings, backfill_mark
from lambda_runtime.replication._transform import Transform

# 10,000 seeds ran once; the gate runs these.
SEEDS = range(int(os.environ.get("REPLICA_SEEDS", "50")))
STATUSES = ("DRAFT", "PLACED", "PAID")
RETRIED = MappingSettings(
    batch_size=4, retry_attempts=2, bisect_batch_on_error=True, report_batch_item_failures=True
)


def shape(item: dict[str, Any]) -> dict[str, Any] | list[dict[str, Any]] | None:
    """Give no item for a draft, one for a placed order, two for a paid one; keys change."""
    if item["status"] == "DRAFT":
        return None
    shaped = [{"status": item["status"], "order": item["pk"], "n": item["n"]}]
    if item["status"] == "PAID":
        shaped.append({"status": "ANY", "order": item["pk"], "by": item["status"]})
    return shaped


def expected(source: list[dict[str, Any]], transform: Transform | None) -> list[dict[str, Any]]:
    """Return what the target must hold, in any order."""
    made: list[dict[str, Any]] = []
    for item in source:
        shaped = item if transform is None else transform(item)
        made += [] if shaped is None else [dict(shaped)] if isinstance(shaped, Mapping) else shaped  # type: ignore[arg-type]
    return sorted(made, key=repr)


class Failing:
    """A tenth of all writes fail, half of those after they were done."""

    def __init__(self, world: World, target: FakeDynamoDB) -> None:
        self._rng = world.rng
        self._target = target

    def put_item(self, **request: Any) -> Any:
        return self._sometimes(self._target.put_item, request)

    def batch_execute_statement(self, **request: Any) -> Any:
        return self._sometimes(self._target.batch_execute_statement, request)

    def _sometimes(self, operation: Callable[..., Any], request: dict[str, Any]) -> Any:
        fails = self._rng.chance(0.1)
        if fails and self._rng.chance(0.5):
            raise RequestFailed("ThrottlingException")
        answer = operation(**request)
        if fails:
            raise RequestFailed("InternalServerError")
        return answer


def write_orders(world: World, table: Any, count: int) -> None:
    """Plan `count` writes of a few orders over four minutes; some are deletes, some expire."""
    for number in range(count):
        key = {"pk": world.rng.choice("ABCDE")}
        change = {"status": world.rng.choice(STATUSES), "n": number}
        kind = world.rng.choice(("put", "put", "update", "delete", "expire"))
        action: Callable[[], None] = {
            "put": partial(table.put, {**key, **change}),
            "update": partial(table.update, key, change),
            "delete": partial(table.delete, key),
            "expire": partial(table.expire, key),
        }[kind]
        world.call_after(timedelta(milliseconds=world.rng.integer(0, 240_000)), action)


@pytest.mark.parametrize("transform", [None, shape], ids=["copied", "transformed"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_replica_is_the_transformed_source_when_all_is_quiet(
    seed: int, transform: Transform | None
) -> None:
    keys = ("pk",) if transform is None else ("status", "order")
    world = World(seed, replay=f"REPLICA_SEEDS={seed + 1} pytest {__file__} -k '{seed}-'")
    orders = world.table("Orders", shards=2)
    target = FakeDynamoDB({"Copy": keys})
    settings = Settings(table="Copy", keys=keys, concurrency=1)
    replica = Replica(settings, client=Failing(world, target), transform=transform)
    consumer = world.consumer("replica", replica.handler, table=orders, settings=RETRIED)
    write_orders(world, orders, 40)

    with world:
        world.run()
        redrive(world, replica, consumer.records("failed"))

        assert target.items("Copy") == expected(orders.items(), transform)


def redrive(world: World, replica: Replica, records: list[dict[str, Any]]) -> None:
    """Hand failed records to the handler again, hours later, in an order of nobody's choice."""
    left = [*records]
    while left:
        record = left.pop(world.rng.integer(0, len(left) - 1))
        try:
            replica.handler({"Records": [record]})
        except RequestFailed:
            left.append(record)


def run_backfill(world: World, source: Any, writer: BackfillWriter, begin_s: int) -> None:
    """Plan a backfill: pages are read, written some time later, and now and then read again."""

    def read(page: int) -> None:
        # As in a scan, an item's page is decided by its key.
        mine = [item for item in source.items() if ord(item["pk"]) % 4 == page]
        items = [encode(item)["M"] for item in mine]
        mark = backfill_mark(world.now.timestamp())
        delay = timedelta(milliseconds=world.rng.integer(0, 60_000))
        world.call_after(delay, partial(write, page, items, mark))

    def write(page: int, items: list[Any], mark: str) -> None:
        try:
            writer.write(items, mark)
        except RequestFailed:
            read(page)

    for page in range(4):
        delay = timedelta(seconds=begin_s, milliseconds=world.rng.integer(0, 90_000))
        world.call_after(delay, partial(read, page))


@pytest.mark.parametrize("transform", [None, shape], ids=["copied", "transformed"])
@pytest.mark.parametrize("seed", SEEDS)
def test_stream_and_backfill_converge_whatever_their_order(
    seed: int, transform: Transform | None
) -> None:
    keys = ("pk",) if transform is None else ("status", "order")
    world = World(seed, replay=f"REPLICA_SEEDS={seed + 1} pytest {__file__} -k '{seed}-'")
    orders = world.table("Orders", shards=2)
    tables = FakeDynamoDB({"Copy": keys, "Orders": orders})
    client, settings = Failing(world, tables), Settings(table="Copy", keys=keys, concurrency=1)
    replica = Replica(settings, client=client, transform=transform)
    # Before the consumer: only the backfill can bring them.
    for key in "ABCDEFG":
        orders.put({"pk": key, "status": world.rng.choice(STATUSES), "n": -1})
    mapping = replace(RETRIED, starting_position="LATEST")
    consumer = world.consumer("replica", replica.handler, table=orders, settings=mapping)
    writer = BackfillWriter(settings, ("pk",), client=client, transform=transform)
    # A consumer starts up to a minute late; until then nobody writes, as the page asks for.
    world.call_after(timedelta(seconds=61), partial(write_orders, world, orders, 30))
    run_backfill(world, orders, writer, begin_s=61)

    with world:
        world.run()
        source, target = side_of(tables, "Orders"), side_of(tables, "Copy")
        if world.rng.chance(0.5):
            # The failure queue was ignored, or refused the records: a repair finds what is wrong.
            found = compare(source, target, transform=transform, segments=1, sleep=lambda _: None)
            repair(target, found.differences, transform=transform)
            assert tables.items("Copy") == expected(orders.items(), transform)
        redrive(world, replica, consumer.records("failed"))

        assert tables.items("Copy") == expected(orders.items(), transform)


def write_versions(world: World, table: Any, count: int, skew: int) -> None:
    """Plan writes of an application that sets a higher `updated_at` with each, to the second."""

    def write(kind: str, key: str, number: int) -> None:
        there = table.get({"pk": key}) or {}
        is_live = bool(there) and not is_tombstone(there)
        version = max(int(world.now.timestamp()) + skew, int(there.get("updated_at", 0)) + 1)
        change = {"n": number, "by": table.name, "updated_at": version}
        if kind == "put" or (kind == "update" and not is_live):
            table.put({"pk": key, **change})
        elif kind == "update":
            table.update({"pk": key}, change)
        elif is_live:
            table.delete({"pk": key})

    for number in range(count):
        kind = world.rng.choice(("put", "update", "update", "delete"))
        action = partial(write, kind, world.rng.choice("ABC"), number)
        world.call_after(timedelta(milliseconds=world.rng.integer(0, 120_000)), action)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_tables_that_replicate_each_other_end_equal_and_come_to_rest(seed: int) -> None:
    world = World(seed, replay=f"REPLICA_SEEDS={seed + 1} pytest {__file__} -k '[{seed}]'")
    here, there = world.table("Here", shards=2), world.table("There", shards=2)
    tables = FakeDynamoDB({"Here": here, "There": there})
    client = Failing(world, tables)
    links: dict[str, Replica] = {}
    for source, target in ((here, "There"), (there, "Here")):
        settings = Settings(table=target, keys=("pk",), version="updated_at", concurrency=1)
        links[source.name] = Replica(settings, client=client)
        world.consumer(
            f"from {source.name}", links[source.name].handler, table=source, settings=RETRIED
        )
    write_versions(world, here, 20, skew=0)
    write_versions(world, there, 20, skew=world.rng.integer(-20, 20))

    with world:
        world.run()
        # What is redriven may be new to the other table, whose consumer then fails records too.
        redriven: set[str] = set()
        while failed := [
            (name, record)
            for name in links
            for record in world.consumers[f"from {name}"].records("failed")
            if record["eventID"] not in redriven
        ]:
            for name, record in failed:
                redriven.add(record["eventID"])
                redrive(world, links[name], [record])
            world.run()

        assert tables.items("Here") == tables.items("There")
