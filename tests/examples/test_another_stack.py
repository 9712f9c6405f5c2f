"""examples/another_stack: two stacks that share the name of a table, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from cdk_streams.simulator import TableStream, from_template
from examples.another_stack.app import TABLE_NAME, SearchStack, ShopStack
from examples.another_stack.handlers.index import handler


def test_the_owner_exports_nothing_and_the_reader_imports_nothing(
    app: cdk.App, template_of: Callable[..., assertions.Template]
) -> None:
    shop, search = ShopStack(app, "Shop"), SearchStack(app, "Search")
    assert template_of(shop).to_json().get("Outputs", {}) == {}
    assert "Fn::ImportValue" not in str(template_of(search).to_json())


def test_the_reader_follows_the_table(
    app: cdk.App,
    template_of: Callable[..., assertions.Template],
    capsys: pytest.CaptureFixture[str],
) -> None:
    template = template_of(SearchStack(app, "Search")).to_json()
    (mapping,) = (
        name
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::Lambda::EventSourceMapping"
    )
    stream = TableStream(TABLE_NAME, keys=("order_id",), view_type="NEW_AND_OLD_IMAGES")
    world = from_template(template, {"IndexFunction": handler}, tables={mapping: stream})
    orders = world.consumers["IndexFunction"].table

    orders.put({"order_id": "o-1", "status": "PLACED"})
    orders.update({"order_id": "o-1"}, {"status": "PAID"})
    world.run()

    assert capsys.readouterr().out.splitlines() == ["Order o-1 is PLACED", "Order o-1 is PAID"]
