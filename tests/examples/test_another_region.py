"""examples/another_region: a global table, and a reader that names no ARN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from cdk_streams.simulator import TableStream, from_template
from examples.another_region.app import TABLE_NAME, IndexStack, OrdersStack
from examples.another_region.handlers.index import handler

Resources = Callable[..., dict[str, Any]]


def test_the_table_has_a_replica_where_the_reader_is(app: cdk.App, resources_of: Resources) -> None:
    orders, index = OrdersStack(app, "Orders"), IndexStack(app, "Index")
    (table,) = resources_of(orders, "AWS::DynamoDB::GlobalTable").values()
    regions = {each["Region"] for each in table["Properties"]["Replicas"]}
    assert regions == {"us-east-1", "eu-west-1"}
    assert (orders.region, index.region) == ("us-east-1", "eu-west-1")


def test_the_reader_imports_nothing_from_the_other_region(
    app: cdk.App, template_of: Callable[..., assertions.Template]
) -> None:
    template = template_of(IndexStack(app, "Index")).to_json()
    assert "Fn::ImportValue" not in str(template)
    assert "us-east-1" not in str(template)


def test_the_reader_follows_the_replica(
    app: cdk.App,
    template_of: Callable[..., assertions.Template],
    capsys: pytest.CaptureFixture[str],
) -> None:
    template = template_of(IndexStack(app, "Index")).to_json()
    (mapping,) = (
        name
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::Lambda::EventSourceMapping"
    )
    stream = TableStream(TABLE_NAME, keys=("order_id",), view_type="NEW_AND_OLD_IMAGES")
    world = from_template(template, {"IndexFunction": handler}, tables={mapping: stream})
    world.consumers["IndexFunction"].table.put({"order_id": "o-1", "status": "PLACED"})
    world.run()
    assert capsys.readouterr().out.splitlines() == ["Order o-1 is PLACED"]
