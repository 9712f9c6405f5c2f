"""Text where a list is due, True where a number is: each is refused, or taken for what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns

import cdk_streams as streams
from cdk_streams.errors import StreamsError

KEY = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
Resources = Callable[..., dict[str, Any]]


@pytest.fixture
def orders(stack: cdk.Stack) -> streams.StreamTable:
    return streams.StreamTable(stack, "Orders", partition_key=KEY)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"exclude": "*.txt"}, "exclude must be a list of shell patterns, got the text '*.txt'; "),
        ({"include": "config/.env"}, "write ['config/.env']"),
        ({"entry": ""}, "entry must be the path of a Python file or a folder, got ''; pass the"),
        ({"handler": None}, "handler must be the name of the handler in its file, got NoneType; "),
        ({"architecture": "arm64"}, "architecture must be an aws_lambda.Architecture, got 'arm64'"),
        ({"environment": ["A"]}, "environment must be a dict of texts, got list; write"),
        ({"environment": {"LIMIT": 5}}, "got int for 'LIMIT'; write str(value)"),
    ],
)
def test_a_function(stack: cdk.Stack, handler_file: Path, wrong: Any, message: str) -> None:
    with pytest.raises(StreamsError) as refused:
        streams.StreamFunction(stack, "Function", **({"entry": handler_file} | wrong))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"target": ""}, "got ''; import the table of an ARN with TableV2.from_table_arn"),
        ({"target": "arn:aws:dynamodb:us-east-1:111122223333:table/Copy"}, "or pass its name with"),
        ({"target_keys": "pk"}, "target_keys must be a list of key attributes, got the text 'pk'"),
        ({"transform": lambda item: item}, "transform must be a Python file and a name that it"),
        ({"skip_expired": "no"}, "skip_expired must be True or False, got 'no'"),
        ({"max_lag": True}, "max_lag must be a duration or a number of seconds above 0, got True"),
        ({"max_lag": 0}, "got 0; pass None for no alarm"),
        ({"region": ""}, "region must be the name of a Region, such as eu-west-1, got ''"),
        ({"role": "orders-copy"}, "got 'orders-copy'; pass 'arn:aws:iam::<account>:role/<name>'"),
        ({"function_options": "x"}, "function_options must be a dict of options of StreamFunction"),
        ({"target_encryption_key": "k"}, "must be a Construct, got str; import it with aws_kms"),
    ],
)
def test_a_replica(stack: cdk.Stack, orders: streams.StreamTable, wrong: Any, message: str) -> None:
    with pytest.raises(StreamsError) as refused:
        streams.TableReplica(stack, "Replica", **({"source": orders, "target": "Copy"} | wrong))
    assert message in str(refused.value)


def test_the_account_of_a_replica_s_source(stack: cdk.Stack, orders: streams.StreamTable) -> None:
    account: Any = 111122223333
    with pytest.raises(
        StreamsError, match=r"source_account must be the twelve digits .*; write '1"
    ):
        streams.ReplicaTargetRole(stack, "Role", table=orders, source_account=account)


def test_the_rebuild_of_a_view(
    stack: cdk.Stack, orders: streams.StreamTable, tmp_path: Path
) -> None:
    file = tmp_path / "totals.py"
    file.write_text("view = ...\n", encoding="utf-8")
    target = dynamodb.TableV2(stack, "Totals", partition_key=KEY)
    rebuild: Any = True
    with pytest.raises(StreamsError, match="rebuild must be a ViewRebuild, got bool; write View"):
        streams.TableView(
            stack, "View", source=orders, target=target, view=f"{file}:view", rebuild=rebuild
        )


def test_the_bucket_of_a_forwarder(stack: cdk.Stack, orders: streams.StreamTable) -> None:
    target = streams.targets.EventBus(events.EventBus(stack, "Bus"))
    bucket: Any = "large-events"
    with pytest.raises(StreamsError, match="large_events must be a bucket of aws_s3, got str; im"):
        streams.StreamForwarder(stack, "Out", table=orders, target=target, large_events=bucket)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_threshold_that_is_no_number_leaves_cdk_alone(value: float) -> None:
    with pytest.raises(StreamsError, match="iterator_age must be a duration or a number of sec"):
        streams.Alarms(iterator_age=value)


@pytest.mark.parametrize("value", [cdk.Duration.minutes(1), 1.5])
def test_a_count_is_a_whole_number(value: Any) -> None:
    with pytest.raises(StreamsError, match="errors must be a whole number from 1, True or False"):
        streams.Alarms(errors=value)


def test_actions_and_consumers_may_come_from_a_generator(
    stack: cdk.Stack, orders: streams.StreamTable, handler_file: Path, resources_of: Resources
) -> None:
    topics: Any = (each for each in [sns.Topic(stack, "Pager")])
    function = streams.StreamFunction(stack, "Function", entry=handler_file)
    alarms = streams.Alarms(actions=topics)
    audit = streams.StreamConsumer(stack, "Audit", table=orders, function=function, alarms=alarms)
    consumers: Any = (each for each in [audit])
    streams.StreamDashboard(stack, "Board", consumers=consumers)
    made = resources_of(stack, "AWS::CloudWatch::Alarm").values()
    assert [len(each["Properties"]["AlarmActions"]) for each in made] == [1, 1]
    (board,) = resources_of(stack, "AWS::CloudWatch::Dashboard").values()
    assert "## Orders: " in str(board)
