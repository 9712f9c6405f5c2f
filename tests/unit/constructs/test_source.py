from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from cdk_streams import SourceError, StreamConsumer, StreamTable
from cdk_streams.constructs._registry import placement_of
from cdk_streams.constructs._source import StreamSource
from cdk_streams.constructs._source import source_of as stream_source_of

KEY = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
STREAM_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders/stream/2026-01-01T00:00:00.000"
KEYS_ONLY = dynamodb.StreamViewType.KEYS_ONLY
Resources = Callable[..., dict[str, Any]]


@pytest.fixture
def function(stack: cdk.Stack) -> lambda_.Function:
    return inline_function(stack)


def source_of(table: dynamodb.ITable) -> StreamSource:
    return stream_source_of(table, placement_of(cdk.Stack.of(table)))


def inline_function(stack: cdk.Stack) -> lambda_.Function:
    return lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )


def statements(stack: cdk.Stack, resources_of: Resources) -> list[dict[str, Any]]:
    (policy,) = resources_of(stack, "AWS::IAM::Policy").values()
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def test_the_stream_of_each_kind_of_table_is_found(stack: cdk.Stack) -> None:
    tables: list[dynamodb.ITable] = [
        StreamTable(stack, "A", partition_key=KEY, stream_view_type=KEYS_ONLY),
        dynamodb.TableV2(stack, "B", partition_key=KEY, dynamo_stream=KEYS_ONLY),
        dynamodb.Table(stack, "C", partition_key=KEY, stream=KEYS_ONLY),
    ]
    sources = [source_of(table) for table in tables]
    assert [source.view_type for source in sources] == [KEYS_ONLY] * 3
    assert [stack.resolve(source.arn)["Fn::GetAtt"][1] for source in sources] == ["StreamArn"] * 3


@pytest.mark.parametrize("kind", [dynamodb.Table, dynamodb.TableV2])
def test_the_stream_of_an_import_is_the_one_named(stack: cdk.Stack, kind: Any) -> None:
    table = kind.from_table_attributes(
        stack, "Imported", table_name="Orders", table_stream_arn=STREAM_ARN
    )
    assert source_of(table).arn == STREAM_ARN
    assert source_of(table).view_type is None


def test_a_replicated_table_streams_both_images_unasked(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Home", env=cdk.Environment(region="eu-west-1"))
    table = dynamodb.TableV2(
        stack, "T", partition_key=KEY, replicas=[dynamodb.ReplicaTableProps(region="us-east-1")]
    )
    assert source_of(table).view_type is dynamodb.StreamViewType.NEW_AND_OLD_IMAGES


@pytest.mark.parametrize("kind", [dynamodb.Table, dynamodb.TableV2])
def test_a_table_without_a_stream_is_refused(
    stack: cdk.Stack, function: lambda_.Function, kind: Any
) -> None:
    table = kind(stack, "Orders", partition_key=KEY)
    with pytest.raises(SourceError) as caught:
        StreamConsumer(stack, "Audit", table=table, function=function)
    assert str(caught.value) == (
        "table must have a stream, but 'Test/Orders' has none; make it a StreamTable, "
        "or set dynamo_stream= (TableV2) or stream= (Table)"
    )
    assert stack.node.try_find_child("Audit") is None


@pytest.mark.parametrize("kind", [dynamodb.Table, dynamodb.TableV2])
def test_an_import_without_its_stream_is_refused(stack: cdk.Stack, kind: Any) -> None:
    table = kind.from_table_name(stack, "Orders", "Orders")
    with pytest.raises(SourceError, match=r"but the import 'Test/Orders' names none; "):
        source_of(table)


def test_the_stream_of_a_replica_is_refused(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Home", env=cdk.Environment(region="eu-west-1"))
    table = StreamTable(
        stack,
        "Orders",
        partition_key=KEY,
        replicas=[dynamodb.ReplicaTableProps(region="us-east-1")],
    )
    with pytest.raises(SourceError, match=r"^table must have one stream, got the replica "):
        source_of(table.replica("us-east-1"))


def test_the_function_may_read_this_stream_and_nothing_else(
    stack: cdk.Stack, function: lambda_.Function, resources_of: Resources
) -> None:
    table = StreamTable(stack, "Orders", partition_key=KEY)
    StreamConsumer(stack, "Audit", table=table, function=function)
    read, send = statements(stack, resources_of)
    assert read == {
        "Action": [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ],
        "Effect": "Allow",
        "Resource": {"Fn::GetAtt": ["OrdersA9B65338", "StreamArn"]},
    }
    assert send["Action"] == "sqs:SendMessage"


def test_a_table_s_own_key_may_be_used_to_decrypt(app: cdk.App, resources_of: Resources) -> None:
    stack = cdk.Stack(app, "Home", env=cdk.Environment(region="eu-west-1"))
    function = inline_function(stack)
    key = kms.Key(stack, "Key")
    table = StreamTable(
        stack,
        "Orders",
        partition_key=KEY,
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key),
    )
    StreamConsumer(stack, "Audit", table=table, function=function)
    kms_statements = [
        each for each in statements(stack, resources_of) if each["Action"] == "kms:Decrypt"
    ]
    assert [(each["Resource"], each["Condition"]) for each in kms_statements] == [
        (stack.resolve(key.key_arn), {"StringLike": {"kms:ViaService": "dynamodb.*"}})
    ]
