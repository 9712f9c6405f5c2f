from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cdk_streams import SourceError, StreamTable
from cdk_streams._documentation import page
from cdk_streams.constructs._props import TableOptions

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


def test_a_stream_can_be_shared_with_another_account(app: cdk.App, resources_of: Resources) -> None:
    stack = cdk.Stack(app, "Home", env=cdk.Environment(region="eu-west-1", account="444455556666"))
    key = kms.Key(stack, "Key")
    encryption = dynamodb.TableEncryptionV2.customer_managed_key(key)
    table = StreamTable(stack, "Orders", partition_key=KEY, encryption=encryption)
    table.share_stream(iam.AccountPrincipal("111122223333"))
    (body,) = resources_of(stack, GLOBAL_TABLE).values()
    (replica,) = body["Properties"]["Replicas"]
    reader = "arn:aws:iam::111122223333:root"
    specification = replica["ReplicaStreamSpecification"]["ResourcePolicy"]["PolicyDocument"]
    assert specification["Statement"] == [
        {
            "Action": [
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
            ],
            "Effect": "Allow",
            "Principal": {"AWS": reader},
            "Resource": "*",
        }
    ]
    (key_body,) = resources_of(stack, "AWS::KMS::Key").values()
    assert {
        "Action": "kms:Decrypt",
        "Condition": {"StringLike": {"kms:ViaService": "dynamodb.*"}},
        "Effect": "Allow",
        "Principal": {"AWS": reader},
        "Resource": "*",
    } in key_body["Properties"]["KeyPolicy"]["Statement"]


def synthesized(context: dict[str, Any], outdir: Path, **options: Any) -> assertions.Annotations:
    app = cdk.App(context=context, outdir=str(outdir))
    stack = table_of(app, "Shop", StreamTable, **options)
    app.synth()
    return assertions.Annotations.from_stack(stack)


def test_a_change_of_view_type_is_warned_about_with_the_steps(
    context: dict[str, Any], tmp_path: Path
) -> None:
    every = assertions.Match.any_value()
    first = synthesized(context, tmp_path, stream_view_type=dynamodb.StreamViewType.KEYS_ONLY)
    assert first.find_warning("*", every) == []
    (warning,) = synthesized(context, tmp_path).find_warning("*", every)
    assert warning.id == "/Shop/Orders"
    assert warning.entry.data == (
        "stream_view_type was KEYS_ONLY and becomes NEW_AND_OLD_IMAGES: DynamoDB closes the "
        "stream and makes a new one, and consumers lose what they have not read. Stop the "
        "writers, wait until each consumer's iterator age is 0, deploy, start the writers; tables "
        f"looked up elsewhere need a new refresh= too. See {page('checks', 'NewStream')} "
        "[ack: cdk-streams:NewStream]"
    )


def test_an_unchanged_view_type_is_not(context: dict[str, Any], tmp_path: Path) -> None:
    for _ in range(2):
        found = synthesized(context, tmp_path)
    assert found.find_warning("*", assertions.Match.any_value()) == []


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
