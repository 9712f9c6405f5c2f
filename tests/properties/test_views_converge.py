"""Views: whatever goes wrong, in the end a view is what its table's items add up to.

Seeds are drawn from 0 on, so that a failing one can be replayed with the command in its note; more
are asked for with `VIEW_SEEDS=10000`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Context, Decimal
from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import Consumer, Table, World, check
from cdk_streams.testing import FakeDynamoDB, RequestFailed
from lambda_runtime import Router, encode
from lambda_runtime.views import (
    Count,
    Projection,
    Sum,
    View,
    ViewWriter,
    backfill_event,
    recompute,
)
from lambda_runtime.views._backfill import CLOCK_MARGIN_S

SEEDS = int(os.environ.get("VIEW_SEEDS", "50"))
QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"
NUMBERS = ("1", "-1", "0", "0.01", "12345678901234567890123456789012345.67", "-99.99")
TOTALS = View(
    group_by="customer",
    where=lambda item: item.get("status") != "CANCELLED",
    orders=Count(),
    paid=Count(lambda item: item.get("status") == "PAID"),
    total=Sum("total"),
)
BY_CUSTOMER = Projection(key=("customer", "order_id"), attributes=["status", "total"])
EXACT = Context(prec=60)
KEYS = {TOTALS: ("customer",), BY_CUSTOMER: ("customer", "order_id")}


class LostAnswer(Exception):  # noqa: N818 - stands in for botocore's own
    """The connection broke when the transaction had been written."""


class UnreliableDynamoDB(FakeDynamoDB):
    """Transactions conflict, and answers are lost, now and then."""

    def __init__(self, world: World, tables: dict[str, tuple[str, ...]]) -> None:
        super().__init__(tables)
        self.rng = world.rng

    def transact_write_items(self, **request: Any) -> Any:
        if self.rng.chance(0.05):
            error = RequestFailed("TransactionCanceledException")
            error.response["CancellationReasons"] = [{"Code": "TransactionConflict"}]
            raise error
        answer = super().transact_write_items(**request)
        if self.rng.chance(0.05):
            raise LostAnswer
        return answer


class Shop:
    """Orders that come, change, move to another customer and go; and the views of them."""

    def __init__(self, world: World, view: Any) -> None:
        self.world, self.view = world, view
        self.orders: Table = world.table("Orders", keys="order_id", shards=2)
        keys = KEYS[view]
        tables = {"old": keys, "new": keys, "old-marks": ("item",), "new-marks": ("item",)}
        self.dynamodb = UnreliableDynamoDB(world, tables)
        self.kept = ["old"]
        self.rebuilt_since: datetime | None = None
        self.consumer: Consumer = world.consumer(
            "totals",
            lambda event, context: self.router().handler(event, context),
            table=self.orders,
            settings=MappingSettings(
                batch_size=world.rng.integer(1, 9),
                parallelization_factor=world.rng.integer(1, 3),
                retry_attempts=world.rng.integer(0, 3),
                bisect_batch_on_error=world.rng.chance(0.5),
                report_batch_item_failures=world.rng.chance(0.7),
                on_failure=QUEUE,
            ),
        )

    def router(self) -> Router:
        on = Router()
        for name in self.kept:
            on.aggregate(
                ViewWriter(
                    self.view,
                    target=name,
                    marks=f"{name}-marks",
                    since=self.rebuilt_since if name == "new" else None,
                    client=self.dynamodb,
                )
            )
        return on

    def rebuild(self) -> None:
        """Keep a second view from now on, unless there is one."""
        if "new" not in self.kept:
            self.kept.append("new")
            self.rebuilt_since = self.world.now + timedelta(seconds=1)

    def write(self) -> None:
        rng = self.world.rng
        order = {"order_id": f"o-{rng.integer(0, 9)}"}
        if rng.chance(0.2):
            self.orders.delete(order)
            return
        changes = {
            "status": ("PLACED", "PAID", "CANCELLED")[rng.integer(0, 2)],
            "customer": f"c-{rng.integer(0, 3)}",
            "total": Decimal(NUMBERS[rng.integer(0, len(NUMBERS) - 1)]),
        }
        kept = {name: value for name, value in changes.items() if rng.chance(0.7)}
        self.orders.update(order, kept, remove=[name for name in changes if name not in kept])

    def redrive(self, *, all_of_them: bool = False) -> None:
        """Call the function with records that were discarded, in any order, some of them twice."""
        discarded = [*self.consumer.records("failed"), *self.consumer.records("age_exceeded")]
        rng = self.world.rng
        for record in sorted(discarded, key=lambda _: rng.integer(0, 99)):
            if all_of_them or rng.chance(0.5):
                self.call([record])

    def scan(self) -> list[dict[str, Any]]:
        """Return the records of a backfill, as a scan makes them now."""
        items = [encode(item)["M"] for item in self.orders.items()]
        event = backfill_event(items, ["order_id"], scanned_at=self.world.now_s())
        records: list[dict[str, Any]] = event["Records"]
        return records

    def backfill(self, records: list[dict[str, Any]]) -> None:
        """Give scanned items to the function, in pages."""
        size = self.world.rng.integer(1, 10)
        for start in range(0, len(records), size):
            self.call(records[start : start + size])

    def call(self, records: list[Any]) -> None:
        for _ in range(99):
            try:
                if self.router().handler({"Records": records}) == {"batchItemFailures": []}:
                    return
            except (LostAnswer, RequestFailed):
                continue
        raise AssertionError("the function never succeeds")


def visible(items: list[dict[str, Any]], keys: tuple[str, ...]) -> dict[Any, dict[str, Any]]:
    """A target's items by their keys, without the attribute that tells whose they are."""
    return {
        tuple(item[name] for name in keys): {
            name: value for name, value in item.items() if name != "_view_source"
        }
        for item in items
    }


def is_recomputed(shop: Shop, target: str) -> bool:
    keys = KEYS[shop.view]
    expected = recompute(shop.view, shop.orders.items())
    return visible(shop.dynamodb.items(target), keys) == visible(expected, keys)


def groups_are_what_marks_say(shop: Shop) -> bool:
    """The sum of the marks' contributions is the view, after every single step."""
    totals: dict[Any, dict[str, Any]] = {}
    for mark in shop.dynamodb.stored("old-marks"):
        if "key" in mark:
            group = totals.setdefault(mark["key"]["customer"], {"_view_items": 0})
            for name, number in {**mark["content"], "_view_items": 1}.items():
                group[name] = EXACT.add(Decimal(group.get(name, 0)), Decimal(number))
    stored = shop.dynamodb.items("old")
    return {item.pop("customer"): item for item in stored} == totals


def scenario(world: World, view: Any) -> None:
    shop = Shop(world, view)
    if view is TOTALS:
        world.always(lambda: groups_are_what_marks_say(shop), name="groups are what marks say")
    for _ in range(world.rng.integer(5, 30)):
        shop.write()
        world.run_for(timedelta(seconds=world.rng.between(0, 5)))
        if world.rng.chance(0.1):
            shop.redrive()
        if world.rng.chance(0.05):
            shop.backfill(shop.scan()[: world.rng.integer(0, 9)])
        if world.rng.chance(0.05):
            shop.rebuild()
    shop.rebuild()
    # What was made before the rebuild began, only a backfill brings.
    world.run_for(timedelta(seconds=CLOCK_MARGIN_S + 2))
    scanned = shop.scan()
    for _ in range(world.rng.integer(0, 5)):
        shop.write()
    backfill_first = world.rng.chance(0.5)
    if backfill_first:
        shop.backfill(scanned)
    world.run()
    shop.redrive(all_of_them=True)
    if not backfill_first:
        shop.backfill(scanned)
        shop.redrive(all_of_them=True)
    for name in shop.kept:
        assert is_recomputed(shop, name), "the view is what its table adds up to"


def totals(world: World) -> None:
    """Counts and sums of orders by customer."""
    scenario(world, TOTALS)


def projection(world: World) -> None:
    """Orders under another key."""
    scenario(world, BY_CUSTOMER)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambda_runtime.views._transactions.sleep", lambda _: None)


@pytest.mark.parametrize("run", [totals, projection])
def test_a_view_is_what_its_table_adds_up_to(run: Callable[[World], None]) -> None:
    check(run, seeds=SEEDS)
