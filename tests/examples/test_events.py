"""examples/events: the stack as it deploys, its forwarder and its subscriber in the simulator."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from syrupy.assertion import SnapshotAssertion

from cdk_streams.simulator import World, check, from_template
from cdk_streams.testing import FakeServices
from examples.events.app import EventsStack
from examples.events.handlers import notify
from lambda_runtime import forward

Resources = Callable[..., dict[str, Any]]


@pytest.fixture
def example(app: cdk.App) -> EventsStack:
    return EventsStack(app, "Events")


def on_the_bus(event: dict[str, Any]) -> dict[str, Any]:
    """Return what EventBridge calls a function with."""
    return {"source": event["source"], "detail-type": event["type"], "detail": event}


def test_a_paid_order_is_told_to_its_customer(
    example: EventsStack, template_of: Callable[..., assertions.Template]
) -> None:
    services = FakeServices()
    world = from_template(
        template_of(example).to_json(),
        {"OrderEventsFunction": services.running(forward.handler)},
    )
    orders = world.consumers["OrderEventsFunction"].table

    orders.put({"order_id": "o-1", "status": "PLACED", "total": Decimal("12.5")})
    orders.update({"order_id": "o-1"}, {"status": "PAID"})
    world.run()

    placed, paid = services.events
    assert (placed["source"], placed["type"][-6:]) == ("shop.orders", "INSERT")
    assert paid["data"]["changed"] == ["status"]
    assert notify.handler(on_the_bus(paid), None) == ["Order o-1 is paid: 12.5."]


def test_every_change_is_told_whatever_fails(
    example: EventsStack, template_of: Callable[..., assertions.Template]
) -> None:
    template = template_of(example).to_json()

    def many_orders(world: World) -> None:
        rng = world.rng
        services = FakeServices(
            refuse=lambda _service, _event: "Throttled" if rng.chance(0.1) else None
        )
        from_template(
            template, {"OrderEventsFunction": services.running(forward.handler)}, world=world
        )
        consumer = world.consumers["OrderEventsFunction"]
        for number in range(40):
            consumer.table.put({"order_id": f"o-{number % 9}", "status": f"S{number}"})

        def told() -> bool:
            numbers = {event["sequence"].lstrip("0") for event in services.events}
            handled = {each["dynamodb"]["SequenceNumber"] for each in consumer.records("handled")}
            return handled <= numbers

        world.eventually(told, name="every change that was handled is an event")

    check(many_orders, seeds=10)


def test_every_statement_that_a_role_gets(
    example: EventsStack, resources_of: Resources, template_snapshot: SnapshotAssertion
) -> None:
    assert {
        name: body["Properties"]["PolicyDocument"]["Statement"]
        for name, body in resources_of(example, "AWS::IAM::Policy").items()
    } == template_snapshot


def test_it_synthesizes_without_a_warning(example: EventsStack) -> None:
    found = assertions.Annotations.from_stack(example)
    assert found.find_warning("*", assertions.Match.any_value()) == []
    assert found.find_error("*", assertions.Match.any_value()) == []


def test_the_page_names_the_files_it_speaks_of() -> None:
    folder = Path(__file__).parents[2] / "examples" / "events"
    page = (folder / "README.md").read_text(encoding="utf-8")
    for name in ("app.py", "handlers/notify.py"):
        assert f"({name})" in page
        assert (folder / name).exists()
