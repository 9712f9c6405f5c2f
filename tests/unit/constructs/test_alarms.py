from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from syrupy.assertion import SnapshotAssertion

import cdk_streams
from cdk_streams import (
    Alarms,
    OnFailure,
    SettingsError,
    StreamConsumer,
    StreamFunction,
    StreamTable,
)
from cdk_streams._documentation import page
from cdk_streams.cli import main
from cdk_streams.constructs.alarms import spec_of

Resources = Callable[..., dict[str, Any]]
Consume = Callable[..., StreamConsumer]
S = dynamodb.AttributeType.STRING
ALARMS = {each.name: spec for each in fields(Alarms) if (spec := spec_of(each))}
PAGE = Path(__file__).parents[3] / "docs" / "alarms.md"


@pytest.fixture
def consume(stack: cdk.Stack, handler_file: Path) -> Consume:
    """Make a consumer with these settings."""
    key = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
    table = StreamTable(stack, "Orders", partition_key=key)
    function = StreamFunction(stack, "AuditFunction", entry=handler_file)

    def make(**settings: Any) -> StreamConsumer:
        options = {"table": table, "function": function, **settings}
        return StreamConsumer(stack, "Audit", **options)

    return make


@pytest.fixture
def shown(stack: cdk.Stack, resources_of: Resources) -> Callable[[StreamConsumer], dict[str, Any]]:
    """Return the properties of a consumer's alarms, by construct id."""

    def show(consumer: StreamConsumer) -> dict[str, Any]:
        bodies = resources_of(stack, "AWS::CloudWatch::Alarm")
        return {
            name: bodies[stack.get_logical_id(_cfn(alarm))]["Properties"]
            for name, alarm in consumer.alarms.items()
        }

    return show


Shown = Callable[[StreamConsumer], dict[str, Any]]


def _cfn(construct: Any) -> Any:
    return construct.node.default_child


def test_two_alarms_are_made_unless_told_otherwise(consume: Consume) -> None:
    assert set(consume().alarms) == {"IteratorAgeAlarm", "FailureQueueAlarm"}


def test_every_alarm_at_its_derived_threshold(
    consume: Consume, shown: Shown, template_snapshot: SnapshotAssertion
) -> None:
    consumer = consume(metrics=["EventCount"], rejects=OnFailure.QUEUE, alarms=Alarms.every())
    assert list(consumer.alarms) == [spec.id for spec in ALARMS.values()]
    rows = {
        name: [
            f"{body['Statistic']} {body['Namespace']} {body['MetricName']}",
            sorted(dimension["Name"] for dimension in body["Dimensions"]),
            body["ComparisonOperator"],
            body["Threshold"],
            f"{body['EvaluationPeriods']} x {body['Period']} s, {body['TreatMissingData']}",
            body["AlarmDescription"],
        ]
        for name, body in shown(consumer).items()
    }
    assert rows == template_snapshot


def test_no_alarm_needs_metric_math(consume: Consume, shown: Shown) -> None:
    """Local emulators refuse it, and an alarm on one metric is the cheapest."""
    every = shown(consume(metrics=["EventCount"], alarms=Alarms.every()))
    assert not [name for name, body in every.items() if "Metrics" in body]


@pytest.mark.parametrize("off", [False, None])
def test_each_alarm_can_be_switched_off(consume: Consume, off: bool | None) -> None:
    chosen = dict.fromkeys(ALARMS, off)
    assert consume(metrics=["EventCount"], alarms=Alarms(**chosen)).alarms == {}


def test_none_makes_no_alarm(consume: Consume) -> None:
    assert consume(alarms=None).alarms == {}


@pytest.mark.parametrize(
    ("option", "given", "rings"),
    [
        ("iterator_age", cdk.Duration.minutes(10), ("IteratorAgeAlarm", 600_000)),
        ("iterator_age", timedelta(minutes=10), ("IteratorAgeAlarm", 600_000)),
        ("iterator_age", 600, ("IteratorAgeAlarm", 600_000)),
        ("failure_queue_depth", 5, ("FailureQueueAlarm", 5)),
        ("failure_queue_age", timedelta(hours=2), ("FailureQueueAgeAlarm", 7_200)),
        ("delivery_failures", 2, ("DeliveryFailuresAlarm", 2)),
        ("errors", 3, ("ErrorsAlarm", 3)),
        ("throttles", 4, ("ThrottlesAlarm", 4)),
        ("duration", 30, ("DurationAlarm", 30_000)),
        ("failed_events", 6, ("FailedEventsAlarm", 6)),
        ("dropped_events", 7, ("DroppedEventsAlarm", 7)),
        ("delivered_events", 8, ("DeliveredEventsAlarm", 8)),
    ],
)
def test_a_threshold_of_the_caller_is_taken(
    consume: Consume, shown: Shown, option: str, given: Any, rings: tuple[str, float]
) -> None:
    consumer = consume(metrics=["EventCount"], alarms=Alarms(**{option: given}))
    alarm, threshold = rings
    assert shown(consumer)[alarm]["Threshold"] == threshold


def test_silence_is_counted_in_minutes(consume: Consume, shown: Shown) -> None:
    consumer = consume(metrics=["EventCount"], alarms=Alarms(not_polling=timedelta(hours=1)))
    body = shown(consumer)["NotPollingAlarm"]
    assert (body["EvaluationPeriods"], body["Threshold"]) == (60, 1)
    assert body["TreatMissingData"] == "breaching"


@pytest.mark.parametrize(
    ("age", "threshold_h"), [(timedelta(hours=6), 1), (timedelta(days=7), 4), (None, 4)]
)
def test_the_lag_that_rings_follows_from_the_record_age(
    consume: Consume, shown: Shown, age: timedelta | None, threshold_h: float
) -> None:
    consumer = consume(max_record_age=age)
    assert shown(consumer)["IteratorAgeAlarm"]["Threshold"] == threshold_h * 3_600_000


@pytest.mark.parametrize(
    ("settings", "hours"),
    [
        ({}, 3),
        ({"max_record_age": timedelta(hours=23)}, 0.5),
        ({"max_record_age": None}, 1),
        ({"on_failure": OnFailure.QUEUE_WITH_PAYLOAD}, 24),
    ],
)
def test_a_failure_may_wait_half_as_long_as_it_can_be_read_back(
    consume: Consume, shown: Shown, settings: dict[str, Any], hours: float
) -> None:
    consumer = consume(alarms=Alarms(failure_queue_age=True), **settings)
    assert shown(consumer)["FailureQueueAgeAlarm"]["Threshold"] == hours * 3_600


def test_a_call_may_take_nine_tenths_of_the_timeout(consume: Consume, shown: Shown) -> None:
    consumer = consume(alarms=Alarms(duration=True))
    assert shown(consumer)["DurationAlarm"]["Threshold"] == 54_000


def test_a_function_without_a_timeout_has_lambdas_three_seconds(
    consume: Consume, shown: Shown, stack: cdk.Stack
) -> None:
    plain = lambda_.Function(
        stack,
        "Plain",
        code=lambda_.Code.from_inline("handler = print"),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
    )
    alias = lambda_.Alias(stack, "Live", alias_name="live", version=plain.current_version)
    consumer = consume(function=alias, alarms=Alarms(duration=True))
    assert shown(consumer)["DurationAlarm"]["Threshold"] == 2_700


def test_an_alarm_that_does_not_apply_is_left_out(consume: Consume, stack: cdk.Stack) -> None:
    theirs = lambda_.Function.from_function_arn(
        stack, "Theirs", "arn:aws:lambda:us-east-1:123456789012:function:theirs"
    )
    topic = sns.Topic(stack, "Failed")
    consumer = consume(function=theirs, on_failure=topic, alarms=Alarms.every())
    assert set(consumer.alarms) == {
        "IteratorAgeAlarm",
        "DeliveryFailuresAlarm",
        "ErrorsAlarm",
        "ThrottlesAlarm",
    }


def test_a_threshold_for_an_alarm_that_does_not_apply_is_refused(consume: Consume) -> None:
    wanted = Alarms(failure_queue_depth=1, dropped_events=1, delivery_failures=1)
    with pytest.raises(SettingsError) as caught:
        consume(on_failure=OnFailure.NOTHING, alarms=wanted)
    assert [fault.split(": ") for fault in caught.value.faults] == [
        [
            "the alarm failure_queue_depth must be left out, got 1",
            "the consumer has no failure queue; on_failure= creates one",
        ],
        [
            "the alarm delivery_failures must be left out, got 1",
            "the consumer has no failure destination; on_failure= chooses one",
        ],
        [
            "the alarm dropped_events must be left out, got 1",
            'its metric is off; pass metrics=["EventCount"] to the consumer',
        ],
    ]


def test_what_is_no_threshold_is_refused_all_at_once(stack: cdk.Stack) -> None:
    token: Any = cdk.CfnParameter(stack, "Most", type="Number").value_as_number
    with pytest.raises(SettingsError) as caught:
        Alarms(errors=0, iterator_age=timedelta(0), throttles=token, duration=cdk.Duration.hours(0))
    count = "must be a whole number from 1, True or False, got"
    length = "must be a duration or a number of seconds above 0, True or False, got"
    assert set(caught.value.faults) == {
        f"errors {count} 0",
        f"iterator_age {length} datetime.timedelta(0)",
        f"throttles {count} a CDK token (known only at deploy time); pass a plain value",
        f"duration {length} 0 s",
    }


def test_a_topic_is_told_by_every_alarm(consume: Consume, shown: Shown, stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "Pager")
    consumer = consume(alarms=Alarms(errors=True, actions=[topic]))
    told = [body["AlarmActions"] for body in shown(consumer).values()]
    assert told == [[stack.resolve(topic.topic_arn)]] * 3


def test_any_other_action_is_taken(consume: Consume, shown: Shown, stack: cdk.Stack) -> None:
    function = lambda_.Function.from_function_arn(
        stack, "Fixer", "arn:aws:lambda:us-east-1:123456789012:function:fixer"
    )
    action = actions.LambdaAction(function)
    told = [
        body["AlarmActions"] for body in shown(consume(alarms=Alarms(actions=[action]))).values()
    ]
    assert told == [[function.function_arn]] * 2


def test_cloudwatch_may_use_the_key_of_a_topic(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    topic = sns.Topic(stack, "Pager", master_key=kms.Key(stack, "Key"))
    consume(alarms=Alarms(actions=[topic]))
    (key,) = resources_of(stack, "AWS::KMS::Key").values()
    assert key["Properties"]["KeyPolicy"]["Statement"][-1] == {
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Resource": "*",
    }


def test_metrics_take_cdks_options(consume: Consume) -> None:
    metric = consume().metric_errors(period=cdk.Duration.minutes(5), statistic="Average")
    assert (metric.metric_name, metric.statistic) == ("Errors", "Average")
    assert metric.period.to_seconds() == 300


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("iterator_age", "AWS/Lambda IteratorAge Maximum"),
        ("invocations", "AWS/Lambda Invocations Sum"),
        ("errors", "AWS/Lambda Errors Sum"),
        ("throttles", "AWS/Lambda Throttles Sum"),
        ("duration", "AWS/Lambda Duration Maximum"),
        ("delivery_failures", "AWS/Lambda DestinationDeliveryFailures Sum"),
        ("failure_queue_depth", "AWS/SQS ApproximateNumberOfMessagesVisible Maximum"),
        ("failure_queue_age", "AWS/SQS ApproximateAgeOfOldestMessage Maximum"),
        ("stream_records", "AWS/DynamoDB ReturnedRecordsCount Sum"),
        ("stream_bytes", "AWS/DynamoDB ReturnedBytes Sum"),
        ("polled_events", "AWS/Lambda PolledEventCount Sum"),
        ("filtered_events", "AWS/Lambda FilteredOutEventCount Sum"),
        ("invoked_events", "AWS/Lambda InvokedEventCount Sum"),
        ("failed_events", "AWS/Lambda FailedInvokeEventCount Sum"),
        ("dropped_events", "AWS/Lambda DroppedEventCount Sum"),
        ("delivered_events", "AWS/Lambda OnFailureDestinationDeliveredEventCount Sum"),
    ],
)
def test_each_metric_is_amazons(consume: Consume, name: str, metric: str) -> None:
    found: cloudwatch.Metric = getattr(consume(metrics=["EventCount"]), f"metric_{name}")()
    assert f"{found.namespace} {found.metric_name} {found.statistic}" == metric
    assert found.period.to_seconds() == 60


def test_a_metric_that_lambda_does_not_publish_is_refused(consume: Consume) -> None:
    with pytest.raises(SettingsError) as caught:
        consume().metric_dropped_events()
    assert str(caught.value) == (
        "metrics must be ['EventCount'] for Lambda to count DroppedEventCount, got []; "
        "pass it to the StreamConsumer"
    )


def test_stream_metrics_are_those_of_the_stream_s_label(consume: Consume, stack: cdk.Stack) -> None:
    consumer = consume()
    assert stack.resolve(consumer.metric_stream_records().dimensions) == {
        "TableName": {"Ref": "OrdersA9B65338"},
        "Operation": "GetRecords",
        "StreamLabel": {
            "Fn::Select": [
                3,
                {"Fn::Split": ["/", {"Fn::GetAtt": ["OrdersA9B65338", "StreamArn"]}]},
            ]
        },
    }


def test_the_label_of_an_imported_stream_is_read_from_its_arn(
    consume: Consume, stack: cdk.Stack
) -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Orders"
    table = dynamodb.TableV2.from_table_attributes(
        stack, "Theirs", table_arn=arn, table_stream_arn=f"{arn}/stream/2026-01-01T00:00:00.000"
    )
    dimensions = consume(table=table).metric_stream_bytes().dimensions or {}
    assert dimensions["StreamLabel"] == "2026-01-01T00:00:00.000"


def test_the_page_shows_every_row() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `\w+` \| `\w+Alarm`", line)
    ]
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        (f"`{option}`", f"`{spec.id}`", spec.description) for option, spec in ALARMS.items()
    ]


def test_each_description_names_its_entry_in_the_runbook(consume: Consume, shown: Shown) -> None:
    runbook = PAGE.read_text(encoding="utf-8")
    entries = re.findall(r"\n### (\w+)\n\n(.+?)\n(?=\n##)", runbook, re.DOTALL)
    assert [name for name, _ in entries] == [spec.id for spec in ALARMS.values()]
    texts = dict(entries)
    every = shown(consume(metrics=["EventCount"], rejects=OnFailure.QUEUE, alarms=Alarms.every()))
    for spec in ALARMS.values():
        told = every[spec.id]["AlarmDescription"]
        assert told == spec.text("Test")
        assert told.startswith(f"{spec.description} {spec.look} Run: ")
        assert told.endswith(f" Runbook: {page('alarms', spec.id)}")
        assert len(told) <= 1_024  # CloudWatch takes no more.
        assert spec.look in texts[spec.id], spec.id
        assert f"`{spec.command.format(stack='STACK')}`" in texts[spec.id], spec.id


def test_each_command_of_an_alarm_is_one_that_there_is() -> None:
    for spec in ALARMS.values():
        program, name, *arguments = spec.command.format(stack="Shop").split()
        if program == "cdk-streams":
            context = main.commands[name].make_context(name, arguments)
            assert {"Shop", "URL"}.intersection(context.params.values())


def test_the_page_s_code_runs(consume: Consume, stack: cdk.Stack, handler_file: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    given = consume()
    names: dict[str, Any] = {"streams": cdk_streams, "stack": cdk.Stack(stack, "Page")}
    orders = StreamTable(names["stack"], "Orders", partition_key={"name": "id", "type": S})
    function = StreamFunction(names["stack"], "AuditFunction", entry=handler_file)
    names |= {"orders": orders, "function": function, "audit": given, "inventory": given}
    for each in code:
        exec(each, names)  # noqa: S102 - the page's own code
    assert set(names["stack"].node.find_child("Audit").alarms) == {
        "IteratorAgeAlarm",
        "FailureQueueAlarm",
        "ErrorsAlarm",
    }
