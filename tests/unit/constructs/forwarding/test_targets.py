"""Each target: one right on one resource, and the variables that its function is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from syrupy.assertion import SnapshotAssertion

from cdk_streams import StreamForwarder, StreamTable, targets

BASIC_ROLE = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
Resources = Callable[..., dict[str, Any]]
KEY = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)


def encrypted_queue(stack: cdk.Stack, **options: Any) -> sqs.Queue:
    key = kms.Key(stack, "Key")
    return sqs.Queue(stack, "Queue", encryption_master_key=key, enforce_ssl=True, **options)


def delivery_stream(stack: cdk.Stack) -> firehose.DeliveryStream:
    destination = firehose.S3Bucket(s3.Bucket(stack, "Files"))
    return firehose.DeliveryStream(stack, "Firehose", destination=destination)


def state_machine(stack: cdk.Stack) -> stepfunctions.StateMachine:
    done = stepfunctions.DefinitionBody.from_chainable(stepfunctions.Pass(stack, "Done"))
    return stepfunctions.StateMachine(stack, "Machine", definition_body=done)


MAKERS: dict[str, Callable[[cdk.Stack], Any]] = {
    "bus": lambda stack: targets.EventBus(events.EventBus(stack, "Bus")),
    "topic": lambda stack: targets.SnsTopic(sns.Topic(stack, "Topic")),
    "fifo_topic": lambda stack: targets.SnsTopic(sns.Topic(stack, "Topic", fifo=True)),
    "queue": lambda stack: targets.SqsQueue(encrypted_queue(stack), max_message_bytes=1_048_576),
    "fifo_queue": lambda stack: targets.SqsQueue(encrypted_queue(stack, fifo=True)),
    "kinesis": lambda stack: targets.KinesisStream(kinesis.Stream(stack, "Stream")),
    "firehose": lambda stack: targets.FirehoseDeliveryStream(delivery_stream(stack)),
    "bucket": lambda stack: targets.S3Bucket(s3.Bucket(stack, "Bucket"), prefix="changes/"),
    "machine": lambda stack: targets.SfnStateMachine(state_machine(stack)),
    "function": lambda stack: targets.LambdaFunction(
        lambda_.Function(
            stack,
            "Other",
            code=lambda_.Code.from_inline("def handler(event, context): ..."),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
        )
    ),
}


@pytest.fixture
def forward(stack: cdk.Stack) -> Callable[..., StreamForwarder]:
    table = StreamTable(stack, "Orders", partition_key=KEY)
    return lambda target, **options: StreamForwarder(
        stack, "OrderEvents", table=table, target=target, **options
    )


def of_forwarder(resources: dict[str, Any]) -> dict[str, Any]:
    (body,) = [each for name, each in resources.items() if name.startswith("OrderEventsFunction")]
    properties: dict[str, Any] = body["Properties"]
    return properties


@pytest.mark.parametrize("name", MAKERS)
def test_a_target_gives_its_rights_and_variables(
    stack: cdk.Stack,
    forward: Callable[..., StreamForwarder],
    resources_of: Resources,
    template_snapshot: SnapshotAssertion,
    name: str,
) -> None:
    forward(MAKERS[name](stack))

    function = of_forwarder(resources_of(stack, "AWS::Lambda::Function"))
    policy = of_forwarder(resources_of(stack, "AWS::IAM::Policy"))
    # The first two are every consumer's: they read the stream.
    rights = policy["PolicyDocument"]["Statement"][2:]
    assert {
        "rights": rights,
        "variables": function["Environment"]["Variables"],
    } == template_snapshot


def test_large_events_go_to_a_bucket_that_the_function_may_only_write(
    stack: cdk.Stack, forward: Callable[..., StreamForwarder], resources_of: Resources
) -> None:
    bucket = s3.Bucket(stack, "Large")
    bus = targets.EventBus(events.EventBus(stack, "Bus"))

    forward(bus, large_events=bucket, schema="urn:shop:order:2")

    function = of_forwarder(resources_of(stack, "AWS::Lambda::Function"))
    variables = function["Environment"]["Variables"]
    assert variables["STREAM_FORWARD_LARGE_EVENTS"] == stack.resolve(bucket.bucket_name)
    assert variables["STREAM_FORWARD_SCHEMA"] == "urn:shop:order:2"
    policy = of_forwarder(resources_of(stack, "AWS::IAM::Policy"))
    assert policy["PolicyDocument"]["Statement"][-1] == {
        "Action": "s3:PutObject",
        "Effect": "Allow",
        "Resource": stack.resolve(bucket.arn_for_objects("*")),
    }


@pytest.mark.parametrize("name", MAKERS)
def test_cdk_nag_finds_what_it_finds_of_every_consumer(
    app: cdk.App, stack: cdk.Stack, forward: Callable[..., StreamForwarder], name: str
) -> None:
    forward(MAKERS[name](stack))
    nag = import_module("cdk_nag")
    cdk.Validations.of(app).add_plugins(nag.AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match=r"^ValidationFailed"):
        app.synth()

    report = json.loads(Path(app.outdir, "validation-report.json").read_text(encoding="utf-8"))
    found = {
        violation["ruleName"]
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
        if construct["constructPath"].startswith("Test/OrderEvents")
    }
    prefix = "AwsSolutions-IAM5[Resource::<Bucket83908E77.Arn>/changes/*]"
    assert found == {
        f"AwsSolutions-IAM4[Policy::{BASIC_ROLE}]",
        "AwsSolutions-SQS3",
    } | ({prefix} if name == "bucket" else set())
