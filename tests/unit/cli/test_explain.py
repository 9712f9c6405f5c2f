"""`cdk-streams explain`: the sentences and the JSON of an explanation."""

from __future__ import annotations

import json
from datetime import timedelta
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


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an outage of a minute and ten records be run, where the numbers are not looked at."""
    monkeypatch.setattr("cdk_streams.analysis._explanation.OUTAGE", timedelta(minutes=1))
    monkeypatch.setattr("cdk_streams.analysis._situations._MOST_RECORDS", 10)


def explain(*words: str) -> Result:
    return CliRunner().invoke(main, ["explain", *words])


@pytest.mark.usefixtures("short")
def test_cdks_defaults_block_for_a_day_and_have_no_destination(template: str) -> None:
    result = explain(template)
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "AuditMapping (Audit reads Orders)"
    assert "Its shard stands still for 24 h; " in result.output
    assert "There is no on-failure destination: what Lambda discards is lost." in result.output
    assert "The function's timeout is 3 s: every batch times out" in result.output
    assert "The template has none on the iterator age" in result.output


@pytest.mark.usefixtures("short")
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
        (["nowhere.json"], "nowhere.json is not there"),
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
    assert (
        "must have an event source mapping that reads a DynamoDB stream, got none" in result.output
    )


def write(folder: Path, change: Any, name: str = "changed.json") -> str:
    made = json.loads(json.dumps(TEMPLATE))
    change(made)
    path = folder / name
    path.write_text(json.dumps(made), encoding="utf-8")
    return str(path)


@pytest.mark.usefixtures("short")
def test_a_folder_and_standard_input_are_templates_too(tmp_path: Path) -> None:
    for name in ("A", "B"):
        write(tmp_path, lambda _: None, f"{name}.template.json")
    titles = [
        line for line in explain(str(tmp_path)).output.splitlines() if line and line[0] != " "
    ]
    assert titles == [
        f"{tmp_path}/{name}.template.json: AuditMapping (Audit reads Orders)" for name in "AB"
    ]
    told = CliRunner().invoke(main, ["explain", "-"], input=json.dumps(TEMPLATE))
    assert told.output.startswith("AuditMapping (Audit reads Orders)\n")


@pytest.mark.usefixtures("short")
def test_a_parameter_has_the_value_of_the_option(tmp_path: Path) -> None:
    def change(made: Any) -> None:
        made["Parameters"] = {"Size": {"Type": "Number"}}
        made["Resources"]["AuditMapping"]["Properties"]["BatchSize"] = {"Ref": "Size"}

    path = write(tmp_path, change)
    without = explain(path)
    assert without.exit_code == 2
    assert "AuditMapping is not explained: " in without.output
    assert "has no default; pass --parameter Size=…" in without.output
    (found,) = json.loads(explain(path, "--parameter", "Size=7", "--json").output)["mappings"]
    assert found["settings"]["BatchSize"] == 7


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({"EventSourceArn": {"Fn::GetAtt": ["Orders", "Arn"]}}, "got the ARN of the table Orders"),
        ({"BatchSize": 20_000}, "AuditMapping: BatchSize must be 1 to 10,000 records, got 20000"),
    ],
    ids=["a table's ARN", "a value out of range"],
)
@pytest.mark.usefixtures("short")
def test_what_check_calls_invalid_is_not_explained(
    properties: Any, sentence: str, tmp_path: Path
) -> None:
    path = write(
        tmp_path, lambda made: made["Resources"]["AuditMapping"]["Properties"].update(properties)
    )
    result = explain(path)
    assert result.exit_code == 2
    assert sentence in result.stdout
    assert not result.stdout.startswith("\n")
    assert result.stderr == "Error: no mapping was explained; the reasons are above\n"
    assert json.loads(explain(path, "--json").stdout)["mappings"] == []


@pytest.mark.usefixtures("short")
def test_a_destination_is_named_without_the_account_that_is_assumed(tmp_path: Path) -> None:
    def change(made: Any) -> None:
        made["Resources"]["Failed"] = {"Type": "AWS::SQS::Queue"}
        made["Resources"]["AuditMapping"]["Properties"] |= {
            "MaximumRetryAttempts": 1,
            "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failed", "Arn"]}}},
        }
        made["Resources"]["Lag"] = {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "MetricName": "ApproximateNumberOfMessagesVisible",
                "Dimensions": [{"Value": {"Fn::GetAtt": ["Failed", "QueueName"]}}],
                "ComparisonOperator": "GreaterThanThreshold",
                "Threshold": 0,
                "Period": 60,
                "EvaluationPeriods": 1,
            },
        }

    output = explain(write(tmp_path, change)).output
    assert "Failure records that reach the queue Failed: 1. They hold sequence" in output
    assert "123456789012" not in output
    assert "goes off 1 min after a poison record first fails, and " in output


def test_a_setting_is_given_once(template: str) -> None:
    result = explain(template, "--with", "batch_size=1", "--with", "BatchSize=2")
    assert result.exit_code == 2
    assert "--with must name each setting once, got batch_size twice" in result.output


def test_an_outage_at_a_rate_is_worked_out_from_counts(tmp_path: Path) -> None:
    def change(made: Any) -> None:
        made["Resources"]["AuditMapping"]["Properties"]["MaximumRetryAttempts"] = 8

    path = write(tmp_path, change)
    output = explain(path, "--writes-per-second", "1000").output
    assert "  An outage of 1 h at 1,000 writes a second to 1 shard, over 24 h\n" in output
    assert "    Of 86,400,000 records " in output
    (found,) = json.loads(explain(path, "--writes-per-second", "1000", "--json").output)["mappings"]
    rate = found["outage_at_rate"]
    assert rate["written"] == 86_400_000
    assert 0 < rate["discarded"] < 3_600_000
    assert rate["caught_up_s"] == 60


@pytest.mark.usefixtures("short")
def test_a_window_is_not_worked_out_from_counts(tmp_path: Path) -> None:
    def change(made: Any) -> None:
        made["Resources"]["AuditMapping"]["Properties"] |= {
            "TumblingWindowInSeconds": 60,
            "MaximumRetryAttempts": 1,
        }

    output = explain(write(tmp_path, change), "--writes-per-second", "1000").output
    assert "It cannot be worked out from counts: the mapping has a tumbling window." in output
