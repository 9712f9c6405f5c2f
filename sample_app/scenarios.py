"""How the sample's handlers are tested: the stack as it deploys, orders, and everything that fails.

    python -m cdk_streams.simulator sample_app.scenarios:orders --seeds 50

A scenario furnishes a world from the synthesized template, so that every setting is the deployed
one, and says what must hold: no stock below zero and none out of thin air, nothing lost without a
failure record, one audit line for each change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk

from cdk_streams.poller import Fate
from cdk_streams.simulator import Consumer, Table, World, from_template
from sample_app.fakes import FakeBucket, FakeStock
from sample_app.handlers import audit, inventory
from sample_app.stack import OrdersStack

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["STOCK", "Shop", "open_shop", "orders", "template"]

STOCK: Final = {"mug": 25, "pen": 40, "bag": 9}
_ORDERS = 40


class Shop:
    """The sample in a world: the table that orders are written to, and what its handlers left."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stock = FakeStock(**STOCK)
        self.bucket = FakeBucket()
        handlers = {
            "InventoryFunction": lent(inventory, "dynamodb", self.stock),
            "AuditFunction": lent(audit, "s3", self.bucket),
        }
        from_template(template(), handlers, world=world, shards=2)
        self.inventory = world.consumers["InventoryFunction"]
        self.audit = world.consumers["AuditFunction"]
        self.orders: Table = self.inventory.table

    def place(self, order_id: str, **lines: int) -> None:
        """Write a new order: `place("o-1", mug=2)`."""
        listed = [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]
        self.orders.put({"order_id": order_id, "status": "PLACED", "lines": listed})

    def cancel(self, order_id: str) -> None:
        """Cancel an order."""
        self.orders.update({"order_id": order_id}, {"status": "CANCELLED"})


def orders(world: World) -> None:
    """Some busy minutes: orders are placed, changed and cancelled while everything fails."""
    shop = open_shop(world)
    rng = world.rng
    for number in range(_ORDERS):
        shop.place(f"o-{number}", **{rng.choice(list(STOCK)): rng.integer(1, 4)})
        world.run_for(timedelta(seconds=rng.between(0, 20)))
        earlier = f"o-{rng.integer(0, number)}"
        if rng.chance(0.3):
            shop.cancel(earlier)
        elif rng.chance(0.5):
            shop.orders.update({"order_id": earlier}, {"note": f"seen {number}"})


def a_poison_order(world: World) -> None:
    """One order that its handler cannot read, in the middle of others; the rest goes through."""
    shop = open_shop(world)
    for number in range(12):
        shop.place(f"o-{number}", pen=1)
    shop.orders.put({"order_id": "poison", "status": "PLACED", "lines": "not a list"})
    for number in range(12, 24):
        shop.place(f"o-{number}", pen=1)
    world.eventually(lambda: failed_orders(shop) == {"poison"}, name="the poison fails alone")


def open_shop(world: World) -> Shop:
    """Furnish a world with the sample, and with what must hold in it."""
    shop = Shop(world)
    world.always(lambda: min(shop.stock.available().values()) >= 0, name="stock is never negative")
    world.always(lambda: stock_adds_up(shop), name="what was taken is what orders hold")
    world.eventually(lambda: nothing_is_lost(shop), name="nothing is lost without a trace")
    world.eventually(lambda: stock_follows(shop), name="every order has what it is due")
    world.eventually(lambda: one_line_each(shop), name="one audit line for each change")
    return shop


def stock_adds_up(shop: Shop) -> bool:
    """What is in stock and what orders hold is what there was, whatever happens."""
    total = shop.stock.available()
    reservations = shop.stock.reservations()
    for order in shop.orders.items():
        if reservations.get(order["order_id"]) == "TAKEN":
            for line in order["lines"]:
                total[line["sku"]] += int(line["quantity"])
    return total == STOCK


def nothing_is_lost(shop: Shop) -> bool:
    """Each change was handled, was of no interest, or is named by a failure record."""
    return all(
        not consumer.waiting
        and len(numbers(consumer, "handled", "filtered", "failed", "age_exceeded"))
        == shop.orders.written
        and all(
            is_named(consumer, number) for number in numbers(consumer, "failed", "age_exceeded")
        )
        for consumer in (shop.inventory, shop.audit)
    )


def stock_follows(shop: Shop) -> bool:
    """An order that stands has taken its lines or fell short; a cancelled one holds nothing."""
    failed, reservations = failed_orders(shop), shop.stock.reservations()
    due = {"PLACED": ("TAKEN", "SHORT"), "CANCELLED": ("RETURNED", "SHORT")}
    return all(
        reservations.get(order["order_id"]) in due[order["status"]]
        for order in shop.orders.items()
        if order["order_id"] not in failed
    )


def one_line_each(shop: Shop) -> bool:
    """Every change that was handled has its line, and no line comes from nowhere."""
    lines = {line["sequence_number"] for line in shop.bucket.lines()}
    handled = numbers(shop.audit, "handled")
    # A call may fail after its work was done: then a failed change has a line all the same.
    return handled <= lines <= handled | numbers(shop.audit, "failed", "age_exceeded")


def is_named(consumer: Consumer, number: str) -> bool:
    """Say whether a failure record names a change, be it one that its queue refused."""
    batches = [body["DDBStreamBatchInfo"] for body in consumer.failures]
    return any(
        int(batch["startSequenceNumber"]) <= int(number) <= int(batch["endSequenceNumber"])
        for batch in batches
    )


def failed_orders(shop: Shop) -> set[str]:
    """Return the orders with a change that inventory discarded; the failure queue names it."""
    discarded = [*shop.inventory.records("failed"), *shop.inventory.records("age_exceeded")]
    return {record["dynamodb"]["Keys"]["order_id"]["S"] for record in discarded}


def numbers(consumer: Consumer, *fates: Fate) -> set[str]:
    """Return the sequence numbers of the records that left the poller in these ways."""
    return {
        record["dynamodb"]["SequenceNumber"] for fate in fates for record in consumer.records(fate)
    }


def lent(module: ModuleType, name: str, client: object) -> Callable[[Any, Any], Any]:
    """Return a module's handler that finds the client in place of the one it would make."""

    def handler(event: Any, context: Any) -> Any:
        with _replaced(module, name, lambda: client):
            return module.handler(event, context)

    return handler


@contextmanager
def _replaced(module: ModuleType, name: str, other: object) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, before)


@cache
def template() -> Mapping[str, Any]:
    """Synthesize the stack, once: what `cdk deploy` would send to CloudFormation."""
    with TemporaryDirectory() as folder:
        app = cdk.App(outdir=folder, analytics_reporting=False)
        OrdersStack(app, "Orders")
        made: dict[str, Any] = app.synth().get_stack_by_name("Orders").template
    return made
