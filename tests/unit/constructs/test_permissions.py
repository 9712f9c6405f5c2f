"""Grants for the people who operate a consumer, and cdk-nag's findings about what it creates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_streams import (
    OnFailure,
    StreamConsumer,
    StreamFunction,
    StreamTable,
    nag_acknowledgements,
)

Resources = Callable[..., dict[str, Any]]
Consume = Callable[..., StreamConsumer]
PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    """Return a stack of a Region: a table's own key can be named in no other."""
    return cdk.Stack(app, "Test", env=cdk.Environment(region="eu-west-1"))


@pytest.fixture
def consume(stack: cdk.Stack, handler_file: Path) -> Consume:
    """Make a consumer with these settings."""
    key = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)

    def make(encryption: Any = None, **settings: Any) -> StreamConsumer:
        table = StreamTable(stack, "Orders", partition_key=key, encryption=encryption)
        function = StreamFunction(stack, "AuditFunction", entry=handler_file)
        return StreamConsumer(stack, "Audit", table=table, function=function, **settings)

    return make


def rights(
    stack: cdk.Stack, resources_of: Resources, grant: Callable[[iam.Role], Any]
) -> dict[str, str]:
    """Return what a new role may do: the resource of each action, as text."""
    grant(iam.Role(stack, "OnCall", assumed_by=iam.AccountRootPrincipal()))
    (policy,) = (
        body
        for name, body in resources_of(stack, "AWS::IAM::Policy").items()
        if name.startswith("OnCall")
    )
    found = {}
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            found[action] = json.dumps(statement["Resource"])
    return found


def table_of_the_page() -> set[str]:
    section = PAGE.read_text(encoding="utf-8").split("### Permissions")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return {action for row in rows for action in re.findall(r"`([^`]+)`", row)}


def test_redrive_needs_what_the_page_of_the_command_says_and_no_more(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    key = kms.Key(stack, "Key")
    encryption = dynamodb.TableEncryptionV2.customer_managed_key(key)
    bucket = s3.Bucket(stack, "Failed")
    consumer = consume(encryption, on_failure=bucket, rejects=OnFailure.QUEUE)
    found = rights(stack, resources_of, consumer.grants.redrive)
    assert set(found) == table_of_the_page()
    for action, resource in found.items():
        assert (resource == '"*"') is (action == "lambda:ListEventSourceMappings"), action
    assert "/aws/lambda/*" in found["s3:DeleteObject"]
    assert "RejectQueue" in found["sqs:DeleteMessage"]


def test_a_look_at_failures_calls_and_deletes_nothing(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consumer = consume(rejects=OnFailure.QUEUE)
    found = rights(stack, resources_of, consumer.grants.read_failures)
    changing = re.compile(r":(Delete|Put|Send|Invoke|Create|Update)")
    assert [action for action in found if changing.search(action)] == []
    assert "FailureQueue" in found["sqs:ReceiveMessage"]


def test_objects_that_a_queue_names_are_not_deleted(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consumer = consume(on_failure=OnFailure.QUEUE_WITH_PAYLOAD)
    found = rights(stack, resources_of, consumer.grants.redrive)
    assert "s3:GetObject" in found
    assert "s3:DeleteObject" not in found


def test_a_key_is_used_through_its_service_alone(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    key = kms.Key(stack, "Key")
    consumer = consume(dynamodb.TableEncryptionV2.customer_managed_key(key))
    role = iam.Role(stack, "OnCall", assumed_by=iam.AccountRootPrincipal())
    consumer.grants.read_failures(role)
    decrypts = [
        statement["Condition"]
        for name, body in resources_of(stack, "AWS::IAM::Policy").items()
        if name.startswith("OnCall")
        for statement in body["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "kms:Decrypt"
    ]
    assert decrypts == [{"StringLike": {"kms:ViaService": "dynamodb.*"}}]


def findings(app: cdk.App) -> set[tuple[str, str]]:
    """Return cdk-nag's findings: rule, and the path of the construct."""
    cdk.Validations.of(app).add_plugins(import_module("cdk_nag").AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        assert str(error).startswith("ValidationFailed")  # noqa: PT017 - or it is a fault
    text = Path(app.outdir, "validation-report.json").read_text(encoding="utf-8")
    return {
        (violation["ruleName"], construct["constructPath"])
        for plugin in json.loads(text)["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }


@pytest.mark.parametrize("on_failure", [OnFailure.QUEUE, OnFailure.QUEUE_WITH_PAYLOAD])
def test_acknowledged_nothing_of_the_consumer_s_own_is_found(
    app: cdk.App, stack: cdk.Stack, consume: Consume, on_failure: OnFailure
) -> None:
    consume(on_failure=on_failure, rejects=OnFailure.QUEUE)
    s3.Bucket(stack, "Theirs")
    made = nag_acknowledgements(stack)
    assert "AwsSolutions-SQS3" in made["Test/Audit/RejectQueue"]
    assert nag_acknowledgements(stack) == made
    # What is the caller's is found as before.
    assert {path for _, path in findings(app)} == {"Test/Theirs/Resource"}


def test_another_scope_is_left_alone(app: cdk.App, consume: Consume) -> None:
    consume()
    assert nag_acknowledgements(cdk.Stack(app, "Other")) == {}
