from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from syrupy.assertion import SnapshotAssertion

from sample_app.stack import OrdersStack

Resources = Callable[..., dict[str, Any]]


@pytest.fixture
def sample(app: cdk.App) -> OrdersStack:
    return OrdersStack(app, "Orders")


def part(resources: dict[str, Any], *prefixes: str) -> dict[str, Any]:
    return {name: body for name, body in resources.items() if name.startswith(prefixes)}


def test_the_tables(
    sample: OrdersStack, resources_of: Resources, template_snapshot: SnapshotAssertion
) -> None:
    assert part(resources_of(sample), "Orders", "Stock") == template_snapshot


def test_inventory(
    sample: OrdersStack, resources_of: Resources, template_snapshot: SnapshotAssertion
) -> None:
    assert part(resources_of(sample), "Inventory") == template_snapshot


def test_audit(
    sample: OrdersStack, resources_of: Resources, template_snapshot: SnapshotAssertion
) -> None:
    assert part(resources_of(sample), "Audit") == template_snapshot


def test_the_snapshots_cover_the_whole_stack(sample: OrdersStack, resources_of: Resources) -> None:
    every = resources_of(sample)
    assert part(every, "Orders", "Stock", "Inventory", "Audit") == every


def test_it_deploys_on_a_local_aws(sample: OrdersStack, resources_of: Resources) -> None:
    """No alarm on metric math, no composite alarm, no custom resource: emulators refuse them."""
    resources = resources_of(sample)
    kinds = {body["Type"] for body in resources.values()}
    assert not {kind for kind in kinds if "Custom" in kind or "Composite" in kind}
    alarms = resources_of(sample, "AWS::CloudWatch::Alarm")
    assert not [name for name, body in alarms.items() if "Metrics" in body["Properties"]]


def test_each_consumer_reads_orders(sample: OrdersStack, resources_of: Resources) -> None:
    mappings = resources_of(sample, "AWS::Lambda::EventSourceMapping").values()
    assert [body["Properties"]["EventSourceArn"] for body in mappings] == [
        {"Fn::GetAtt": ["OrdersA9B65338", "StreamArn"]}
    ] * 2
