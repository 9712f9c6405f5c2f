"""`cdk-streams check`: what it reads, what it prints, how it ends."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from cdk_streams._documentation import page
from cdk_streams.cli import _aws, main

WHY = "polling starts minutes after the mapping is created; what is written meanwhile is never read"
WHAT = "StartingPosition is LATEST"
TEMPLATE: dict[str, Any] = {
    "Parameters": {"Size": {"Type": "Number", "Default": 10}},
    "Resources": {
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/T/stream/label",
                "FunctionName": "audit",
                "StartingPosition": "LATEST",
                "BatchSize": {"Ref": "Size"},
                "MaximumRetryAttempts": 3,
                "MaximumRecordAgeInSeconds": 3600,
                "BisectBatchOnFunctionError": True,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "DestinationConfig": {
                    "OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:failed"}
                },
            },
        }
    },
}


def check(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["check", *words], input=stdin)


FIX = (
    "Set StartingPosition to TRIM_HORIZON before the first deployment; "
    "that of a mapping that exists cannot be changed in one deployment"
)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(TEMPLATE), encoding="utf-8")
    return path


def test_findings_are_shown_with_the_place_and_end_with_1(template: Path) -> None:
    result = check(str(template))
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{template}: Resources.Mapping",
        "  warning cdk-streams:StartsAtLatest",
        f"  {WHAT}: {WHY}.",
        f"  {FIX}.",
        f"  See {page('checks', 'StartsAtLatest')}",
        "",
        "1 finding in 1 event source mapping of 1 template",
    ]


def test_json_has_each_finding_with_its_mapping(template: Path) -> None:
    result = check(str(template), "--json")
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert [(each["id"], each["mapping"]) for each in found["findings"]] == [
        ("cdk-streams:StartsAtLatest", "Mapping")
    ]
    assert (found["mappings"], found["templates"], found["skipped"]) == (1, 1, [])


def test_a_finding_can_be_ignored_or_allowed(template: Path) -> None:
    assert check(str(template), "--ignore", "StartsAtLatest").exit_code == 0
    assert check(str(template), "--ignore", "cdk-streams:StartsAtLatest").exit_code == 0
    assert check(str(template), "--fail-on", "error").exit_code == 0
    assert check(str(template), "--fail-on", "never").exit_code == 0


def test_an_error_fails_where_warnings_do_not(template: Path) -> None:
    result = check(str(template), "--fail-on", "error", "--parameter", "Size=20000")
    assert result.exit_code == 1
    assert "BatchSize must be 1 to 10,000 records, got 20000" in result.output


def test_sarif_names_rule_file_and_resource(template: Path) -> None:
    run = json.loads(check(str(template), "--format", "sarif").output)["runs"][0]
    (result,) = run["results"]
    location = result["locations"][0]
    assert result["ruleId"] in {each["id"] for each in run["tool"]["driver"]["rules"]}
    assert location["physicalLocation"]["artifactLocation"]["uri"] == str(template)
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "Resources.Mapping"


def test_github_gets_an_annotation_a_finding(template: Path) -> None:
    output = check(str(template), "--format", "github").output
    pattern = r"::warning file=\S+,title=cdk-streams%3AStartsAtLatest::Resources\.Mapping: .*\n"
    assert re.fullmatch(pattern, output)


def test_a_folder_stands_for_all_of_its_templates(tmp_path: Path) -> None:
    inner = tmp_path / "cdk.out" / "assembly-Prod"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "Shop.template.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")
    result = check(str(tmp_path / "cdk.out"))
    assert "2 findings in 2 event source mappings of 2 templates" in result.output


def test_without_a_template_cdk_out_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = check()
    assert result.exit_code == 2
    assert result.output == "Error: cdk.out is not there; name a template, or run cdk synth first\n"
    (tmp_path / "cdk.out").mkdir()
    assert "got none; run cdk synth first" in check().output


def test_standard_input_is_a_template() -> None:
    assert "standard input: Resources.Mapping" in check("-", stdin=json.dumps(TEMPLATE)).output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["nowhere.json"],
            "nowhere.json is not there; name another template, or run cdk synth first",
        ),
        (["-", "--ignore", "Nope"], "--ignore must be the id of a check, got 'Nope'"),
        (["-", "--parameter", "Size"], "--parameter must be NAME=VALUE, got 'Size'"),
        (["-", "--format", "xml"], "is not one of"),
    ],
    ids=str,
)
def test_a_wrong_call_ends_with_2(words: list[str], message: str) -> None:
    result = check(*words, stdin="{}")
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    "garbage", ["garbage{", "\0\1", "[" * 1_000, '{"a":' * 100_000, '{"Resources": 3}', ""]
)
def test_what_is_no_template_is_one_line(garbage: str) -> None:
    result = check("-", stdin=garbage)
    assert result.exit_code == 2
    assert re.fullmatch(r"Error: .{1,300}\n", result.output)


class FakeCloudFormation:
    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.parameters: list[dict[str, str]] = []

    def get_template(self, **request: str) -> Any:
        assert request == {"StackName": "Shop", "TemplateStage": "Processed"}
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"TemplateBody": self.answer}

    def describe_stacks(self, **request: str) -> Any:
        assert request == {"StackName": "Shop"}
        return {"Stacks": [{"Parameters": self.parameters}]}


def test_a_deployed_stack_is_checked_by_its_template(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal: Any = {"Error": {"Code": "ValidationError", "Message": "Stack Shop does not exist"}}
    answers = [TEMPLATE, json.dumps(TEMPLATE, indent=1), ClientError(refusal, "GetTemplate")]
    fakes = iter([FakeCloudFormation(each) for each in answers])
    monkeypatch.setattr(_aws, "aws", lambda *_: lambda _service: next(fakes))

    assert check("--stack", "Shop").output.startswith("Shop: Resources.Mapping\n")
    assert check("--stack", "Shop").output.startswith("Shop: Resources.Mapping\n")
    refused = check("--stack", "Shop")
    assert refused.exit_code == 2
    assert refused.output.endswith("Stack Shop does not exist\n")
    assert len(refused.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ignore", "LagNotAlarmd"], "got 'LagNotAlarmd'; did you mean LagNotAlarmed?"),
        (["--parameter", "Sise=1"], "--parameter must name a parameter of the template, got Sise"),
        (["--parameter", "Size=1", "--parameter", "Size=2"], "must name each parameter once"),
        (["--region", "us-east-1"], "--region needs --stack: templates are read without AWS"),
        (["--json", "--format", "sarif"], "--json and --format sarif exclude each other"),
        (["--stack", ""], "it must be a name, got ''"),
    ],
    ids=str,
)
def test_an_option_without_an_effect_is_refused(
    words: list[str], message: str, template: Path
) -> None:
    result = check(str(template), *words)
    assert result.exit_code == 2
    assert message in result.output


def test_there_is_said_which_parameters_are_there(template: Path) -> None:
    assert check(str(template), "--parameter", "A=1").output.endswith("got A; there is Size\n")


def test_a_parameter_without_a_value_is_named_by_the_option(tmp_path: Path) -> None:
    made = json.loads(json.dumps(TEMPLATE))
    made["Parameters"]["Stage"] = {"Type": "String"}
    made["Conditions"] = {"Live": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}
    made["Resources"]["Mapping"]["Condition"] = "Live"
    path = tmp_path / "template.json"
    path.write_text("\ufeff" + json.dumps(made), encoding="utf-8")
    assert "has no default; pass --parameter Stage=…\n" in check(str(path)).output


def test_standard_input_is_called_so_in_a_message() -> None:
    assert check("-", stdin="").output == (
        "Error: standard input must hold a template, got nothing: it is empty\n"
    )


TABLE: dict[str, Any] = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
    },
}


def with_table() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(TEMPLATE))
    made["Resources"]["Orders"] = json.loads(json.dumps(TABLE))
    source = {"Fn::GetAtt": ["Orders", "StreamArn"]}
    made["Resources"]["Mapping"]["Properties"]["EventSourceArn"] = source
    return made


def renamed(made: dict[str, Any]) -> None:
    made["Resources"]["NewMapping"] = made["Resources"].pop("Mapping")


def moved(made: dict[str, Any]) -> None:
    made["Resources"]["Mapping"]["Properties"]["StartingPosition"] = "TRIM_HORIZON"


def viewed(made: dict[str, Any]) -> None:
    made["Resources"]["Orders"]["Properties"]["StreamSpecification"] = {
        "StreamViewType": "NEW_AND_OLD_IMAGES"
    }


def keyed(made: dict[str, Any]) -> None:
    made["Resources"]["Orders"]["Properties"]["KeySchema"][0]["AttributeName"] = "number"


def named(made: dict[str, Any]) -> None:
    made["Resources"]["Orders"]["Properties"]["TableName"] = "orders"


def retabled(made: dict[str, Any]) -> None:
    made["Resources"]["Sales"] = made["Resources"].pop("Orders")
    source = {"Fn::GetAtt": ["Sales", "StreamArn"]}
    made["Resources"]["Mapping"]["Properties"]["EventSourceArn"] = source


@pytest.mark.parametrize(
    ("change", "id_", "what"),
    [
        (moved, "MappingReplaced", "StartingPosition was LATEST and becomes TRIM_HORIZON"),
        (renamed, "MappingReplaced", "has Mapping for the same stream and function"),
        (viewed, "StreamReplaced", "StreamViewType was NEW_IMAGE and becomes NEW_AND_OLD_IMAGES"),
        (keyed, "StreamReplaced", "the KeySchema changes, which replaces the table"),
        (named, "StreamReplaced", "TableName was Orders and becomes orders, which replaces"),
        (retabled, "StreamReplaced", "the table was Orders and becomes Sales"),
        (lambda _: None, "", ""),
    ],
    ids=["position", "logical id", "view type", "keys", "table name", "table", "nothing"],
)
def test_a_template_is_compared_with_the_deployed_stack(
    change: Any, id_: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_aws, "aws", lambda *_: lambda _service: FakeCloudFormation(with_table()))
    made = with_table()
    change(made)
    path = tmp_path / "template.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    words = [str(path), "--ignore", "StartsAtLatest", "--json"]
    assert json.loads(check(*words).output)["findings"] == []
    found = json.loads(check(*words, "--stack", "Shop").output)["findings"]
    assert [each["id"] for each in found] == ([f"cdk-streams:{id_}"] if id_ else [])
    assert all(what in each["what"] and "deploy twice" in each["fix"] for each in found)


def test_of_several_templates_the_one_of_the_stack_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_aws, "aws", lambda *_: lambda _service: FakeCloudFormation(TEMPLATE))
    for name in ("Shop", "Audit"):
        (tmp_path / f"{name}.template.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")
    found = json.loads(check(str(tmp_path), "--stack", "Shop", "--json").output)
    assert found["templates"] == 1
    (tmp_path / "Shop.template.json").rename(tmp_path / "Mail.template.json")
    assert (
        "must be compared with one template, got 2"
        in check(str(tmp_path), "--stack", "Shop").output
    )


def with_parameter(default: str) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(TEMPLATE)
    made["Parameters"] = {
        "Start": {"Type": "String", "Default": default},
        "Password": {"Type": "String", "NoEcho": True},
    }
    made["Resources"]["Mapping"]["Properties"]["StartingPosition"] = {"Ref": "Start"}
    return made


def test_the_parameters_of_a_deployed_stack_have_their_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeCloudFormation(with_parameter("TRIM_HORIZON"))
    fake.parameters = [
        {"ParameterKey": "Start", "ParameterValue": "/start", "ResolvedValue": "LATEST"},
        {"ParameterKey": "Password", "ParameterValue": "****"},
    ]
    monkeypatch.setattr(_aws, "aws", lambda *_: lambda _service: fake)
    alone = check("--stack", "Shop", "--json")
    assert "cdk-streams:StartsAtLatest" in [
        each["id"] for each in json.loads(alone.output)["findings"]
    ]
    path = tmp_path / "template.json"
    path.write_text(json.dumps(with_parameter("TRIM_HORIZON")), encoding="utf-8")
    ids = ("MappingReplaced", "StartsAtLatest")
    compared = check(str(path), "--stack", "Shop").output
    assert [name in compared for name in ids] == [False, True]
    changed = check(str(path), "--stack", "Shop", "--parameter", "Start=TRIM_HORIZON").output
    assert [name in changed for name in ids] == [True, False]


def test_an_unreadable_template_of_a_folder_does_not_hide_the_findings_of_others(
    tmp_path: Path,
) -> None:
    (tmp_path / "Bad.template.json").write_text("{", encoding="utf-8")
    (tmp_path / "Shop.template.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")
    result = check(str(tmp_path))
    assert result.exit_code == 2
    assert "Shop.template.json: Resources.Mapping\n" in result.stdout
    assert "Bad.template.json" in result.stderr
    assert len(result.stderr.splitlines()) == 1
