from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

import cdk_streams as streams
from cdk_streams.constructs._props import ConsumerOptions
from cdk_streams.filters import matches
from cdk_streams.simulator import from_template, insert, modify, remove
from cdk_streams.testing import FakeDynamoDB
from lambda_runtime.replication import handler_from_environment, use_client

Resources = Callable[..., dict[str, Any]]
KEY = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
BOTH = dynamodb.StreamViewType.NEW_AND_OLD_IMAGES


@pytest.fixture
def orders(stack: cdk.Stack) -> streams.StreamTable:
    return streams.StreamTable(stack, "Orders", partition_key=KEY)


@pytest.fixture
def copy(stack: cdk.Stack) -> dynamodb.TableV2:
    return dynamodb.TableV2(stack, "Copy", partition_key=KEY)


@pytest.fixture
def shape(tmp_path: Path) -> str:
    file = tmp_path / "shape.py"
    file.write_text("def shape(item):\n    return {'order': item['pk']}\n", encoding="utf-8")
    return f"{file}:shape"


@pytest.fixture
def regional(app: cdk.App) -> cdk.Stack:
    """Return a stack of one Region, which tables with keys need."""
    return cdk.Stack(app, "Regional", env=cdk.Environment(region="eu-west-1"))


def variables(resources: dict[str, Any]) -> dict[str, Any]:
    (function,) = resources.values()
    return {
        name.removeprefix("STREAM_REPLICA_"): value
        for name, value in function["Properties"]["Environment"]["Variables"].items()
        if name.startswith("STREAM_REPLICA_")
    }


def rights(resources: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return the actions and resources of each statement that no consumer gets."""
    (policy,) = resources.values()
    return [
        (each["Action"], each["Resource"])
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        if "Stream" not in str(each) and each["Action"] != "sqs:SendMessage"
    ]


def test_a_replica_is_a_consumer_that_may_put_items_and_nothing_else(
    stack: cdk.Stack,
    orders: streams.StreamTable,
    copy: dynamodb.TableV2,
    resources_of: Resources,
) -> None:
    made = streams.TableReplica(stack, "Replica", source=orders, target=copy, batch_size=500)

    assert isinstance(made, streams.StreamConsumer)
    assert made.settings.batch_size == 500
    assert made.failure_queue is not None
    copy_arn = {"Fn::GetAtt": ["Copy1ED8A51E", "Arn"]}
    writes = ["dynamodb:PartiQLInsert", "dynamodb:PutItem"]
    assert rights(resources_of(stack, "AWS::IAM::Policy")) == [(writes, copy_arn)]
    assert variables(resources_of(stack, "AWS::Lambda::Function")) == {
        "TABLE": {"Ref": "Copy1ED8A51E"},
        "KEYS": "pk",
        "CONCURRENCY": "16",
        "NAME": "Test/Replica",
    }


def test_the_shipped_handler_runs_in_the_simulator(
    stack: cdk.Stack,
    orders: streams.StreamTable,
    template_of: Callable[[Any], assertions.Template],
) -> None:
    streams.TableReplica(stack, "Replica", source=orders, target="OrdersCopy")
    world = from_template(
        template_of(stack).to_json(), {"ReplicaFunction": handler_from_environment}
    )
    target = FakeDynamoDB({"OrdersCopy": ("pk",)})

    with use_client(target):
        for number in range(3):
            world.tables[_orders(world)].put({"pk": str(number)})
        world.tables[_orders(world)].delete({"pk": "1"})
        world.run()

    assert target.items("OrdersCopy") == [{"pk": "0"}, {"pk": "2"}]


def _orders(world: Any) -> str:
    return next(str(name) for name in world.tables if name.startswith("Orders"))


def test_the_function_ships_replication_and_the_transform(
    stack: cdk.Stack, app: cdk.App, orders: streams.StreamTable, shape: str
) -> None:
    streams.TableReplica(
        stack, "Replica", source=orders, target="Shaped", target_keys=("order",), transform=shape
    )
    app.synth()
    (asset,) = Path(app.outdir).glob("asset.*")
    files = {path.relative_to(asset).as_posix() for path in asset.rglob("*.py")}
    assert {"replica.py", "shape.py", "lambda_runtime/replication/_replica.py"} <= files


def test_another_account_is_written_under_its_role(
    stack: cdk.Stack, orders: streams.StreamTable, resources_of: Resources
) -> None:
    role = "arn:aws:iam::111122223333:role/replica"
    streams.TableReplica(
        stack, "Replica", source=orders, target="Orders", region="eu-central-1", role=role
    )
    assert rights(resources_of(stack, "AWS::IAM::Policy")) == [("sts:AssumeRole", role)]
    shown = variables(resources_of(stack, "AWS::Lambda::Function"))
    assert (shown["REGION"], shown["ROLE_ARN"]) == ("eu-central-1", role)


def test_the_other_account_s_role_may_put_items_and_use_the_key(
    regional: cdk.Stack, resources_of: Resources
) -> None:
    stack = regional
    key = kms.Key(stack, "Key")
    table = dynamodb.TableV2(
        stack,
        "Copy",
        partition_key=KEY,
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key),
    )
    streams.ReplicaTargetRole(stack, "Role", table=table, source_account="111122223333")
    (role,) = resources_of(stack, "AWS::IAM::Role").values()
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert "111122223333" in str(statement["Principal"])
    (policy,) = resources_of(stack, "AWS::IAM::Policy").values()
    actions = [each["Action"] for each in policy["Properties"]["PolicyDocument"]["Statement"]]
    assert actions[0] == ["dynamodb:PartiQLInsert", "dynamodb:PutItem"]
    assert set(actions[1]) == {
        "kms:Encrypt",
        "kms:Decrypt",
        "kms:ReEncrypt*",
        "kms:GenerateDataKey*",
        "kms:DescribeKey",
    }


def test_keys_of_both_sides_may_be_used(regional: cdk.Stack, resources_of: Resources) -> None:
    stack = regional
    keys = [kms.Key(stack, name) for name in ("SourceKey", "TargetKey")]
    orders = streams.StreamTable(
        stack,
        "Orders",
        partition_key=KEY,
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(keys[0]),
    )
    streams.TableReplica(
        stack, "Replica", source=orders, target="Copy", target_encryption_key=keys[1]
    )
    statements = [
        each
        for policy in resources_of(stack, "AWS::IAM::Policy").values()
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        if "kms:" in str(each["Action"])
    ]
    assert [each["Action"] for each in statements] == [
        "kms:Decrypt",
        [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ],
    ]


def test_the_lag_alarm_tells_the_topics_of_the_other_alarms(
    stack: cdk.Stack, orders: streams.StreamTable, resources_of: Resources
) -> None:
    topic = sns.Topic(stack, "Pager")
    made = streams.TableReplica(
        stack,
        "Replica",
        source=orders,
        target="Copy",
        max_lag=60,
        alarms=streams.Alarms(actions=[topic]),
    )
    assert made.lag_alarm is not None
    (alarm,) = (
        each["Properties"]
        for name, each in resources_of(stack, "AWS::CloudWatch::Alarm").items()
        if "LagAlarm" in name
    )
    assert alarm["Threshold"] == 60_000
    assert alarm["MetricName"] == "ReplicationLag"
    assert alarm["Dimensions"] == [{"Name": "Replica", "Value": "Test/Replica"}]
    assert len(alarm["AlarmActions"]) == 1


def test_no_lag_alarm_is_made_when_none_is_wanted(
    stack: cdk.Stack, orders: streams.StreamTable
) -> None:
    made = streams.TableReplica(stack, "Replica", source=orders, target="Copy", max_lag=None)
    assert made.lag_alarm is None


def test_each_metric_has_the_replica_as_its_dimension(
    stack: cdk.Stack, orders: streams.StreamTable
) -> None:
    made = streams.TableReplica(stack, "Replica", source=orders, target="Copy")
    shown = [
        made.metric_lag(),
        made.metric_writes(),
        made.metric_superseded_writes(),
        made.metric_conflicts(),
    ]
    assert [each.metric_name for each in shown] == [
        "ReplicationLag",
        "Writes",
        "SupersededWrites",
        "Conflicts",
    ]
    assert {each.dimensions["Replica"] for each in shown if each.dimensions} == {"Test/Replica"}


def test_two_ways_leave_out_what_the_other_replica_inserts(
    stack: cdk.Stack, orders: streams.StreamTable, resources_of: Resources
) -> None:
    streams.TableReplica(
        stack,
        "Replica",
        source=orders,
        target="Copy",
        two_way=streams.LastWriterWins("updated_at"),
    )
    assert variables(resources_of(stack, "AWS::Lambda::Function"))["VERSION"] == "updated_at"
    (mapping,) = resources_of(stack, "AWS::Lambda::EventSourceMapping").values()
    patterns = [each["Pattern"] for each in mapping["Properties"]["FilterCriteria"]["Filters"]]
    mine, theirs = {"pk": "a"}, {"pk": "a", "_stream_origin": "eu-west-1/123456789012/Copy"}

    def called(record: dict[str, Any]) -> bool:
        return any(matches(pattern, record) for pattern in patterns)

    assert called(insert(mine))
    assert not called(insert(theirs))
    # An application's update leaves the attribute where it is.
    assert called(modify(theirs, {**theirs, "n": 1}))
    assert called(remove(theirs))


GLOBAL = "global table"


@pytest.mark.parametrize(
    ("options", "recommended"),
    [
        ({"region": "us-east-1"}, True),
        ({"region": "us-east-1", "two_way": streams.LastWriterWins("v")}, True),
        ({"region": "eu-west-1"}, False),
        ({"region": "us-east-1", "role": "arn:aws:iam::111122223333:role/r"}, False),
        ({"region": "us-east-1", "skip_expired": True}, False),
        ({"region": "us-east-1", "filters": [streams.Filter.insert()]}, False),
    ],
)
def test_a_global_table_is_recommended_where_it_suffices(
    app: cdk.App, options: dict[str, Any], recommended: bool
) -> None:
    stack = cdk.Stack(app, "Region", env=cdk.Environment(region="eu-west-1"))
    orders = streams.StreamTable(stack, "Orders", partition_key=KEY)
    streams.TableReplica(stack, "Replica", source=orders, target="Copy", **options)
    found = assertions.Annotations.from_stack(stack).find_warning(
        "*", assertions.Match.string_like_regexp(GLOBAL)
    )
    assert len(found) == recommended


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"concurrency": 0}, streams.SettingsError, "concurrency must be a number from 1, got 0"),
        (
            {"two_way": "updated_at"},
            streams.SettingsError,
            "two_way must be a LastWriterWins or None, got 'updated_at'",
        ),
        ({"target": None}, streams.SourceError, "a table of CDK's or a table's name, got NoneType"),
        (
            {"target_keys": ("id",)},
            streams.SettingsError,
            "must have the source's key attributes, pk, got id",
        ),
        (
            {"transform": "nowhere.py:shape"},
            streams.SourceError,
            "transform must be a Python file and a name",
        ),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(
    stack: cdk.Stack,
    orders: streams.StreamTable,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        streams.TableReplica(stack, "Replica", **{"source": orders, "target": "Copy", **options})


def test_a_transform_needs_the_target_s_keys_and_names_what_is_defined(
    stack: cdk.Stack, orders: streams.StreamTable, shape: str
) -> None:
    with pytest.raises(streams.SettingsError, match="target_keys must name the target's key"):
        streams.TableReplica(stack, "A", source=orders, target="Copy", transform=shape)
    with pytest.raises(streams.SourceError, match=r"must name something that .* defines, got 'no'"):
        streams.TableReplica(
            stack,
            "B",
            source=orders,
            target="Copy",
            target_keys=("order",),
            transform=shape.replace(":shape", ":no"),
        )
    with pytest.raises(streams.SettingsError, match="two_way must be left out with a transform"):
        streams.TableReplica(
            stack,
            "C",
            source=orders,
            target="Copy",
            transform=shape,
            two_way=streams.LastWriterWins("v"),
        )


def test_the_source_is_no_target(stack: cdk.Stack, orders: streams.StreamTable) -> None:
    with pytest.raises(streams.SourceError, match="another table than the source, got 'Test/Orde"):
        streams.TableReplica(stack, "Replica", source=orders, target=orders)


def test_target_keys_are_those_of_the_table(
    stack: cdk.Stack, orders: streams.StreamTable, copy: dynamodb.TableV2
) -> None:
    with pytest.raises(streams.SettingsError, match="target_keys must be those of the table, pk"):
        streams.TableReplica(stack, "R", source=orders, target=copy, target_keys=("id",))


@pytest.mark.parametrize(
    ("view_type", "options", "fits"),
    [
        (dynamodb.StreamViewType.KEYS_ONLY, {}, False),
        (dynamodb.StreamViewType.OLD_IMAGE, {}, False),
        (dynamodb.StreamViewType.NEW_IMAGE, {}, True),
        (
            dynamodb.StreamViewType.NEW_IMAGE,
            {"two_way": streams.LastWriterWins("updated_at")},
            False,
        ),
        (BOTH, {"two_way": streams.LastWriterWins("updated_at")}, True),
    ],
)
def test_the_source_carries_the_images_that_are_needed(
    stack: cdk.Stack, view_type: dynamodb.StreamViewType, options: dict[str, Any], fits: bool
) -> None:
    orders = streams.StreamTable(stack, "Orders", partition_key=KEY, stream_view_type=view_type)
    if fits:
        streams.TableReplica(stack, "Replica", source=orders, target="Copy", **options)
        return
    with pytest.raises(streams.SourceError, match=f"got {view_type.value}: .*set stream_view_type"):
        streams.TableReplica(stack, "Replica", source=orders, target="Copy", **options)


def test_an_empty_version_attribute_is_refused() -> None:
    with pytest.raises(streams.SettingsError, match="version must name an attribute"):
        streams.LastWriterWins("")


def test_every_option_of_a_consumer_can_be_passed_on() -> None:
    taken = signature(streams.StreamConsumer.__init__).parameters
    assert [*ConsumerOptions.__annotations__] == [
        name for name in taken if name not in {"self", "scope", "id", "table", "function"}
    ]


def test_a_role_of_cdk_is_assumed(
    stack: cdk.Stack, orders: streams.StreamTable, copy: dynamodb.TableV2, resources_of: Resources
) -> None:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/replica")
    streams.TableReplica(stack, "Replica", source=orders, target=copy, role=role)
    shown = variables(resources_of(stack, "AWS::Lambda::Function"))
    assert shown["ROLE_ARN"] == "arn:aws:iam::111122223333:role/replica"
