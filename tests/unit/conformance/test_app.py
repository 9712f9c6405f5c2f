"""The stack of the kit: disabled mappings with each question's settings, and nothing that stays."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App

from cdk_streams.capacity import Prices as LambdaPrices
from cdk_streams.mapping import MappingSettings
from conformance import handler as shipped
from conformance.app import ConformanceStack
from conformance.plan import Prices, plan_of
from conformance.question import STACK
from conformance.questions import QUESTIONS


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = App(outdir=str(tmp_path_factory.mktemp("conformance")))
    ConformanceStack(app, STACK, QUESTIONS)
    app.synth()
    return Path(app.outdir)


@pytest.fixture(scope="module")
def resources(synthesized: Path) -> dict[str, Any]:
    template = json.loads((synthesized / f"{STACK}.template.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = template["Resources"]
    return found


def of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in resources.values() if each["Type"] == kind]


def test_each_question_has_a_disabled_mapping_with_its_settings(resources: dict[str, Any]) -> None:
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping")
    assert len(mappings) == len(QUESTIONS)
    for question, mapping in zip(QUESTIONS, mappings, strict=True):
        properties = mapping["Properties"]
        assert properties["Enabled"] is False
        wanted = question.scenario.settings.to_template()
        got = MappingSettings.from_template(properties).to_template()
        assert properties["MetricsConfig"] == {"Metrics": ["EventCount"]}
        for name in ("Enabled", "DestinationConfig", "MetricsConfig"):
            wanted.pop(name, None)
            got.pop(name, None)
        assert got == wanted, question.name


def test_the_plan_counts_the_resources(resources: dict[str, Any]) -> None:
    made = [each for each in resources.values() if each["Type"] != "AWS::CDK::Metadata"]
    assert len(made) == plan_of(QUESTIONS).resources


def test_nothing_outlives_the_stack(resources: dict[str, Any]) -> None:
    assert {each.get("DeletionPolicy", "Delete") for each in resources.values()} == {"Delete"}


def test_a_role_reads_its_stream_and_sends_failures(
    resources: dict[str, Any],
) -> None:
    statements = [
        statement
        for policy in of_type(resources, "AWS::IAM::Policy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    actions = {
        action
        for each in statements
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    }
    assert actions <= {
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
        "sqs:SendMessage",
    }
    assert all(each["Resource"] != "*" for each in statements)


@pytest.mark.pinned  # cfn-lint is not among the packages of the other environments.
def test_the_template_lints(tmp_path: Path) -> None:
    # One of each kind of setting: the others' resources differ in nothing that a linter reads.
    asked = [each for each in QUESTIONS if each.name in {"partial_bisect", "filter", "window"}]
    app = App(outdir=str(tmp_path))
    ConformanceStack(app, STACK, asked)
    app.synth()
    lint = shutil.which("cfn-lint", path=str(Path(sys.executable).parent))
    assert lint is not None
    ran = subprocess.run(  # noqa: S603 - our own environment's command
        [lint, str(tmp_path / f"{STACK}.template.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_the_asset_runs_without_this_project(synthesized: Path) -> None:
    (asset,) = {each.parent for each in synthesized.rglob("handler.py")}
    code = f"import sys; sys.path.insert(0, {str(asset)!r}); import handler"
    ran = subprocess.run(  # noqa: S603 - this Python
        [
            sys.executable,
            "-I",
            "-c",
            code,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": os.environ["PATH"]},
    )
    assert ran.returncode == 0, ran.stderr


def test_each_call_is_logged_although_it_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLAN", json.dumps({"bad": [1], "how": "raise"}))
    record = {"dynamodb": {"SequenceNumber": "700", "NewImage": {"ordinal": {"N": "1"}}}}
    with pytest.raises(ValueError, match="record 1 is bad"):
        shipped.handler({"Records": [record]}, SimpleNamespace(aws_request_id="r-1"))
    line = json.loads(capsys.readouterr().out)
    assert (line["request_id"], line["sequence_numbers"]) == ("r-1", ["700"])
    assert line["began_ms"] <= line["ended_ms"]
    assert line["window"] is None


def test_the_plan_bounds_what_a_run_costs() -> None:
    plan = plan_of(QUESTIONS)
    assert plan.questions == len(QUESTIONS)
    assert 0 < plan.dollars < 10
    dearer = plan_of(QUESTIONS, Prices(functions=LambdaPrices(per_million_requests=1e6)))
    assert dearer.dollars >= plan.calls
    assert f"less than ${plan.dollars:.2f}" in plan.text()
