from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.errors import DeploymentError, SettingsError
from cdk_streams.live._deployed_stack import (
    DeployedConsumer,
    SynthesizedStack,
    read_consumers,
    read_stacks,
)

STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:shop-audit-1X"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:shop-failed-1X"


class Deployed:
    """A deployment in memory that answers as CloudFormation and Lambda do."""

    def __init__(self) -> None:
        self.names = {"Mapping": "uuid-1", "Audit": "shop-audit-1X", "Layer": "arn:layer:1"}
        self.mapping: dict[str, Any] = {
            "UUID": "uuid-1",
            "EventSourceArn": STREAM,
            "FunctionArn": FUNCTION,
            # As a local AWS answers, which has forgotten most settings.
            "BatchSize": 10,
            "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
        }
        self.function: dict[str, Any] = {
            "FunctionArn": FUNCTION,
            "Handler": "audit.handler",
            "Runtime": "python3.13",
            "Timeout": 60,
            "MemorySize": 256,
            "Environment": {"Variables": {"BUCKET": "trail-1X"}},
        }

    def client(self, _service: str) -> Any:
        return self

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_stack_resources"
        return self

    def paginate(self, **_request: Any) -> Iterator[dict[str, Any]]:
        names = list(self.names.items())
        for page in (names[:1], names[1:]):
            yield {
                "StackResourceSummaries": [
                    {"LogicalResourceId": logical, "PhysicalResourceId": physical}
                    for logical, physical in page
                ]
            }

    def describe_stacks(self, **_request: Any) -> dict[str, Any]:
        arn = "arn:aws:cloudformation:us-east-1:000000000000:stack/shop/1"
        window = {"ParameterKey": "Window", "ParameterValue": "20"}
        version = {
            "ParameterKey": "BootstrapVersion",
            "ParameterValue": "/cdk",
            "ResolvedValue": "21",
        }
        return {"Stacks": [{"StackId": arn, "Parameters": [window, version]}]}

    def get_event_source_mapping(self, **_request: Any) -> dict[str, Any]:
        return self.mapping

    def get_function_configuration(self, **_request: Any) -> dict[str, Any]:
        return self.function


@pytest.fixture
def deployed() -> Deployed:
    return Deployed()


@pytest.fixture
def stack(tmp_path: Path) -> SynthesizedStack:
    for asset in ("asset.1", "asset.2"):
        (tmp_path / asset).mkdir()
    resources: dict[str, Any] = {
        "Orders": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            },
        },
        "Failed": {"Type": "AWS::SQS::Queue"},
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Orders", "StreamArn"]},
                "FunctionName": {"Ref": "Audit"},
                "StartingPosition": "TRIM_HORIZON",
                "BatchSize": 7,
                "MaximumRetryAttempts": 3,
                "BisectBatchOnFunctionError": True,
                "MaximumBatchingWindowInSeconds": {"Ref": "Window"},
                "DestinationConfig": {
                    "OnFailure": {"Destination": {"Fn::GetAtt": ["Failed", "Arn"]}}
                },
            },
        },
        "Audit": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Layers": [{"Ref": "Layer"}]},
            "Metadata": {"aws:asset:path": "asset.1"},
        },
        "Layer": {
            "Type": "AWS::Lambda::LayerVersion",
            "Metadata": {"aws:asset:path": "asset.2"},
        },
    }
    template = {
        "Parameters": {
            "BootstrapVersion": {
                "Type": "AWS::SSM::Parameter::Value<String>",
                "Default": "/cdk-bootstrap/hnb659fds/version",
            },
            "Window": {"Type": "Number", "Default": 0},
        },
        "Resources": resources,
    }
    return SynthesizedStack("shop", tmp_path, template)


def only(stack: SynthesizedStack, deployed: Deployed) -> DeployedConsumer:
    (consumer,) = read_consumers(stack, deployed.client)
    return consumer


def test_settings_come_from_the_template(stack: SynthesizedStack, deployed: Deployed) -> None:
    settings = only(stack, deployed).mapping.settings
    assert settings.batch_size == 7
    assert settings.retry_attempts == 3
    assert settings.bisect_batch_on_error


def test_parameters_have_the_values_they_were_deployed_with(
    stack: SynthesizedStack, deployed: Deployed
) -> None:
    assert only(stack, deployed).mapping.settings.max_batching_window == timedelta(seconds=20)


def test_names_come_from_the_deployment(stack: SynthesizedStack, deployed: Deployed) -> None:
    consumer = only(stack, deployed)
    assert consumer.name == "Mapping"
    assert consumer.mapping.stream_arn == STREAM
    assert consumer.mapping.uuid == "uuid-1"
    assert consumer.mapping.destination == QUEUE
    assert consumer.function.name == "shop-audit-1X"
    assert consumer.function.environment == {"BUCKET": "trail-1X"}


def test_code_and_layers_are_what_was_staged(stack: SynthesizedStack, deployed: Deployed) -> None:
    function = only(stack, deployed).function
    assert function.asset == stack.assembly / "asset.1"
    assert function.layers == (stack.assembly / "asset.2",)
    assert (function.timeout_s, function.memory_mb) == (60, 256)


def test_request_ids_differ_from_call_to_call(stack: SynthesizedStack, deployed: Deployed) -> None:
    ids = only(stack, deployed).mapping.ids
    assert ids(1) != ids(1)


def test_an_alias_is_part_of_the_functions_arn_and_no_version(
    stack: SynthesizedStack, deployed: Deployed
) -> None:
    deployed.mapping["FunctionArn"] = f"{FUNCTION}:live"
    mapping = only(stack, deployed).mapping
    assert mapping.function_arn == f"{FUNCTION}:live"
    assert mapping.executed_version == "$LATEST"
    deployed.mapping["FunctionArn"] = f"{FUNCTION}:3"
    assert only(stack, deployed).mapping.executed_version == "3"


def test_a_mapping_of_a_queue_is_passed_over(stack: SynthesizedStack, deployed: Deployed) -> None:
    deployed.mapping["EventSourceArn"] = QUEUE
    assert read_consumers(stack, deployed.client) == ()


def test_a_stack_without_mappings_asks_nothing(tmp_path: Path) -> None:
    assert read_consumers(SynthesizedStack("empty", tmp_path, {}), lambda _service: None) == ()


def test_a_function_of_another_stack_cannot_be_run(
    stack: SynthesizedStack, deployed: Deployed
) -> None:
    stack.template["Resources"]["Mapping"]["Properties"]["FunctionName"] = f"{FUNCTION}:live"
    with pytest.raises(DeploymentError, match=r"Mapping: its function must be in the stack shop"):
        only(stack, deployed)


def test_a_function_in_another_language_cannot_be_run(
    stack: SynthesizedStack, deployed: Deployed
) -> None:
    deployed.function["Runtime"] = "nodejs24.x"
    with pytest.raises(DeploymentError, match=r"must have a Python runtime, got nodejs24\.x"):
        only(stack, deployed)


def test_a_consumer_that_cannot_be_run_is_left_out_with_a_sentence(
    stack: SynthesizedStack, deployed: Deployed
) -> None:
    deployed.function["Runtime"] = "nodejs24.x"
    skipped: list[str] = []
    assert read_consumers(stack, deployed.client, on_skip=skipped.append) == ()
    (sentence,) = skipped
    assert sentence.startswith("Mapping: Audit: a function that is run here must have a Python")


def test_inline_code_cannot_be_run(stack: SynthesizedStack, deployed: Deployed) -> None:
    del stack.template["Resources"]["Audit"]["Metadata"]
    with pytest.raises(DeploymentError, match=r"Audit: its code must be an asset"):
        only(stack, deployed)


def test_a_setting_that_lambda_refuses_names_its_mapping(
    stack: SynthesizedStack, deployed: Deployed
) -> None:
    stack.template["Resources"]["Mapping"]["Properties"]["BatchSize"] = 20_000
    with pytest.raises(SettingsError, match=r"Mapping: batch_size must be 1 to 10,000"):
        only(stack, deployed)


def test_a_destination_that_was_not_deployed_is_told(
    stack: SynthesizedStack, deployed: Deployed
) -> None:
    deployed.mapping["DestinationConfig"] = {"OnFailure": {}}
    with pytest.raises(DeploymentError, match=r"lacks the failure destination"):
        only(stack, deployed)


def test_stacks_of_stages_are_found(tmp_path: Path) -> None:
    inner = tmp_path / "assembly-prod"
    inner.mkdir()
    (tmp_path / "manifest.json").write_text(
        json.dumps(
            {
                "artifacts": {
                    "Tree": {"type": "cdk:tree", "properties": {}},
                    "prod": {
                        "type": "cdk:cloud-assembly",
                        "properties": {"directoryName": "assembly-prod"},
                    },
                }
            }
        )
    )
    artifact = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "t.json", "stackName": "prod-shop"},
    }
    (inner / "manifest.json").write_text(json.dumps({"artifacts": {"shop": artifact}}))
    (inner / "t.json").write_text(json.dumps({"Resources": {"A": {"Type": "T"}}}))
    template = {"Resources": {"A": {"Type": "T"}}}
    assert read_stacks(tmp_path) == (SynthesizedStack("prod-shop", inner, template),)
