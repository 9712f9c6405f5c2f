from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.live import SynthesizedStack
from cdk_streams.local._local_app import _without_code, connection_variables, source_state
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


@pytest.mark.parametrize("name", ["app.py", "cdk.json", "handlers/audit.py"])
def test_a_changed_source_file_changes_the_state(tmp_path: Path, name: str) -> None:
    (tmp_path / "handlers").mkdir()
    (tmp_path / name).write_text("1")
    before = source_state(tmp_path)
    os.utime(tmp_path / name, ns=(1, 1))
    assert source_state(tmp_path) != before


@pytest.mark.parametrize("name", [".venv/x.py", "cdk.out/t.json", "__pycache__/x.py", "notes.md"])
def test_what_is_no_source_does_not(tmp_path: Path, name: str) -> None:
    before = source_state(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("1")
    assert source_state(tmp_path) == before


def test_nor_does_a_virtual_environment_of_any_name(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pyvenv.cfg").touch()
    before = source_state(tmp_path)
    (tmp_path / "mine" / "lib").mkdir()
    (tmp_path / "mine" / "lib" / "x.py").write_text("1")
    assert source_state(tmp_path) == before


def test_connection_variables_are_all_a_client_needs_and_no_more() -> None:
    aws = LocalAws("http://127.0.0.1:1", Path("folder"), region="eu-west-1")
    variables = connection_variables(aws)
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["AWS_REGION"] == "eu-west-1"
    assert variables["AWS_ACCESS_KEY_ID"]
    assert all(name.startswith("AWS_") for name in variables)
