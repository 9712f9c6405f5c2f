"""examples/pipeline: what each stage gets, and what stops a bad setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from examples.pipeline.app import PRODUCTION, TEST, PipelineStack

Resources = Callable[..., dict[str, Any]]
Templates = dict[str, dict[str, Any]]


@pytest.fixture
def stages(app: cdk.App) -> Templates:
    """Return the template of each stage's stack, by the account that it goes to."""
    stack = PipelineStack(app, "Pipeline")
    return {
        shop.account: dict(assertions.Template.from_stack(shop).to_json())
        for stage in stack.node.children
        if isinstance(stage, cdk.Stage)
        for shop in stage.node.children
        if isinstance(shop, cdk.Stack)
    }


def resources(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: each for name, each in template["Resources"].items() if each["Type"] == kind}


def test_both_accounts_get_the_same_consumer(stages: Templates) -> None:
    test, production = (
        resources(stages[each.account or ""], "AWS::Lambda::EventSourceMapping")
        for each in (TEST, PRODUCTION)
    )
    assert test.keys() == production.keys()
    assert len(test) == 1


def test_production_keeps_failed_records_and_pages_somebody(stages: Templates) -> None:
    test, production = stages[TEST.account or ""], stages[PRODUCTION.account or ""]
    assert len(resources(production, "AWS::S3::Bucket")) == 1
    assert resources(test, "AWS::S3::Bucket") == {}
    paging = [
        bool(each["Properties"].get("AlarmActions"))
        for template in (production, test)
        for each in resources(template, "AWS::CloudWatch::Alarm").values()
    ]
    assert paging == [True, True, False, False]


def test_the_pipeline_runs_the_tests_and_a_strict_synthesis(
    app: cdk.App, resources_of: Resources
) -> None:
    stack = PipelineStack(app, "Pipeline")
    projects = resources_of(stack, "AWS::CodeBuild::Project").values()
    specs = [each["Properties"]["Source"].get("BuildSpec", "{}") for each in projects]
    commands = [
        json.loads(each).get("phases", {}).get("build", {}).get("commands", [])
        for each in specs
        if isinstance(each, str)
    ]
    assert ["pytest", "cdk synth --strict"] in commands


def test_production_waits_for_an_approval(app: cdk.App, resources_of: Resources) -> None:
    stack = PipelineStack(app, "Pipeline")
    (pipeline,) = resources_of(stack, "AWS::CodePipeline::Pipeline").values()
    names = [each["Name"] for each in pipeline["Properties"]["Stages"]]
    assert names.index("Test") < names.index("Production")
    (production,) = (
        each for each in pipeline["Properties"]["Stages"] if each["Name"] == "Production"
    )
    first = min(production["Actions"], key=lambda action: action["RunOrder"])
    assert first["ActionTypeId"]["Category"] == "Approval"
