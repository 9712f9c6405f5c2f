from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs

from cdk_streams import (
    Filter,
    NewImage,
    SettingsError,
    SourceError,
    StreamConsumer,
    StreamForwarder,
    StreamTable,
    targets,
)
from cdk_streams.simulator import from_template
from cdk_streams.testing import FakeServices
from lambda_runtime import forward

KEY = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
Resources = Callable[..., dict[str, Any]]


@pytest.fixture
def table(stack: cdk.Stack) -> StreamTable:
    return StreamTable(stack, "Orders", partition_key=KEY)


@pytest.fixture
def bus(stack: cdk.Stack) -> events.EventBus:
    return events.EventBus(stack, "Bus")


def variables(stack: cdk.Stack, resources_of: Resources) -> dict[str, Any]:
    (body,) = [
        each
        for name, each in resources_of(stack, "AWS::Lambda::Function").items()
        if name.startswith("OrderEventsFunction")
    ]
    return {
        name: value
        for name, value in body["Properties"]["Environment"]["Variables"].items()
        if name.startswith("STREAM_FORWARD_")
    }


def test_a_forwarder_is_a_consumer_with_a_function_of_its_own(
    stack: cdk.Stack, table: StreamTable, bus: events.EventBus, resources_of: Resources
) -> None:
    forwarder = StreamForwarder(
        stack,
        "OrderEvents",
        table=table,
        target=targets.EventBus(bus),
        batch_size=50,
        filters=[Filter.insert(NewImage("status").eq("PAID"))],
        function_options={"memory_size": 512},
    )

    assert isinstance(forwarder, StreamConsumer)
    assert forwarder.settings.batch_size == 50
    assert forwarder.function is stack.node.find_child("OrderEventsFunction")
    (function,) = resources_of(stack, "AWS::Lambda::Function").values()
    assert function["Properties"]["Handler"] == "forward.handler"
    assert function["Properties"]["MemorySize"] == 512
    assert variables(stack, resources_of) == {
        "STREAM_FORWARD_TYPE": "EventBus",
        "STREAM_FORWARD_TARGET": stack.resolve(bus.event_bus_arn),
    }


def test_the_deployed_stack_forwards_each_change_in_the_simulator(
    stack: cdk.Stack, table: StreamTable, bus: events.EventBus, template_of: Callable[..., Any]
) -> None:
    StreamForwarder(stack, "OrderEvents", table=table, target=targets.EventBus(bus))
    services = FakeServices()
    world = from_template(
        template_of(stack).to_json(),
        {"OrderEventsFunction": services.running(forward.handler)},
    )

    (orders,) = {id(each): each for each in world.tables.values()}.values()
    orders.put({"order_id": "o-1"})
    world.run()

    (event,) = services.events
    assert event["type"] == "com.amazonaws.dynamodb.INSERT"
    assert event["subject"] == "o-1"


def test_what_is_no_target_is_refused(stack: cdk.Stack, table: StreamTable) -> None:
    queue: Any = sqs.Queue(stack, "Queue")
    with pytest.raises(SourceError, match=r"target must be one of cdk_streams.targets, got Queue"):
        StreamForwarder(stack, "OrderEvents", table=table, target=queue)
    with pytest.raises(SourceError, match=r"EventBus must be given an event bus of .*, got Queue"):
        targets.EventBus(queue)
    with pytest.raises(SettingsError, match=r"max_message_bytes must be 1,024 to 1,048,576 bytes"):
        targets.SqsQueue(queue, max_message_bytes=2_000_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "aws.orders"}, "source must not begin with 'aws.', which EventBridge keeps"),
        ({"source": ""}, "source must be the text of a URI, got ''"),
        ({"schema": 2}, "schema must be the text of a URI, got 2"),
    ],
)
def test_texts_that_no_event_may_have_are_refused(
    table: StreamTable, bus: events.EventBus, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        StreamForwarder(
            table.stack, "OrderEvents", table=table, target=targets.EventBus(bus), **options
        )
