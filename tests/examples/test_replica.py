"""examples/replica: the stack as it deploys, its replica in the simulator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from syrupy.assertion import SnapshotAssertion

from cdk_streams.simulator import World, check, from_template
from cdk_streams.testing import FakeDynamoDB
from examples.replica.app import ReplicaStack
from examples.replica.handlers.shape import shape
from lambda_runtime.replication import Replica, Settings

Resources = Callable[..., dict[str, Any]]
KEYS = ("customer", "order_id")


@pytest.fixture
def example(app: cdk.App) -> ReplicaStack:
    return ReplicaStack(app, "Replica")


def replica_of(target: FakeDynamoDB) -> Callable[..., Any]:
    settings = Settings(table="OrdersByCustomer", keys=KEYS, concurrency=1)
    return Replica(settings, client=target, transform=shape).handler


def order(number: str, customer: str, status: str) -> dict[str, Any]:
    return {"order_id": number, "customer": customer, "status": status, "total": 12}


def test_an_order_stands_under_its_customer_once_it_is_placed(
    example: ReplicaStack, template_of: Callable[..., assertions.Template]
) -> None:
    target = FakeDynamoDB({"OrdersByCustomer": KEYS})
    world = from_template(
        template_of(example).to_json(), {"ByCustomerFunction": replica_of(target)}
    )
    orders = world.consumers["ByCustomerFunction"].table

    orders.put(order("o-1", "c-1", "PLACED"))
    orders.put(order("o-2", "c-1", "DRAFT"))
    orders.put(order("o-3", "c-1", "PAID"))
    orders.delete({"order_id": "o-3"})
    orders.update({"order_id": "o-1"}, {"customer": "c-2"})
    world.run()

    assert target.items("OrdersByCustomer") == [order("o-1", "c-2", "PLACED")]


def test_the_replica_is_right_whatever_fails(
    example: ReplicaStack, template_of: Callable[..., assertions.Template]
) -> None:
    template = template_of(example).to_json()

    def many_orders(world: World) -> None:
        target = FakeDynamoDB({"OrdersByCustomer": KEYS})
        from_template(template, {"ByCustomerFunction": replica_of(target)}, world=world)
        consumer = world.consumers["ByCustomerFunction"]
        for number in range(40):
            status = world.rng.choice(("DRAFT", "PLACED", "PAID"))
            consumer.table.put(order(f"o-{number % 9}", f"c-{number % 4}", status))

        def is_right() -> bool:
            expected = [made for item in consumer.table.items() if (made := shape(item))]
            # What the failure queue holds is redriven by a person, not by the world.
            return bool(consumer.records("failed")) or target.items("OrdersByCustomer") == sorted(
                expected, key=repr
            )

        world.eventually(is_right, name="the replica is the transformed source")

    check(many_orders, seeds=10)


def test_every_statement_that_a_role_gets(
    example: ReplicaStack, resources_of: Resources, template_snapshot: SnapshotAssertion
) -> None:
    assert {
        name: body["Properties"]["PolicyDocument"]["Statement"]
        for name, body in resources_of(example, "AWS::IAM::Policy").items()
    } == template_snapshot


def test_it_synthesizes_without_a_warning(example: ReplicaStack) -> None:
    found = assertions.Annotations.from_stack(example)
    assert found.find_warning("*", assertions.Match.any_value()) == []
    assert found.find_error("*", assertions.Match.any_value()) == []


def test_the_page_names_the_files_it_speaks_of() -> None:
    folder = Path(__file__).parents[2] / "examples" / "replica"
    page = (folder / "README.md").read_text(encoding="utf-8")
    for name in ("app.py", "handlers/shape.py"):
        assert f"({name})" in page
        assert (folder / name).exists()
