"""The stack with every feature, deployed to a local AWS, changed five times and destroyed.

The local AWS keeps a mapping's settings and gives them back, which is what is compared here; it
does not act on all of them (the simulator does), forgets tumbling windows and metrics, and keeps
what a later template leaves out, which CloudFormation resets: so each change adds to those before.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb

from cdk_streams import (
    Filter,
    MappingSettings,
    NewImage,
    OnFailure,
    StreamConsumer,
    StreamFunction,
    StreamTable,
)
from cdk_streams.local import (
    CdkCommand,
    LocalAws,
    bootstrap,
    client,
    deploy,
    destroy,
    environment,
    local_aws,
)
from examples.every_feature.stack import KEY, EveryFeatureStack

pytestmark = pytest.mark.e2e

FORGOTTEN = {"tumbling_window", "metrics", "tags", "on_failure", "filter_encryption_key"}
KEPT = [each.name for each in fields(MappingSettings) if each.compare]
KEPT = [name for name in KEPT if name not in FORGOTTEN]
CHANGES: list[dict[str, Any]] = [
    {"batch_size": 7},
    {"retry_attempts": 0},
    {"max_record_age": timedelta(hours=1), "max_batching_window": timedelta(seconds=9)},
    {"filters": [Filter.insert(NewImage("status").eq("PAID"))], "parallelization_factor": 4},
    {"enabled": False},
]


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as started:
        yield started


@pytest.fixture(scope="module")
def command(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> CdkCommand:
    variables = environment(aws)
    # Plain pytest has this virtual environment's cdk command beside its Python, not on the PATH.
    variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables["PATH"]])
    command = CdkCommand(tmp_path_factory.mktemp("cdk"), variables)
    bootstrap(command, account=aws.account, region=aws.region)
    return command


def synthesized(folder: Path, context: dict[str, Any], **changes: Any) -> EveryFeatureStack:
    app = cdk.App(context=context, outdir=str(folder))
    stack = EveryFeatureStack(app, "EveryFeature", region="us-east-1", **changes)
    app.synth()
    return stack


def settings_of(aws: LocalAws) -> dict[str, MappingSettings]:
    """Return what the local AWS says of each consumer's mapping, by the consumer's id."""
    described = client(aws, "cloudformation").describe_stack_resources(StackName="EveryFeature")
    found = {}
    for resource in described["StackResources"]:
        if resource["ResourceType"] == "AWS::Lambda::EventSourceMapping":
            answer = client(aws, "lambda").get_event_source_mapping(
                UUID=resource["PhysicalResourceId"]
            )
            name = resource["LogicalResourceId"].partition("Mapping")[0]
            found[name] = MappingSettings.from_api(answer)
    return found


def alarms_in(template: Path) -> dict[str, tuple[str, float]]:
    """Return the metric and threshold of each alarm of a template, by its logical id."""
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"]
    return {
        name: (body["Properties"]["MetricName"], body["Properties"]["Threshold"])
        for name, body in resources.items()
        if body["Type"] == "AWS::CloudWatch::Alarm"
    }


def alarms_at(aws: LocalAws) -> dict[str, tuple[str, float]]:
    """Return the same of each alarm that is there; its name holds the logical id."""
    described = client(aws, "cloudwatch").describe_alarms()["MetricAlarms"]
    return {
        each["AlarmName"].split("-")[1]: (each["MetricName"], each["Threshold"])
        for each in described
    }


def test_it_deploys_changes_and_goes(
    aws: LocalAws, command: CdkCommand, context: dict[str, Any], tmp_path: Path
) -> None:
    changes: dict[str, Any] = {}
    for turn, change in enumerate([{}, *CHANGES]):
        changes |= change
        stack = synthesized(tmp_path / str(turn), context, **changes)
        deploy(command, tmp_path / str(turn))
        deployed = settings_of(aws)
        assert set(deployed) == set(stack.consumers)
        for name, consumer in stack.consumers.items():
            told = {kept: getattr(consumer.settings, kept) for kept in KEPT}
            assert {kept: getattr(deployed[name], kept) for kept in KEPT} == told, (name, changes)
        template = tmp_path / str(turn) / "EveryFeature.template.json"
        assert alarms_at(aws) == alarms_in(template)
    (dashboard,) = client(aws, "cloudwatch").list_dashboards()["DashboardEntries"]
    assert dashboard["DashboardName"].startswith("EveryFeature-Streams")
    destroy(command, tmp_path / str(len(CHANGES)))
    assert client(aws, "lambda").list_event_source_mappings()["EventSourceMappings"] == []
    assert alarms_at(aws) == {}


def test_a_stream_is_looked_up_when_the_stack_is_deployed(
    aws: LocalAws, command: CdkCommand, context: dict[str, Any], tmp_path: Path
) -> None:
    made = client(aws, "dynamodb").create_table(
        TableName="legacy",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    app = cdk.App(context=context, outdir=str(tmp_path))
    stack = cdk.Stack(app, "LookUp")
    table = StreamTable.look_up(
        stack,
        "Legacy",
        table_name="legacy",
        stream_view_type=dynamodb.StreamViewType.NEW_IMAGE,
    )
    cdk.CfnOutput(stack, "Found", value=str(table.table_stream_arn))
    app.synth()
    outputs = deploy(command, tmp_path)
    assert outputs["LookUp"]["Found"] == made["TableDescription"]["LatestStreamArn"]


def test_a_record_in_the_failure_bucket_reaches_the_failure_queue(
    aws: LocalAws, command: CdkCommand, context: dict[str, Any], tmp_path: Path
) -> None:
    app = cdk.App(context=context, outdir=str(tmp_path))
    stack = cdk.Stack(app, "Payload")
    entry = tmp_path / "handler.py"
    entry.write_text("def handler(event, context): ...\n", encoding="utf-8")
    payload = StreamConsumer(
        stack,
        "Audit",
        table=StreamTable(stack, "Orders", partition_key=KEY),
        function=StreamFunction(stack, "Function", entry=entry),
        on_failure=OnFailure.QUEUE_WITH_PAYLOAD,
    )
    cdk.CfnOutput(stack, "Bucket", value=payload.failure_bucket.bucket_name)
    cdk.CfnOutput(stack, "Queue", value=payload.failure_queue.queue_url)
    app.synth()
    outputs = deploy(command, tmp_path)["Payload"]
    bucket, queue = outputs["Bucket"], outputs["Queue"]
    client(aws, "s3").put_object(Bucket=bucket, Key="aws/lambda/uuid/shard/failed", Body=b"{}")
    client(aws, "s3").put_object(Bucket=bucket, Key="elsewhere", Body=b"{}")
    keys: list[str] = []
    give_up = time.monotonic() + 10
    while not keys and time.monotonic() < give_up:
        answer = client(aws, "sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            records = json.loads(message["Body"]).get("Records", [])
            keys += [record["s3"]["object"]["key"] for record in records]
    assert keys == ["aws/lambda/uuid/shard/failed"]
