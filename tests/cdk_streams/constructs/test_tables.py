from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb

from cdk_streams import SourceError, StreamTable
from cdk_streams.constructs.options import TableOptions

KEY = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
BOTH = dynamodb.StreamViewType.NEW_AND_OLD_IMAGES
GLOBAL_TABLE = "AWS::DynamoDB::GlobalTable"
Resources = Callable[..., dict[str, Any]]


def table_of(app: cdk.App, name: str, make: Callable[..., Any], **options: Any) -> cdk.Stack:
    stack = cdk.Stack(app, name)
    make(stack, "Orders", partition_key=KEY, **options)
    return stack


def test_the_stream_carries_both_images_by_default(
    stack: cdk.Stack, resources_of: Resources
) -> None:
    table = StreamTable(stack, "Orders", partition_key=KEY)
    (body,) = resources_of(stack, GLOBAL_TABLE).values()
    assert body["Properties"]["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table.stream_view_type is BOTH


@pytest.mark.parametrize("view_type", list(dynamodb.StreamViewType))
def test_the_stream_has_the_view_type_asked_for(
    stack: cdk.Stack, resources_of: Resources, view_type: dynamodb.StreamViewType
) -> None:
    StreamTable(stack, "Orders", partition_key=KEY, stream_view_type=view_type)
    (body,) = resources_of(stack, GLOBAL_TABLE).values()
    assert body["Properties"]["StreamSpecification"] == {"StreamViewType": view_type.value}


def test_a_tablev2_that_becomes_a_streamtable_stays_the_same_resource(
    app: cdk.App, resources_of: Resources
) -> None:
    options = {
        "dynamo_stream": dynamodb.StreamViewType.NEW_IMAGE,
        "sort_key": dynamodb.Attribute(name="line", type=dynamodb.AttributeType.NUMBER),
        "billing": dynamodb.Billing.on_demand(),
        "time_to_live_attribute": "expires_at",
        "deletion_protection": True,
        "removal_policy": cdk.RemovalPolicy.DESTROY,
    }
    before = table_of(app, "Before", dynamodb.TableV2, **options)
    after = table_of(app, "After", StreamTable, **options)
    assert resources_of(after) == resources_of(before)


def test_a_table_without_a_stream_gains_one_and_nothing_else(
    app: cdk.App, resources_of: Resources
) -> None:
    plain = table_of(app, "Before", dynamodb.TableV2)
    streaming = table_of(app, "After", StreamTable)
    before, after = resources_of(plain), resources_of(streaming)
    assert list(after) == list(before) == ["OrdersA9B65338"]
    properties = after["OrdersA9B65338"]["Properties"]
    assert properties.pop("StreamSpecification") == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert after == before


def test_it_takes_every_option_of_tablev2() -> None:
    ours = {*inspect.signature(StreamTable.__init__).parameters} | {*TableOptions.__annotations__}
    theirs = {*inspect.signature(dynamodb.TableV2.__init__).parameters}
    assert theirs - ours == set()


def test_two_different_view_types_are_refused(stack: cdk.Stack) -> None:
    with pytest.raises(SourceError) as caught:
        StreamTable(
            stack,
            "Orders",
            partition_key=KEY,
            stream_view_type=BOTH,
            dynamo_stream=dynamodb.StreamViewType.KEYS_ONLY,
        )
    assert str(caught.value) == (
        "stream_view_type and dynamo_stream must agree, got NEW_AND_OLD_IMAGES and KEYS_ONLY; "
        "leave dynamo_stream out"
    )


def test_a_view_type_as_text_is_refused(stack: cdk.Stack) -> None:
    view_type: Any = "NEW_IMAGE"
    with pytest.raises(SourceError) as caught:
        StreamTable(stack, "Orders", partition_key=KEY, stream_view_type=view_type)
    assert str(caught.value) == (
        "stream_view_type must be a StreamViewType, got 'NEW_IMAGE'; "
        "import it from aws_cdk.aws_dynamodb"
    )


def test_a_table_with_replicas_needs_both_images(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Home", env=cdk.Environment(region="eu-west-1"))
    with pytest.raises(SourceError) as caught:
        StreamTable(
            stack,
            "Orders",
            partition_key=KEY,
            stream_view_type=dynamodb.StreamViewType.NEW_IMAGE,
            replicas=[dynamodb.ReplicaTableProps(region="us-east-1")],
        )
    assert str(caught.value) == (
        "stream_view_type must be NEW_AND_OLD_IMAGES on a table with replicas, got NEW_IMAGE; "
        "DynamoDB replicates through this stream"
    )
    assert stack.node.children == []
