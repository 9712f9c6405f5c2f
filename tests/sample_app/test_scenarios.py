from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cdk_streams.simulator import NO_FAULTS, Faults, InvariantBroken, World, check
from sample_app import scenarios
from sample_app.fakes import FakeStock
from sample_app.handlers import audit, inventory
from sample_app.scenarios import STOCK, a_poison_order, open_shop, orders

SEEDS = 12


def test_the_sample_holds_under_every_fault() -> None:
    check(orders, seeds=SEEDS)


def test_a_poison_order_holds_up_nothing_behind_it() -> None:
    check(a_poison_order, seeds=SEEDS)


@pytest.mark.parametrize("fault", Faults.__dataclass_fields__)
def test_the_sample_holds_under_each_fault_alone(fault: str) -> None:
    none = dict.fromkeys(Faults.__dataclass_fields__, 0.0)

    check(orders, seeds=2, faults=Faults(**(none | {fault: 0.3})))


def test_the_settings_are_those_deployed() -> None:
    shop = open_shop(World(faults=NO_FAULTS))

    assert shop.audit.settings.batch_size == 500
    assert shop.audit.settings.max_batching_window == timedelta(seconds=5)
    assert len(shop.inventory.settings.filters) == 2
    assert shop.inventory.settings.report_batch_item_failures
    assert shop.inventory.function.environment["STREAM_PARTIAL_RESPONSE"] == "1"


def test_an_order_takes_stock_and_gives_it_back() -> None:
    world = World(faults=NO_FAULTS)
    shop = open_shop(world)

    shop.place("o-1", mug=2)
    shop.place("o-2", mug=3)
    shop.cancel("o-1")
    shop.place("o-3", bag=10)
    world.run()

    assert shop.stock.available() == STOCK | {"mug": 22}
    assert shop.stock.reservations() == {"o-1": "RETURNED", "o-2": "TAKEN", "o-3": "SHORT"}
    assert len(shop.bucket.lines()) == 4


# What the scenarios are worth: each of these bugs is found, within a few seeds.


def test_stock_that_is_taken_without_a_condition_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take = inventory.take

    def without_condition(sku: str, quantity: Any) -> dict[str, Any]:
        change = take(sku, quantity)
        del change["Update"]["ConditionExpression"]
        return change

    monkeypatch.setattr(inventory, "take", without_condition)
    with pytest.raises(InvariantBroken, match="stock is never negative"):
        check(orders, seeds=SEEDS)


def test_an_order_that_is_taken_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = inventory.mark

    def without_condition(order_id: str, reservation: str) -> dict[str, Any]:
        change = mark(order_id, reservation)
        del change["Put"]["ConditionExpression"]
        return change

    monkeypatch.setattr(inventory, "mark", without_condition)
    with pytest.raises(InvariantBroken, match="what was taken is what orders hold"):
        check(orders, seeds=SEEDS)


def test_a_change_that_audit_passes_over_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    line = audit.line
    monkeypatch.setattr(
        audit, "line", lambda change: "" if type(change).__name__ == "Modify" else line(change)
    )
    with pytest.raises(InvariantBroken, match="one audit line for each change"):
        check(orders, seeds=SEEDS)


def test_a_handler_that_swallows_its_failures_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def swallowing(event: Any, context: Any) -> dict[str, Any]:
        inventory.on.handler(event, context)
        return {"batchItemFailures": []}

    monkeypatch.setattr(inventory, "handler", swallowing)
    monkeypatch.setattr(inventory, "write", _failing_write)
    with pytest.raises(InvariantBroken, match="every order has what it is due"):
        check(orders, seeds=SEEDS)


def _failing_write(_actions: list[Any]) -> set[int]:
    raise ConnectionError


def test_the_fake_refuses_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCK_TABLE", "Stock")
    stock = FakeStock(mug=1)
    change = inventory.update("sku#mug", "ADD available :quantity", quantity=1)

    with pytest.raises(NotImplementedError, match="no update like 'ADD available :quantity'"):
        stock.transact_write_items(TransactItems=[change])


def test_a_scenario_leaves_the_handlers_their_own_clients() -> None:
    client = inventory.dynamodb
    world = World(faults=NO_FAULTS)
    scenarios.open_shop(world).place("o-1", mug=1)
    world.run()

    assert inventory.dynamodb is client
