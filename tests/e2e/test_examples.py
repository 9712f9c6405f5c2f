"""The small examples on a local AWS: one app of all their stacks, deployed once."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_streams import MappingSettings
from cdk_streams.local import (
    CdkCommand,
    LocalAws,
    bootstrap,
    client,
    environment,
    local_aws,
    run_cdk,
)
from examples.existing.stack import ExistingStack

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Deployed:
    """The local AWS with every stack, and the outputs of each."""

    aws: LocalAws
    outputs: dict[str, dict[str, str]]

    def client(self, service: str) -> Any:
        return client(self.aws, service)


@pytest.fixture(scope="module")
def deployed(
    context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("examples")
    app = cdk.App(context=context, outdir=str(folder / "cdk.out"))
    ExistingStack(app, "Existing")
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
            *("--outputs-file", str(told), *given),
        )
        outputs = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
        yield Deployed(aws, outputs)


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
