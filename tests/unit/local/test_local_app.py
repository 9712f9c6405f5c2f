from __future__ import annotations

from pathlib import Path
from typing import Any

from cdk_streams.live import SynthesizedStack
from cdk_streams.local._local_app import _without_code, connection_variables
from cdk_streams.local._local_aws import LocalAws


def stack(**properties: Any) -> tuple[SynthesizedStack, ...]:
    resource = {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Code": {"S3Key": "1.zip"}, **properties},
        "Metadata": {"aws:asset:path": "asset.1"},
    }
    return (SynthesizedStack("shop", Path("cdk.out"), {"Resources": {"Audit": resource}}),)


def test_other_code_is_no_other_stack() -> None:
    assert _without_code(stack()) == _without_code(stack(Code={"S3Key": "2.zip"}))


def test_another_setting_is_another_stack() -> None:
    assert _without_code(stack(Timeout=3)) != _without_code(stack(Timeout=4))


def test_another_resource_is_another_stack() -> None:
    queue = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    more = SynthesizedStack("shop", Path("cdk.out"), queue)
    assert _without_code(stack()) != _without_code((*stack(), more))


def test_connection_variables_are_all_a_client_needs_and_no_more() -> None:
    aws = LocalAws("http://127.0.0.1:1", Path("folder"), region="eu-west-1")
    variables = connection_variables(aws)
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["AWS_REGION"] == "eu-west-1"
    assert variables["AWS_ACCESS_KEY_ID"]
    assert all(name.startswith("AWS_") for name in variables)
