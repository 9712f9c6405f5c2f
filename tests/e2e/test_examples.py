"""The small examples on a local AWS: one app of all their stacks, deployed once."""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from cdk_streams import MappingSettings
from cdk_streams.lambda_local import LogLine
from cdk_streams.live import CheckpointStore, Notice, drive, read_consumers, read_stacks
from cdk_streams.local import (
    CdkCommand,
    LocalAws,
    bootstrap,
    client,
    connection_variables,
    environment,
    local_aws,
    run_cdk,
)
from examples.another_region.app import TABLE_NAME as WORLDWIDE
from examples.another_region.app import IndexStack, OrdersStack
from examples.another_stack.app import TABLE_NAME, SearchStack, ShopStack
from examples.existing.app import ExistingStack
from examples.pipeline.app import ShopStack as PipelineShopStack
from examples.powertools.app import PowertoolsStack
from examples.pydantic_models.app import PydanticModelsStack
from examples.shared_code.app import SharedCodeStack
from examples.snapshot_test.app import SnapshotTestStack
from lambda_runtime import encode

pytestmark = pytest.mark.e2e


# Packages run on this machine here, so they are those of its Python and processor.
HERE: dict[str, Any] = {
    "runtime": lambda_.Runtime(f"python3.{sys.version_info.minor}", lambda_.RuntimeFamily.PYTHON),
    "architecture": lambda_.Architecture.ARM_64
    if platform.machine() in ("aarch64", "arm64")
    else lambda_.Architecture.X86_64,
}


class Log:
    """An observer that keeps what functions print."""

    def __init__(self) -> None:
        self.text = ""

    def notice(self, consumer: str, at_ms: int, notice: Notice) -> None: ...

    def log(self, consumer: str, line: LogLine) -> None:
        self.text += f"{consumer}: {line.text}\n"


@dataclass(frozen=True)
class Deployed:
    """The local AWS with every stack, and the outputs of each."""

    aws: LocalAws
    outputs: dict[str, dict[str, str]]
    log: Log

    def client(self, service: str) -> Any:
        return client(self.aws, service)

    def put(self, table: str, **item: Any) -> None:
        """Write an item to the table of a stack's output `OrdersTableName`."""
        name = self.outputs[table]["OrdersTableName"]
        self.client("dynamodb").put_item(TableName=name, Item=encode(item)["M"])

    def logged(self, text: str) -> bool:
        """Wait until a function has printed a text."""
        give_up = time.monotonic() + 20
        while text not in self.log.text and time.monotonic() < give_up:
            time.sleep(0.1)
        return text in self.log.text


@pytest.fixture(scope="module")
def deployed(
    context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("examples")
    # The cdk command asks for this; the driver finds a function's code by it.
    context = {**context, "aws:cdk:enable-asset-metadata": True}
    app = cdk.App(context=context, outdir=str(folder / "cdk.out"))
    ExistingStack(app, "Existing")
    SharedCodeStack(app, "SharedCode")
    PydanticModelsStack(app, "PydanticModels", **HERE)
    PowertoolsStack(app, "Powertools", **HERE)
    SnapshotTestStack(app, "SnapshotTest")
    SearchStack(app, "Search").add_dependency(ShopStack(app, "Shop"))
    PipelineShopStack(app, "PipelineShop", is_production=True)
    # A local AWS keeps no replicas: the reader follows the table itself.
    here = cdk.Environment(region="us-east-1")
    index = IndexStack(app, "WorldwideIndex", env=here)
    index.add_dependency(OrdersStack(app, "WorldwideOrders", env=here))
    app.synth()
    with local_aws() as aws:
        given = [f"--parameters=Existing:{each}" for each in what_exists(aws)]
        variables = environment(aws)
        variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables["PATH"]])
        command = CdkCommand(folder, variables)
        bootstrap(command, account=aws.account, region=aws.region)
        told = folder / "outputs.json"
        run_cdk(
            command,
            *("deploy", "--app", str(folder / "cdk.out"), "--all", "--require-approval", "never"),
            *("--method", "direct", "--concurrency", "4"),
            *("--outputs-file", str(told), *given),
        )
        outputs = json.loads(told.read_text(encoding="utf-8"))
        log = Log()
        with driven(aws, folder / "cdk.out", log):
            yield Deployed(aws, outputs, log)


@contextlib.contextmanager
def driven(aws: LocalAws, assembly: Path, log: Log) -> Iterator[None]:
    """Run the consumers whose functions the app has, as `cdk-streams local` does."""

    def near(service: str) -> Any:
        return client(aws, service)

    consumers = [
        consumer
        for stack in read_stacks(assembly)
        if stack.name != "Existing"
        for consumer in read_consumers(stack, near)
    ]
    for each in consumers:
        near("lambda").update_event_source_mapping(UUID=each.mapping.uuid, Enabled=False)
    with (
        CheckpointStore(aws.folder / "checkpoints") as checkpoints,
        drive(
            consumers,
            near,
            checkpoints=checkpoints,
            observer=log,
            connection=connection_variables(aws),
            scratch=aws.folder,
        ),
    ):
        yield


def what_exists(aws: LocalAws) -> list[str]:
    """Create what `existing` imports; return its parameters."""
    table = client(aws, "dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "order_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "order_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    role = client(aws, "iam").create_role(
        RoleName="audit",
        AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [trust | {"Action": "sts:AssumeRole"}]}
        ),
    )
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return None\n")
    client(aws, "lambda").create_function(
        FunctionName="audit",
        Runtime="python3.13",
        Handler="index.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": code.getvalue()},
    )
    client(aws, "sqs").create_queue(QueueName="audit-failures")
    stream = table["TableDescription"]["LatestStreamArn"]
    return [f"OrdersStreamArn={stream}", f"AuditRoleArn={role['Role']['Arn']}"]


def test_existing_connects_what_was_there(deployed: Deployed) -> None:
    functions, tables = deployed.client("lambda"), deployed.client("dynamodb")
    (mapping,) = functions.list_event_source_mappings(FunctionName="audit")["EventSourceMappings"]
    assert (
        mapping["EventSourceArn"]
        == tables.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    )
    settings = MappingSettings.from_api(mapping)
    assert settings.enabled
    assert settings.bisect_batch_on_error
    assert not settings.report_batch_item_failures
    assert str(settings.on_failure).endswith(":audit-failures")


def test_existing_adds_its_rights_to_the_role_that_was_there(deployed: Deployed) -> None:
    roles = deployed.client("iam")
    (name,) = roles.list_role_policies(RoleName="audit")["PolicyNames"]
    policy = roles.get_role_policy(RoleName="audit", PolicyName=name)["PolicyDocument"]
    allowed = str([each["Action"] for each in policy["Statement"]])
    assert "dynamodb:GetRecords" in allowed
    assert "sqs:SendMessage" in allowed


def test_shared_code_is_there_in_both_functions(deployed: Deployed) -> None:
    deployed.put("SharedCode", order_id="o-1", status="PLACED", total=9)
    deployed.put("SharedCode", order_id="o-1", status="PAID", total=9)
    deployed.put("SharedCode", order_id="o-1", status="CANCELLED", total=9)
    assert deployed.logged("Order o-1: 9.00 EUR received")
    assert deployed.logged("Order o-1: 9.00 EUR paid back")


def test_pydantic_reads_an_order_and_rejects_a_wrong_one(deployed: Deployed) -> None:
    deployed.put("PydanticModels", order_id="o-0", total=1, lines=[])
    deployed.put("PydanticModels", order_id="o-1", total=1, lines=[{"sku": "tea", "count": 2}])
    assert deployed.logged("Order o-1: 2 of tea")
    url = deployed.outputs["PydanticModels"]["RejectsUrl"]
    (message,) = deployed.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert "lines" in json.loads(message["Body"])["reason"]


def test_the_stream_of_another_stack_is_found_and_followed(deployed: Deployed) -> None:
    item = encode({"order_id": "o-7", "status": "PLACED"})["M"]
    deployed.client("dynamodb").put_item(TableName=TABLE_NAME, Item=item)
    assert deployed.logged("Order o-7 is PLACED")


def test_the_table_of_another_region_is_found_by_its_name(deployed: Deployed) -> None:
    item = encode({"order_id": "o-8", "status": "PLACED"})["M"]
    deployed.client("dynamodb").put_item(TableName=WORLDWIDE, Item=item)
    assert deployed.logged("Order o-8 is PLACED")


def test_what_the_pipeline_deploys_to_production_works(deployed: Deployed) -> None:
    resources = deployed.client("cloudformation").describe_stack_resources(
        StackName="PipelineShop"
    )["StackResources"]
    (table,) = (
        each["PhysicalResourceId"]
        for each in resources
        if each["ResourceType"] == "AWS::DynamoDB::GlobalTable"
    )
    item = encode({"order_id": "o-6", "status": "PAID"})["M"]
    deployed.client("dynamodb").put_item(TableName=table, Item=item)
    assert deployed.logged("Order o-6 is PAID")


def test_powertools_logs_each_change_as_json(deployed: Deployed) -> None:
    deployed.put("Powertools", order_id="o-9", status="PLACED")
    assert deployed.logged('"order_id":"o-9"')
    (line,) = (each for each in deployed.log.text.splitlines() if '"order_id":"o-9"' in each)
    logged = json.loads(line[line.index("{") :])
    assert (logged["service"], logged["message"]) == ("orders", "order written")
    assert logged["function_request_id"]
