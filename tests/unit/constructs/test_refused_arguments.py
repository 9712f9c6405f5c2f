"""What can never work is refused in one sentence: what, given, allowed, what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from cdk_streams import (
    Alarms,
    OnFailure,
    SettingsError,
    SourceError,
    StreamConsumer,
    StreamDashboard,
    StreamFunction,
    StreamTable,
)

KEY = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
STREAM = "arn:aws:dynamodb:us-east-1:111122223333:table/Orders/stream/2026-01-01T00:00:00.000"
TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/Orders"
Resources = Callable[..., dict[str, Any]]


def plain(stack: cdk.Stack, name: str = "Function", **options: Any) -> lambda_.Function:
    return lambda_.Function(
        stack,
        name,
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        **options,
    )


def consume(stack: cdk.Stack, **given: Any) -> StreamConsumer:
    if "table" not in given:
        given["table"] = StreamTable(stack, "Orders", partition_key=KEY)
    if "function" not in given:
        given["function"] = plain(stack)
    return StreamConsumer(stack, "Audit", **given)


def imported(stack: cdk.Stack, stream_arn: str) -> dynamodb.ITableV2:
    return dynamodb.TableV2.from_table_attributes(
        stack, "Theirs", table_name="Orders", table_stream_arn=stream_arn
    )


def home(app: cdk.App, name: str = "Home", region: str = "us-east-1") -> cdk.Stack:
    env = cdk.Environment(region=region, account="111122223333")
    return cdk.Stack(app, name, env=env)


@pytest.mark.parametrize(
    ("arn", "got"),
    [
        ("arn:aws:kinesis:us-east-1:111122223333:stream/orders", "that of something else"),
        (TABLE, "the ARN of a table"),
        (f"{TABLE}/index/by-day", "the ARN of a table"),
        ("Orders", "no ARN"),
        ("", "no ARN"),
    ],
)
def test_a_stream_arn_that_is_none_is_refused(stack: cdk.Stack, arn: str, got: str) -> None:
    with pytest.raises(SourceError) as caught:
        consume(stack, table=imported(stack, arn))
    assert str(caught.value) == (
        "table_stream_arn must be the ARN of a DynamoDB stream, such as "
        "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders/stream/2026-…, "
        f"got {got}: {arn!r}; DescribeTable names it LatestStreamArn"
    )
    assert stack.node.try_find_child("Audit") is None


def test_the_stream_of_another_table_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(SourceError) as caught:
        consume(stack, table=imported(stack, STREAM.replace("Orders", "Customers")))
    assert str(caught.value) == (
        "table_stream_arn must be of the table 'Orders', got the stream of 'Customers'; "
        "a consumer reads the table that it is given"
    )


def test_a_stream_of_another_region_is_refused(app: cdk.App) -> None:
    stack = home(app, region="eu-west-1")
    with pytest.raises(SourceError) as caught:
        consume(stack, table=imported(stack, STREAM))
    assert str(caught.value) == (
        "table must have its stream in eu-west-1, the region of the consumer's stack, got "
        "'Home/Theirs' in us-east-1; Lambda reads streams of its own region only: put consumer "
        "and function into a stack of us-east-1"
    )


def test_a_table_of_a_stack_in_another_region_is_refused(app: cdk.App) -> None:
    table = StreamTable(home(app, "Data", "us-east-1"), "Orders", partition_key=KEY)
    with pytest.raises(SourceError, match=r"^table must have its stream in eu-west-1, .* us-east"):
        consume(home(app, region="eu-west-1"), table=table)


def test_a_stream_of_another_account_in_the_same_region_is_taken(app: cdk.App) -> None:
    stack = home(app)
    theirs = imported(stack, STREAM.replace("111122223333", "444455556666"))
    assert consume(stack, table=theirs).stream_arn.startswith("arn:aws:dynamodb:us-east-1:4444")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda stack: dynamodb.CfnTable(stack, "L1", key_schema=[]),
            (
                "got CfnTable; import it: aws_dynamodb.Table.from_table_attributes(..., "
                "table_arn=table.attr_arn, table_stream_arn=table.attr_stream_arn)"
            ),
        ),
        (plain, "got a function; table= and function= are swapped"),
        (
            lambda stack: sqs.Queue(stack, "Queue"),
            "got Queue; find it by name with StreamTable.look_up",
        ),
    ],
)
def test_what_is_no_table_is_named(stack: cdk.Stack, make: Any, told: str) -> None:
    with pytest.raises(SourceError) as caught:
        consume(stack, table=make(stack), function=None)
    assert str(caught.value) == f"table must be a Table, a TableV2 or an import, {told}"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda _: "handlers/audit.py",
            (
                "got the text 'handlers/audit.py'; make one of the file: "
                "StreamFunction(self, ..., entry='handlers/audit.py')"
            ),
        ),
        (
            lambda stack: lambda_.CfnFunction(
                stack, "L1", code=lambda_.CfnFunction.CodeProperty(zip_file=""), role="role"
            ),
            (
                "got CfnFunction; import it: aws_lambda.Function.from_function_attributes(..., "
                "function_arn=function.attr_arn, role=...)"
            ),
        ),
        (
            lambda stack: StreamTable(stack, "Other", partition_key=KEY),
            "got a table; table= and function= are swapped",
        ),
    ],
)
def test_what_is_no_function_is_named(stack: cdk.Stack, make: Any, told: str) -> None:
    with pytest.raises(SourceError) as caught:
        consume(stack, function=make(stack))
    assert str(caught.value) == f"function must be a Function, an Alias or an import, {told}"


def test_a_function_with_tenant_isolation_is_refused(stack: cdk.Stack) -> None:
    isolated = plain(stack, tenancy_config=lambda_.TenancyConfig.PER_TENANT)
    with pytest.raises(SourceError) as caught:
        consume(stack, function=isolated)
    assert str(caught.value) == (
        "function must be without tenancy_config, got 'Test/Function' with it; a stream cannot "
        "invoke a function with tenant isolation: API Gateway alone can"
    )


def test_a_singleton_function_is_taken_and_told_of_partial_responses(
    stack: cdk.Stack, resources_of: Resources
) -> None:
    code = lambda_.Code.from_inline("def handler(event, context): ...")
    single = lambda_.SingletonFunction(
        stack,
        "Function",
        uuid="orders",
        code=code,
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
    )
    consume(stack, function=single)
    (body,) = resources_of(stack, "AWS::Lambda::Function").values()
    assert body["Properties"]["Environment"]["Variables"] == {"STREAM_PARTIAL_RESPONSE": "1"}


def test_a_consumer_belongs_into_the_stack_of_its_function(app: cdk.App) -> None:
    data, compute = cdk.Stack(app, "Data"), cdk.Stack(app, "Compute")
    table, function = StreamTable(data, "Orders", partition_key=KEY), plain(compute)
    with pytest.raises(SourceError) as caught:
        StreamConsumer(data, "Audit", table=table, function=function)
    assert str(caught.value) == (
        "a consumer must stand in the stack of its function, got the consumer in 'Data' and "
        "'Compute/Function' in 'Compute': each stack would need the other; create the "
        "StreamConsumer in 'Compute', with the table of the other stack"
    )
    StreamConsumer(compute, "Audit", table=table, function=function)
    app.synth()


def test_the_same_holds_for_a_consumer_in_a_nested_stack(app: cdk.App) -> None:
    parent = cdk.Stack(app, "Parent")
    nested = cdk.NestedStack(parent, "Nested")
    table, function = StreamTable(parent, "Orders", partition_key=KEY), plain(parent)
    with pytest.raises(SourceError, match=r"^a consumer must stand in the stack of its function"):
        StreamConsumer(nested, "Audit", table=table, function=function)


def test_a_function_in_a_nested_stack_of_the_consumer_s_is_no_circle(app: cdk.App) -> None:
    parent = cdk.Stack(app, "Parent")
    function = plain(cdk.NestedStack(parent, "Nested"))
    consume(parent, function=function)
    app.synth()


def test_a_consumer_of_two_other_stacks_without_a_destination_is_no_circle(app: cdk.App) -> None:
    data, compute, glue = (cdk.Stack(app, name) for name in ("Data", "Compute", "Glue"))
    consume(
        glue,
        table=StreamTable(data, "Orders", partition_key=KEY),
        function=plain(compute),
        on_failure=OnFailure.NOTHING,
    )
    app.synth()


def test_only_our_own_warning_speaks_of_a_function_without_its_role(stack: cdk.Stack) -> None:
    theirs = lambda_.Function.from_function_name(stack, "Theirs", "theirs")
    consume(stack, function=theirs)
    found = assertions.Annotations.from_stack(stack).find_warning("*", assertions.Match.any_value())
    texts = [str(each.entry.data) for each in found]
    assert [text.rpartition("[ack: ")[2] for text in texts] == ["cdk-streams:NoRole]"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda stack: event_sources.SqsDlq(sqs.Queue(stack, "Q")),
            "got SqsDlq; pass the queue, topic or bucket itself",
        ),
        (
            lambda stack: event_sources.S3OnFailureDestination(s3.Bucket(stack, "B")),
            "got S3OnFailureDestination; pass the queue, topic or bucket itself",
        ),
    ],
)
def test_what_cdk_wraps_a_destination_in_is_named(stack: cdk.Stack, make: Any, told: str) -> None:
    with pytest.raises(SourceError) as caught:
        consume(stack, on_failure=make(stack))
    assert str(caught.value) == (
        f"on_failure must be the construct of a queue, topic or bucket, or an OnFailure, {told}"
    )


def test_one_topic_is_no_list_of_actions(stack: cdk.Stack) -> None:
    topic: Any = sns.Topic(stack, "Pager")
    with pytest.raises(SettingsError) as caught:
        Alarms(actions=topic)
    assert str(caught.value) == (
        "actions must be a list of topics or actions, got Topic; pass a list"
    )


def test_an_action_that_is_none_is_named_with_its_place(stack: cdk.Stack) -> None:
    actions: Any = ["arn:aws:sns:eu-west-1:111122223333:pager", sqs.Queue(stack, "Queue")]
    with pytest.raises(SettingsError) as caught:
        Alarms(actions=actions)
    assert caught.value.faults == (
        (
            "actions[0] must be a topic or an action of CDK, got "
            "'arn:aws:sns:eu-west-1:111122223333:pager'; "
            "import the topic with aws_sns.Topic.from_topic_arn"
        ),
        (
            "actions[1] must be a topic or an action of CDK, got Queue; "
            "wrap it in an action of aws_cloudwatch_actions, or pass a topic that notifies it"
        ),
    )


def test_one_consumer_is_no_list_of_consumers(stack: cdk.Stack) -> None:
    consumer: Any = consume(stack)
    with pytest.raises(SettingsError) as caught:
        StreamDashboard(stack, "Dashboard", consumers=consumer)
    assert str(caught.value) == (
        "consumers must be a list of StreamConsumers, got StreamConsumer; put it into a list"
    )


def test_what_is_no_consumer_is_named(stack: cdk.Stack) -> None:
    consumers: Any = [consume(stack), sqs.Queue(stack, "Queue")]
    with pytest.raises(SettingsError) as caught:
        StreamDashboard(stack, "Dashboard", consumers=consumers)
    assert str(caught.value) == (
        "consumers must be StreamConsumers, got Queue among them; leave it out"
    )


FUNCTION: dict[str, tuple[dict[str, Any], str]] = {
    "code": (
        {"code": lambda_.InlineCode("x = 1")},
        (
            "code must be left out, got one: entry names the handler's file or folder; "
            "use aws_lambda.Function for code of your own"
        ),
    ),
    "entry": (
        {"entry": lambda_.InlineCode("x = 1")},
        (
            "entry must be the path of a Python file or a folder, got InlineCode; "
            'pass the path itself, such as entry="handlers/audit.py"'
        ),
    ),
    "requirements": (
        {"requirements": ["pydantic==2.12.0"]},
        (
            "requirements must be the path of a requirements file, got list; "
            "write the packages into a file, each pinned"
        ),
    ),
    "handler": (
        {"handler": "audit.handler"},
        (
            "handler must be a name without its module, got 'audit.handler'; "
            "pass handler='handler', the module is that of entry or index"
        ),
    ),
    "runtime": (
        {"runtime": lambda_.Runtime.NODEJS_22_X},
        (
            "runtime must be one of Python, got nodejs22.x; lambda_runtime is a Python package: "
            "use aws_lambda.Function for a handler in another language"
        ),
    ),
}


@pytest.mark.parametrize("case", FUNCTION)
def test_what_a_stream_function_cannot_be_given_is_named(
    stack: cdk.Stack, handler_file: Path, case: str
) -> None:
    given, told = FUNCTION[case]
    with pytest.raises(SourceError) as caught:
        StreamFunction(stack, "Function", **{"entry": handler_file, **given})
    assert str(caught.value) == told


def test_a_look_up_takes_a_name_and_no_arn(stack: cdk.Stack) -> None:
    with pytest.raises(SourceError) as caught:
        StreamTable.look_up(stack, "Orders", table_name=TABLE)
    assert str(caught.value) == (
        f"table_name must be a name, got the ARN {TABLE!r}; pass 'Orders' in a stack of the "
        "table's account and region"
    )


def test_strongly_consistent_replicas_leave_the_view_type_open(app: cdk.App) -> None:
    table = StreamTable(
        home(app, region="us-east-1"),
        "Orders",
        partition_key=KEY,
        stream_view_type=dynamodb.StreamViewType.NEW_IMAGE,
        replicas=[{"region": "us-east-2"}],
        witness_region="us-west-2",
        multi_region_consistency=dynamodb.MultiRegionConsistency.STRONG,
    )
    assert table.stream_view_type is dynamodb.StreamViewType.NEW_IMAGE


def test_a_replica_in_another_account_has_the_stream_of_its_source(app: cdk.App) -> None:
    stack = home(app)
    source = dynamodb.TableV2.from_table_arn(
        stack, "Source", "arn:aws:dynamodb:eu-west-1:444455556666:table/Orders"
    )
    replica = dynamodb.TableV2MultiAccountReplica(stack, "Replica", replica_source_table=source)
    consumer = consume(stack, table=replica)
    assert stack.resolve(consumer.stream_arn)["Fn::GetAtt"][1] == "StreamArn"
