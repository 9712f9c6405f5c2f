"""From CDK's `DynamoEventSource` to a `StreamConsumer`, tried on a local AWS in both ways.

The local AWS updates a mapping in place, as CloudFormation does. It takes a second mapping of one
function and stream, which Lambda refuses, so that the step that fails on AWS cannot be tried here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources

from cdk_streams import StreamConsumer, StreamFunction, StreamTable
from cdk_streams.local import (
    CdkCommand,
    LocalAws,
    bootstrap,
    client,
    deploy,
    environment,
    local_aws,
)

pytestmark = pytest.mark.e2e

KEY = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as started:
        yield started


@pytest.fixture(scope="module")
def command(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> CdkCommand:
    variables = environment(aws)
    variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables["PATH"]])
    command = CdkCommand(tmp_path_factory.mktemp("cdk"), variables)
    bootstrap(command, account=aws.account, region=aws.region)
    return command


class Shop:
    def __init__(self, app: cdk.App, name: str, handler: Path) -> None:
        self.stack = cdk.Stack(app, name)
        self.table = StreamTable(
            self.stack, "Orders", partition_key=KEY, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self.function = StreamFunction(self.stack, "AuditFunction", entry=handler)

    def event_source(self) -> None:
        position = lambda_.StartingPosition.TRIM_HORIZON
        source = event_sources.DynamoEventSource(self.table, starting_position=position)
        self.function.add_event_source(source)

    def consume(self) -> StreamConsumer:
        return StreamConsumer(self.stack, "Audit", table=self.table, function=self.function)

    def nothing(self) -> None:
        """Between two deployments, no mapping is there."""


Deploy = Callable[[str, Callable[[Shop], Any]], dict[str, str]]


@pytest.fixture
def deployed(
    aws: LocalAws,
    command: CdkCommand,
    context: dict[str, Any],
    tmp_path: Path,
    handler_file: Path,
) -> Deploy:
    """Deploy a stack as it is built; return its mappings' UUIDs by logical id."""

    def run(name: str, build: Callable[[Shop], Any]) -> dict[str, str]:
        app = cdk.App(context=context, outdir=str(tmp_path / "cdk.out"))
        build(Shop(app, name, handler_file))
        app.synth()
        deploy(command, tmp_path / "cdk.out")
        found = client(aws, "cloudformation").describe_stack_resources(StackName=name)
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in found["StackResources"]
            if each["ResourceType"] == "AWS::Lambda::EventSourceMapping"
        }

    return run


def test_a_consumer_that_takes_the_old_logical_id_keeps_the_mapping(
    aws: LocalAws, deployed: Deploy
) -> None:
    ((logical_id, uuid),) = deployed("Adopted", Shop.event_source).items()

    def adopt(shop: Shop) -> None:
        shop.consume().event_source_mapping.override_logical_id(logical_id)

    assert deployed("Adopted", adopt) == {logical_id: uuid}
    mapping = client(aws, "lambda").get_event_source_mapping(UUID=uuid)
    assert mapping["MaximumRetryAttempts"] == 11
    assert mapping["BisectBatchOnFunctionError"] is True


def test_two_deployments_make_another_mapping(deployed: Deploy) -> None:
    (old,) = deployed("Twice", Shop.event_source).values()
    assert deployed("Twice", Shop.nothing) == {}
    (new,) = deployed("Twice", Shop.consume).values()
    assert new != old
