"""`cdk-streams explain`: the sentences and the JSON of an explanation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import main

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Orders": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            },
        },
        "Audit": {"Type": "AWS::Lambda::Function", "Properties": {}},
        "AuditMapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Orders", "StreamArn"]},
                "FunctionName": {"Ref": "Audit"},
                "StartingPosition": "TRIM_HORIZON",
            },
        },
    }
}


@pytest.fixture
def template(tmp_path: Path) -> str:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(TEMPLATE), encoding="utf-8")
    return str(path)


def explain(*words: str) -> Result:
    return CliRunner().invoke(main, ["explain", *words])


def test_cdks_defaults_block_for_a_day_and_have_no_destination(template: str) -> None:
    result = explain(template)
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "AuditMapping (Audit reads Orders)"
    assert "Its shard stands still for 24 h; " in result.output
    assert "There is no on-failure destination: what Lambda discards is lost." in result.output
    assert "The function's timeout is 3 s: every batch times out" in result.output
    assert "The template has none on the iterator age" in result.output


def test_a_proposed_change_stands_beside_today(template: str) -> None:
    result = explain(template, "--with", "retry_attempts=2", "--with", "bisect_batch_on_error=true")
    today, _, change = result.output.partition("\n\n")
    assert today.startswith("AuditMapping (Audit reads Orders), today\n")
    label = "with retry_attempts=2, bisect_batch_on_error=True"
    assert change.startswith(f"AuditMapping (Audit reads Orders), {label}\n")
    assert "Then it is discarded.\n" in change
    assert "failure records that are lost: 1." in change


def test_json_has_the_numbers(template: str) -> None:
    (found,) = json.loads(explain(template, "--json").output)["mappings"]
    assert found["mapping"] == "AuditMapping"
    assert found["poison"]["blocked_s"] == 86_400
    assert found["outage"]["written"] == 3_600
    assert found["slow_handler"]["times_out"] is True
    assert found["proposed"] is False


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.json"], "nowhere.json' must be readable"),
        (["{template}", "--consumer", "Nope"], "got 'Nope'; the template has AuditMapping"),
        (["{template}", "--with", "batch_size"], "--with must be SETTING=VALUE, got 'batch_size'"),
        (["{template}", "--with", "size=1"], "a setting must be one of batch_size, "),
        (["{template}", "--with", "batch_size=many"], "batch_size must be"),
    ],
    ids=str,
)
def test_a_wrong_call_ends_with_2(words: list[str], message: str, template: str) -> None:
    result = explain(*(word.format(template=template) for word in words))
    assert result.exit_code == 2
    assert message in result.output


def test_a_template_without_a_mapping_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text('{"Resources": {}}', encoding="utf-8")
    result = explain(str(path))
    assert result.exit_code == 2
    assert "the template has no event source mapping that reads a stream" in result.output
