"""examples/view: the stack as it deploys, its view in the simulator under every fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from syrupy.assertion import SnapshotAssertion

from cdk_streams.simulator import Consumer, World, check, from_template
from cdk_streams.testing import FakeDynamoDB
from examples.view.app import ViewStack
from examples.view.handlers.totals import view
from lambda_runtime.views import recompute, view_handler

Resources = Callable[..., dict[str, Any]]
FUNCTION = "CustomerTotalsFunction"


@pytest.fixture
def example(app: cdk.App) -> ViewStack:
    return ViewStack(app, "View")


@pytest.fixture
def template(
    example: ViewStack, template_of: Callable[..., assertions.Template]
) -> Mapping[str, Any]:
    made: Mapping[str, Any] = template_of(example).to_json()
    return made


class Shop:
    """The stack in a world: orders to write, and the totals that its function keeps."""

    def __init__(self, template: Mapping[str, Any], world: World | None = None) -> None:
        self.world = from_template(template, {FUNCTION: self.handler}, world=world)
        self.consumer: Consumer = self.world.consumers[FUNCTION]
        self.environment = self.consumer.function.environment
        self.target = self.environment["STREAM_VIEW_TARGET"]
        tables = {self.target: ("customer",), self.environment["STREAM_VIEW_MARKS"]: ("item",)}
        self.dynamodb = FakeDynamoDB(tables)
        self.orders = self.consumer.table

    def handler(self, event: Any, context: Any) -> Any:
        """Keep the view as the deployed function does, among tables in memory."""
        return view_handler(views={"totals:view": view}, client=self.dynamodb)(event, context)

    def redrive(self) -> None:
        """Call the function with what it has discarded, some of it after newer changes."""
        discarded = [*self.consumer.records("failed"), *self.consumer.records("age_exceeded")]
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            for record in reversed(discarded):
                assert self.handler({"Records": [record]}, None) == {"batchItemFailures": []}

    def totals(self) -> dict[str, dict[str, Any]]:
        return {each["customer"]: each for each in self.dynamodb.items(self.target)}

    def recomputed(self) -> dict[str, dict[str, Any]]:
        return {each["customer"]: each for each in recompute(view, self.orders.items())}


def test_the_totals_follow_the_orders(template: Mapping[str, Any]) -> None:
    shop = Shop(template)
    order = {"order_id": "o-1", "customer": "c-1", "status": "PAID", "total": Decimal("12.50")}
    shop.orders.put(order)
    shop.orders.put({**order, "order_id": "o-2", "status": "PLACED", "total": 30})
    shop.orders.put({**order, "order_id": "o-3", "status": "CANCELLED"})
    shop.world.run()

    assert shop.totals() == {
        "c-1": {"customer": "c-1", "_view_items": 2, "orders": 2, "paid": 1, "total": 42.5}
    }

    shop.orders.update({"order_id": "o-1"}, {"customer": "c-2"})
    shop.orders.delete({"order_id": "o-2"})
    shop.world.run()

    assert shop.totals() == {
        "c-2": {"customer": "c-2", "_view_items": 1, "orders": 1, "paid": 1, "total": 12.5}
    }


def test_whatever_fails_the_totals_are_those_of_a_recomputation(
    template: Mapping[str, Any],
) -> None:
    def a_day(world: World) -> None:
        shop, rng = Shop(template, world), world.rng
        for _ in range(40):
            order = {"order_id": f"o-{rng.integer(0, 9)}"}
            if rng.chance(0.2):
                shop.orders.delete(order)
            else:
                status = ("PLACED", "PAID", "CANCELLED")[rng.integer(0, 2)]
                total = Decimal(rng.integer(1, 99_999)).scaleb(-2)
                customer = f"c-{rng.integer(0, 2)}"
                shop.orders.put({**order, "customer": customer, "status": status, "total": total})
            world.run_for(timedelta(seconds=rng.between(0, 5)))
        world.run()
        shop.redrive()
        assert shop.totals() == shop.recomputed()

    check(a_day, seeds=10)


def test_every_statement_that_a_role_gets(
    example: ViewStack, resources_of: Resources, template_snapshot: SnapshotAssertion
) -> None:
    assert {
        name: body["Properties"]["PolicyDocument"]["Statement"]
        for name, body in resources_of(example, "AWS::IAM::Policy").items()
    } == template_snapshot


def test_it_synthesizes_without_a_warning(example: ViewStack) -> None:
    found = assertions.Annotations.from_stack(example)
    assert found.find_warning("*", assertions.Match.any_value()) == []
    assert found.find_error("*", assertions.Match.any_value()) == []


def test_the_page_names_the_files_it_speaks_of() -> None:
    folder = Path(__file__).parents[2] / "examples" / "view"
    page = (folder / "README.md").read_text(encoding="utf-8")
    for name in ("app.py", "handlers/totals.py"):
        assert f"({name})" in page
        assert (folder / name).exists()
