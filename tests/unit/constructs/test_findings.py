"""Each rule that a CDK app can break, broken by one, as `cdk synth` shows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import assertions
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as lambda_event_sources
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

import cdk_streams
from cdk_streams import (
    Alarms,
    Filter,
    NewImage,
    OnFailure,
    StreamConsumer,
    StreamFunction,
    StreamTable,
)
from cdk_streams._documentation import page
from cdk_streams.checks import RULES
from examples.every_feature.elsewhere import ElsewhereStack
from examples.every_feature.stack import EveryFeatureStack
from sample_app.stack import OrdersStack

KEY = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
Setup = Callable[["Parts"], Any]


class Parts:
    """A stack to break rules in; `consume` makes its consumers, the first one named Audit."""

    def __init__(self, stack: cdk.Stack, handler: Path) -> None:
        self.stack = stack
        self.handler = handler
        self.table = StreamTable(stack, "Orders", partition_key=KEY)

    def function(self, name: str = "AuditFunction", **options: Any) -> StreamFunction:
        return StreamFunction(self.stack, name, entry=self.handler, **options)

    def consume(self, name: str = "Audit", **settings: Any) -> StreamConsumer:
        if "function" not in settings:
            settings["function"] = self.function(f"{name}Function")
        return StreamConsumer(self.stack, name, **{"table": self.table, **settings})

    def queue(self, **options: Any) -> sqs.Queue:
        return sqs.Queue(self.stack, "Own", **options)


@pytest.fixture
def parts(stack: cdk.Stack, handler_file: Path) -> Parts:
    return Parts(stack, handler_file)


def warnings(stack: cdk.Stack) -> list[str]:
    """Return the ids of what the library warns of, in order."""
    found = assertions.Annotations.from_stack(stack).find_warning("*", assertions.Match.any_value())
    texts = [str(each.entry.data) for each in found]
    return [text.rpartition("cdk-streams:")[2].rstrip("]") for text in texts if "cdk-st" in text]


def test_the_defaults_break_no_rule(parts: Parts) -> None:
    parts.consume()
    assert warnings(parts.stack) == []


def no_stream(parts: Parts) -> None:
    """A stream that an aspect takes away again."""
    resource: Any = parts.consume().table.node.default_child
    resource.stream_specification = None


def mapping(name: str, value: Any) -> Setup:
    """Change the mapping itself, long after the consumer was made."""

    def change(parts: Parts) -> None:
        setattr(parts.consume().event_source_mapping, name, value)

    return change


def settings(**given: Any) -> Setup:
    return lambda parts: parts.consume(**given)


def function(**options: Any) -> Setup:
    return lambda parts: parts.consume(function=parts.function(**options))


def own_queue(**options: Any) -> Setup:
    return lambda parts: parts.consume(on_failure=parts.queue(**options))


def writes(parts: Parts) -> None:
    """Granted after the consumer was made, as a line further down the app does."""
    made = parts.function()
    parts.consume(function=made)
    parts.table.grant_write_data(made)


def dead_letter(parts: Parts) -> None:
    made = parts.function(dead_letter_queue=parts.queue())
    parts.consume(function=made, on_failure=OnFailure.NOTHING)


def async_destination(parts: Parts) -> None:
    made = parts.function(on_failure=destinations.SqsDestination(parts.queue()))
    parts.consume(function=made, on_failure=OnFailure.NOTHING)


def imported(parts: Parts) -> None:
    theirs = lambda_.Function.from_function_name(parts.stack, "Theirs", "theirs")
    parts.consume(function=theirs)


def plain_function(parts: Parts) -> None:
    parts.consume(
        function=lambda_.Function(
            parts.stack,
            "Plain",
            code=lambda_.Code.from_inline("handler = print"),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
        )
    )


def plain_without_report(parts: Parts) -> None:
    made = lambda_.Function(
        parts.stack,
        "Plain",
        code=lambda_.Code.from_inline("handler = print"),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        timeout=cdk.Duration.minutes(1),
    )
    parts.consume(function=made, report_batch_item_failures=False)


def unvalidated(pattern: dict[str, Any]) -> Setup:
    return settings(filters=[Filter.pattern(pattern, validate=False)])


def image(**attributes: Any) -> dict[str, Any]:
    return {"dynamodb": {"NewImage": attributes}}


def fewer_images(parts: Parts) -> None:
    """The view type is changed after the filters were checked against it."""
    consumer = parts.consume(filters=[image(status={"S": ["PAID"]})])
    resource: Any = consumer.table.node.default_child
    resource.stream_specification = dynamodb.CfnGlobalTable.StreamSpecificationProperty(
        stream_view_type="KEYS_ONLY"
    )


def fifo(parts: Parts) -> None:
    queue = parts.queue(enforce_ssl=True, retention_period=cdk.Duration.days(14))
    resource: Any = queue.node.default_child
    resource.fifo_queue = True
    parts.consume(on_failure=queue)


def durable(parts: Parts) -> None:
    config = lambda_.DurableConfig(execution_timeout=cdk.Duration.hours(1))
    parts.consume(function=parts.function(durable_config=config))


def immutable_role(parts: Parts) -> None:
    arn = "arn:aws:iam::123456789012:role/theirs"
    role = iam.Role.from_role_arn(parts.stack, "Role", arn, mutable=False)
    parts.consume(function=parts.function(role=role))


def expiries_of_replicas(parts: Parts) -> None:
    stack = cdk.Stack(parts.stack, "Home", env=cdk.Environment(region="eu-west-1"))
    home = Parts(stack, parts.handler)
    table = dynamodb.TableV2(
        stack,
        "Global",
        partition_key=KEY,
        replicas=[dynamodb.ReplicaTableProps(region="eu-north-1")],
    )
    home.consume(table=table, filters=[Filter.remove(expired=True)])
    parts.stack = stack


SAFE_QUEUE = {"enforce_ssl": True, "retention_period": cdk.Duration.days(14)}
BROKEN: dict[str, tuple[Setup, list[str]]] = {
    "a batch size out of range": (mapping("batch_size", 20_000), ["InvalidSettings"]),
    "no stream": (no_stream, ["NoStream"]),
    "latest": (settings(starting_position="LATEST"), ["StartsAtLatest"]),
    "disabled": (settings(enabled=False), ["Disabled"]),
    "no role": (imported, ["NoRole"]),
    "writes its source": (writes, ["WritesOwnSource"]),
    "endless": (settings(retry_attempts=None), ["InfiniteRetries"]),
    "endless, set later": (mapping("maximum_retry_attempts", None), ["InfiniteRetries"]),
    "no age": (settings(max_record_age=None), ["RecordAgeReachesRetention"]),
    "old": (settings(max_record_age=timedelta(hours=23)), ["LittleTimeToReadBack"]),
    "no destination": (settings(on_failure=OnFailure.NOTHING), ["NoFailureDestination"]),
    "no bisect": (settings(bisect_batch_on_error=False), ["BisectOff"]),
    "no report": (plain_without_report, ["PartialResponsesOff"]),
    "report unread": (settings(report_batch_item_failures=False), ["PartialResponseNotRead"]),
    "fifo, by an escape hatch": (fifo, ["FifoDestination"]),
    "queue kept a day": (
        own_queue(enforce_ssl=True, retention_period=cdk.Duration.days(1)),
        ["DestinationRetentionShort"],
    ),
    "queue in clear text": (
        own_queue(**SAFE_QUEUE, encryption=sqs.QueueEncryption.UNENCRYPTED),
        ["DestinationNotEncrypted"],
    ),
    "queue without TLS": (own_queue(), ["DestinationWithoutTls"]),
    "dead-letter queue": (dead_letter, ["NoFailureDestination", "DeadLetterOnFunction"]),
    "async destination": (async_destination, ["NoFailureDestination", "DeadLetterOnFunction"]),
    "failures unheard": (
        settings(alarms=Alarms(failure_queue_depth=False)),
        ["FailuresNotAlarmed"],
    ),
    "lag unheard": (settings(alarms=Alarms(iterator_age=False)), ["LagNotAlarmed"]),
    "no alarm": (settings(alarms=None), ["FailuresNotAlarmed", "LagNotAlarmed"]),
    "little concurrency": (
        lambda parts: parts.consume(
            function=parts.function(reserved_concurrent_executions=2), parallelization_factor=4
        ),
        ["ConcurrencyBelowFactor"],
    ),
    "long window": (settings(max_batching_window=120), ["WindowAboveTimeout"]),
    "short timeout": (plain_function, ["ResponseNotKnown", "TimeoutOfOneRequest"]),
    "long durable execution": (durable, ["DurableExecutionTooLong"]),
    "immutable role": (immutable_role, ["RoleNotGranted"]),
    "expiries of replicas": (expiries_of_replicas, ["ExpiredFilterOnReplicas"]),
    "timeout as long as the age": (settings(max_record_age=60), ["TimeoutReachesRecordAge"]),
    "little memory": (
        lambda parts: parts.consume(function=parts.function(memory_size=128), batch_size=1000),
        ["MemoryOfOneRequest"],
    ),
    "number": (unvalidated(image(price={"N": [{"numeric": [">", 1]}]})), ["FilterComparesNumber"]),
    "type": (unvalidated(image(paid={"BOOL": ["true"]})), ["FilterComparesOtherType"]),
    "letter": (unvalidated(image(status=["PAID"])), ["FilterWithoutTypeLetter"]),
    "container": (unvalidated(image(lines={"L": [{"exists": True}]})), ["FilterTestsContainer"]),
    "event": (unvalidated({"eventName": ["INSRT"]}), ["FilterNamesUnknownEvent"]),
    "field": (unvalidated({"eventNames": ["INSERT"]}), ["FilterNamesUnknownField"]),
    "image": (fewer_images, ["FilterNamesMissingImage"]),
    "filter twice": (
        settings(filters=[{"eventName": ["INSERT"]}, {"eventName": ["INSERT"]}]),
        ["DuplicateFilter"],
    ),
}
# Refused by the constructs before there is anything to warn of, waited for by them, or below.
NOT_HERE = {
    "ReplicaStreamWildcard",
    "SameMappingTwice",
    "MappingBeforePolicy",
    "TooManyReaders",
    "StreamArnExportLocked",
    # Known from the last template: test_last_template.
    "MappingReplaced",
    "StreamReplaced",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_a_warning(parts: Parts, case: str) -> None:
    setup, expected = BROKEN[case]
    setup(parts)
    assert warnings(parts.stack) == expected


def test_every_rule_is_broken_by_some_app() -> None:
    seen = {name for _, names in BROKEN.values() for name in names}
    assert {rule.id.removeprefix("cdk-streams:") for rule in RULES} == seen | NOT_HERE


def test_a_warning_stands_at_the_mapping_and_reads_as_one_line(parts: Parts) -> None:
    parts.consume(starting_position="LATEST")
    (found,) = assertions.Annotations.from_stack(parts.stack).find_warning(
        "/Test/Audit/Mapping", assertions.Match.any_value()
    )
    assert found.entry.data == (
        "starting_position is LATEST: polling starts minutes after the mapping is created; what is "
        "written meanwhile is never read. Set starting_position to TRIM_HORIZON before the first "
        "deployment; that of a mapping that exists cannot be changed in one deployment. "
        f"See {page('checks', 'StartsAtLatest')} [ack: cdk-streams:StartsAtLatest]"
    )


def by_validations(construct: IConstruct, rule: str) -> None:
    cdk.Validations.of(construct).acknowledge(
        cdk.Acknowledgment(id=rule, reason="only new orders matter here")
    )


def by_annotations(construct: IConstruct, rule: str) -> None:
    cdk.Annotations.of(construct).acknowledge_warning(rule, "only new orders matter here")


@pytest.mark.parametrize("acknowledge", [by_validations, by_annotations])
@pytest.mark.parametrize("place", ["consumer", "mapping", "stack"])
def test_a_warning_can_be_acknowledged_as_cdk_s_own(
    parts: Parts, place: str, acknowledge: Callable[[IConstruct, str], None]
) -> None:
    consumer = parts.consume(starting_position="LATEST")
    where: dict[str, IConstruct] = {
        "consumer": consumer,
        "mapping": consumer.event_source_mapping,
        "stack": parts.stack,
    }
    acknowledge(where[place], "cdk-streams:StartsAtLatest")
    assert warnings(parts.stack) == []


def test_one_consumers_acknowledgement_is_not_another_s(parts: Parts) -> None:
    first = parts.consume("First", starting_position="LATEST")
    parts.consume("Second", starting_position="LATEST")
    cdk.Validations.of(first).acknowledge(
        cdk.Acknowledgment(id="cdk-streams:StartsAtLatest", reason="only new orders matter here")
    )
    assert warnings(parts.stack) == ["StartsAtLatest"]


def test_what_an_aspect_changes_counts(parts: Parts) -> None:
    @jsii.implements(cdk.IAspect)
    class Hasten:
        def visit(self, node: IConstruct) -> None:
            if isinstance(node, lambda_.CfnFunction):
                node.timeout = 3

    parts.consume()
    cdk.Aspects.of(parts.stack).add(Hasten())
    assert warnings(parts.stack) == ["TimeoutOfOneRequest"]


def test_a_grant_to_an_alias_s_function_or_a_given_role_counts(parts: Parts) -> None:
    role = iam.Role(parts.stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    made = parts.function(role=role)
    alias = lambda_.Alias(parts.stack, "Live", alias_name="live", version=made.current_version)
    parts.consume(function=alias)
    parts.table.grant_write_data(role)
    assert warnings(parts.stack) == ["WritesOwnSource"]


def test_writing_another_table_is_no_loop(parts: Parts) -> None:
    made = parts.function()
    parts.consume(function=made)
    StreamTable(parts.stack, "Other", partition_key=KEY).grant_write_data(made)
    parts.table.grant_read_data(made)
    assert warnings(parts.stack) == []


def test_a_filter_stands_between_a_function_and_its_own_writes(parts: Parts) -> None:
    made = parts.function()
    parts.consume(function=made, filters=[Filter.insert()])
    parts.table.grant_write_data(made)
    assert warnings(parts.stack) == []


def test_the_third_reader_of_a_stream_is_one_too_many(parts: Parts) -> None:
    for name in ("First", "Second", "Third"):
        parts.consume(name)
    found = assertions.Annotations.from_stack(parts.stack).find_warning(
        "*", assertions.Match.any_value()
    )
    assert [each.id for each in found] == ["/Test/Third/Mapping"]
    assert str(found[0].entry.data).startswith("Test/Orders has 3 readers, a stream takes 2: ")


def test_readers_are_counted_over_all_stacks_of_the_app(parts: Parts, app: cdk.App) -> None:
    parts.consume("First")
    parts.consume("Second")
    other = cdk.Stack(app, "Other")
    function = StreamFunction(other, "ThirdFunction", entry=parts.handler)
    StreamConsumer(other, "Third", table=parts.table, function=function)
    assert warnings(parts.stack) == []
    assert warnings(other) == ["TooManyReaders"]


def event_source(parts: Parts, name: str, table: dynamodb.ITable) -> None:
    source = lambda_event_sources.DynamoEventSource(
        table, starting_position=lambda_.StartingPosition.TRIM_HORIZON
    )
    parts.function(name).add_event_source(source)


def pipe(parts: Parts, name: str, table: StreamTable) -> None:
    pipes.CfnPipe(
        parts.stack,
        name,
        role_arn="arn:aws:iam::123456789012:role/pipe",
        source=str(table.table_stream_arn),
        target="arn:aws:sqs:us-east-1:123456789012:target",
    )


@pytest.mark.parametrize("other", [event_source, pipe])
def test_readers_that_cdk_made_count_too(
    parts: Parts, other: Callable[[Parts, str, StreamTable], None]
) -> None:
    parts.consume()
    other(parts, "First", parts.table)
    assert warnings(parts.stack) == []
    other(parts, "Second", parts.table)
    assert warnings(parts.stack) == ["TooManyReaders"]


def test_readers_of_other_tables_do_not_count(parts: Parts) -> None:
    parts.consume()
    for name in ("First", "Second", "Third"):
        event_source(parts, name, StreamTable(parts.stack, f"{name}Table", partition_key=KEY))
    assert warnings(parts.stack) == []


@pytest.mark.parametrize("position", ["TRIM_HORIZON", "LATEST"])
def test_the_same_app_in_two_stages_has_its_own_readers(
    app: cdk.App, handler_file: Path, position: str
) -> None:
    stacks = [cdk.Stack(cdk.Stage(app, name), "Shop") for name in ("Test", "Production")]
    for stack in stacks:
        parts = Parts(stack, handler_file)
        for name in ("First", "Second"):
            parts.consume(name, starting_position=position)
    expected = ["StartsAtLatest"] * 2 if position == "LATEST" else []
    assert [warnings(stack) for stack in stacks] == [expected, expected]


def test_a_global_table_has_room_for_one_reader(app: cdk.App, handler_file: Path) -> None:
    stack = cdk.Stack(app, "Shop", env=cdk.Environment(region="eu-west-1", account="123456789012"))
    table = StreamTable(stack, "Global", partition_key=KEY, replicas=[{"region": "eu-north-1"}])
    for name in ("First", "Second"):
        function = StreamFunction(stack, f"{name}Function", entry=handler_file)
        StreamConsumer(stack, name, table=table, function=function)
    assert warnings(stack) == ["TooManyReaders"]


def test_two_imports_of_one_table_are_one_stream(parts: Parts) -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Theirs"
    for name in ("A", "B", "C"):
        theirs = dynamodb.TableV2.from_table_attributes(
            parts.stack,
            f"Import{name}",
            table_arn=arn,
            table_stream_arn=f"{arn}/stream/2026-01-01T00:00:00.000",
        )
        parts.consume(name, table=theirs)
    assert warnings(parts.stack) == ["TooManyReaders"]


def looked_up(parts: Parts, name: str, table_name: str) -> dynamodb.ITableV2:
    return StreamTable.look_up(parts.stack, name, table_name=table_name)


def test_look_ups_of_one_table_are_one_stream(parts: Parts) -> None:
    for name in ("A", "B", "C"):
        parts.consume(name, table=looked_up(parts, f"Orders{name}", "orders"))
    assert warnings(parts.stack) == ["TooManyReaders"]


def test_look_ups_of_two_tables_are_two_streams(parts: Parts) -> None:
    for name in ("A", "B", "C"):
        parts.consume(name, table=looked_up(parts, f"Orders{name}", f"orders-{name}"))
    assert warnings(parts.stack) == []


@pytest.mark.parametrize("by", ["its name", "the token of its name", "its ARN"])
def test_a_look_up_beside_direct_consumers_is_a_reader_of_theirs(
    parts: Parts, app: cdk.App, by: str
) -> None:
    table = StreamTable(parts.stack, "Named", partition_key=KEY, table_name="orders")
    parts.consume("First", table=table)
    parts.consume("Second", table=table)
    other = Parts(cdk.Stack(app, "Other"), parts.handler)
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
    theirs = (
        dynamodb.TableV2.from_table_attributes(
            other.stack, "Theirs", table_arn=arn, table_stream_arn=f"{arn}/stream/2026"
        )
        if by == "its ARN"
        else looked_up(other, "Theirs", "orders" if by == "its name" else table.table_name)
    )
    other.consume("Third", table=theirs)
    assert warnings(parts.stack) == []
    assert warnings(other.stack) == ["TooManyReaders"]


def test_a_reader_of_cdk_s_own_counts_beside_a_look_up(parts: Parts) -> None:
    for name in ("First", "Second"):
        event_source(parts, name, parts.table)
    parts.consume(table=looked_up(parts, "Again", parts.table.table_name))
    assert warnings(parts.stack) == ["TooManyReaders"]


def test_the_replicas_of_a_table_v1_count(app: cdk.App, handler_file: Path) -> None:
    stack = cdk.Stack(app, "Shop", env=cdk.Environment(region="eu-west-1", account="123456789012"))
    table = dynamodb.Table(stack, "Global", partition_key=KEY, replication_regions=["eu-north-1"])
    for name in ("First", "Second"):
        function = StreamFunction(stack, f"{name}Function", entry=handler_file)
        StreamConsumer(stack, name, table=table, function=function)
    assert warnings(stack) == ["TooManyReaders"]


def test_an_event_source_of_cdk_on_the_same_function_is_a_second_mapping(parts: Parts) -> None:
    made = parts.function()
    source = lambda_event_sources.DynamoEventSource(
        parts.table, starting_position=lambda_.StartingPosition.TRIM_HORIZON
    )
    made.add_event_source(source)
    parts.consume(function=made)
    assert warnings(parts.stack) == ["SameMappingTwice"]


@pytest.mark.parametrize("weak", [True, False])
def test_an_export_of_the_stream_arn_locks_it(
    tmp_path: Path, handler_file: Path, *, weak: bool
) -> None:
    context = {"@aws-cdk/core:defaultCrossStackReferences": "weak" if weak else "strong"}
    app = cdk.App(context=context, outdir=str(tmp_path / "out"), analytics_reporting=False)
    table = StreamTable(cdk.Stack(app, "Data"), "Orders", partition_key=KEY)
    stack = cdk.Stack(app, "Compute")
    function = StreamFunction(stack, "AuditFunction", entry=handler_file)
    StreamConsumer(stack, "Audit", table=table, function=function)
    assert warnings(stack) == ([] if weak else ["StreamArnExportLocked"])


def test_an_alarm_of_the_app_s_own_counts(parts: Parts, app: cdk.App) -> None:
    consumer = parts.consume(alarms=None)
    elsewhere = cdk.Stack(app, "Alarms")
    consumer.metric_iterator_age().create_alarm(elsewhere, "Lag", threshold=1, evaluation_periods=1)
    cloudwatch.MathExpression(
        expression="depth * 2", using_metrics={"depth": consumer.metric_failure_queue_depth()}
    ).create_alarm(elsewhere, "Depth", threshold=1, evaluation_periods=1)
    assert warnings(parts.stack) == []


def test_an_alarm_on_another_function_does_not_count(parts: Parts) -> None:
    parts.consume("Quiet", alarms=Alarms(iterator_age=False))
    parts.consume("Loud")
    assert warnings(parts.stack) == ["LagNotAlarmed"]


def test_a_topic_tells_its_subscribers_of_failures(parts: Parts) -> None:
    topic = sns.Topic(parts.stack, "Failed", enforce_ssl=True)
    topic.add_subscription(subscriptions.EmailSubscription("pager@example.com"))
    parts.consume(on_failure=topic)
    assert warnings(parts.stack) == ["DestinationNotEncrypted"]


def test_a_topic_without_a_subscription_tells_nobody(parts: Parts) -> None:
    parts.consume(on_failure=sns.Topic(parts.stack, "Failed", enforce_ssl=True))
    assert warnings(parts.stack) == ["DestinationNotEncrypted", "FailuresNotAlarmed"]


def test_the_advice_about_a_bucket_ends_the_finding(parts: Parts) -> None:
    parts.consume(
        on_failure=s3.Bucket(parts.stack, "Failed", enforce_ssl=True),
        metrics=["EventCount"],
        alarms=Alarms(delivered_events=True),
    )
    assert warnings(parts.stack) == []


def test_a_parameter_in_a_filter_is_a_value_like_any_other(parts: Parts) -> None:
    tenant = cdk.CfnParameter(parts.stack, "Tenant", type="String")
    condition = NewImage("tenant").eq(tenant.value_as_string)
    made = parts.function()
    parts.table.grant_write_data(made)
    parts.consume(function=made, filters=[Filter.insert(condition)], starting_position="LATEST")
    assert warnings(parts.stack) == ["StartsAtLatest"]


def test_an_immutable_role_of_an_imported_function_is_not_granted_either(parts: Parts) -> None:
    arn = "arn:aws:iam::123456789012:role/theirs"
    theirs = lambda_.Function.from_function_attributes(
        parts.stack,
        "Theirs",
        function_arn="arn:aws:lambda:us-east-1:123456789012:function:theirs",
        role=iam.Role.from_role_arn(parts.stack, "Role", arn, mutable=False),
    )
    parts.consume(function=theirs)
    assert warnings(parts.stack) == ["RoleNotGranted"]


def test_nobody_hears_of_a_bucket(parts: Parts) -> None:
    parts.consume(on_failure=s3.Bucket(parts.stack, "Failed"))
    assert warnings(parts.stack) == ["DestinationWithoutTls", "FailuresNotAlarmed"]


def test_a_bucket_whose_notices_feed_a_queue_breaks_no_rule(parts: Parts) -> None:
    parts.consume(on_failure=OnFailure.QUEUE_WITH_PAYLOAD)
    assert warnings(parts.stack) == []


def test_nothing_is_said_of_what_is_imported(parts: Parts) -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Theirs"
    role = iam.Role.from_role_arn(parts.stack, "Role", "arn:aws:iam::123456789012:role/theirs")
    parts.consume(
        table=dynamodb.TableV2.from_table_attributes(
            parts.stack, "Table", table_arn=arn, table_stream_arn=f"{arn}/stream/2026"
        ),
        function=lambda_.Function.from_function_attributes(
            parts.stack,
            "Function",
            function_arn="arn:aws:lambda:us-east-1:123456789012:function:theirs",
            role=role,
        ),
        on_failure=sqs.Queue.from_queue_arn(
            parts.stack, "Queue", "arn:aws:sqs:us-east-1:123456789012:theirs"
        ),
    )
    assert warnings(parts.stack) == []


def test_a_switch_of_the_deployment_says_nothing_about_it(parts: Parts) -> None:
    polls = cdk.CfnParameter(parts.stack, "Polls", type="String", default="true")
    parts.consume(enabled=polls)
    assert warnings(parts.stack) == []


def test_the_page_shows_how_to_acknowledge_and_how_to_test(parts: Parts) -> None:
    text = (Path(__file__).parents[3] / "docs" / "checks.md").read_text(encoding="utf-8")
    introduction, _, _ = text.partition("## The examples")
    code = "\n".join(re.findall(r"```python\n(.*?)```", introduction, re.DOTALL))
    assert "acknowledge(" in code
    assert "assert_no_findings(" in code
    names = {"streams": cdk_streams, "stack": parts.stack, "orders": parts.table}
    exec(code, {**names, "function": parts.function()})  # noqa: S102 - the page's own code
    assert warnings(parts.stack) == []


def test_the_sample_breaks_no_rule(app: cdk.App) -> None:
    assert warnings(OrdersStack(app, "Orders")) == []


def test_the_stacks_of_every_feature_have_acknowledged_what_they_break(app: cdk.App) -> None:
    stacks = [
        EveryFeatureStack(app, "Every", region="us-east-1"),
        ElsewhereStack(app, "Elsewhere", region="us-east-1"),
    ]
    assert [warnings(stack) for stack in stacks] == [[], []]
