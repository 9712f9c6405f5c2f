"""examples/existing: what the stack creates, and the permissions that it adds to the role."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from examples.existing.app import ExistingStack

Resources = Callable[..., dict[str, Any]]


@pytest.fixture
def example(app: cdk.App) -> ExistingStack:
    return ExistingStack(app, "Existing")


def test_nothing_that_exists_is_created_again(
    example: ExistingStack, template_of: Callable[..., assertions.Template]
) -> None:
    kinds = {each["Type"] for each in template_of(example).to_json()["Resources"].values()}
    assert kinds == {
        "AWS::CloudWatch::Alarm",
        "AWS::IAM::Policy",
        "AWS::Lambda::EventSourceMapping",
    }


def test_the_mapping_reads_the_imported_stream(
    example: ExistingStack, resources_of: Resources
) -> None:
    (mapping,) = resources_of(example, "AWS::Lambda::EventSourceMapping").values()
    settings = mapping["Properties"]
    assert settings["EventSourceArn"] == {"Ref": "OrdersStreamArn"}
    assert "FunctionResponseTypes" not in settings
    destination = settings["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination["Fn::Join"][1][-1] == ":audit-failures"


def test_the_role_may_read_the_stream_and_send_to_the_queue(
    example: ExistingStack, resources_of: Resources
) -> None:
    allowed: set[str] = set()
    for policy in resources_of(example, "AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            allowed.update([actions] if isinstance(actions, str) else actions)
    assert {"dynamodb:GetRecords", "dynamodb:GetShardIterator", "sqs:SendMessage"} <= allowed


def test_it_synthesizes_without_a_warning(example: ExistingStack) -> None:
    found = assertions.Annotations.from_stack(example)
    assert found.find_warning("*", assertions.Match.any_value()) == []
    assert found.find_error("*", assertions.Match.any_value()) == []


def test_the_page_names_the_file_it_speaks_of() -> None:
    folder = Path(__file__).parents[2] / "examples" / "existing"
    assert "(app.py)" in (folder / "README.md").read_text(encoding="utf-8")
