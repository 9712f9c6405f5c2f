from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from syrupy.assertion import SnapshotAssertion

from examples.every_feature.stack import EveryFeatureStack

Resources = Callable[..., dict[str, Any]]


@pytest.fixture
def every(app: cdk.App) -> EveryFeatureStack:
    return EveryFeatureStack(app, "EveryFeature", region="us-east-1")


def test_every_statement_that_a_function_gets(
    every: EveryFeatureStack, resources_of: Resources, template_snapshot: SnapshotAssertion
) -> None:
    """One line a right, so that a wider one cannot slip in with a change of something else."""
    shown = {
        name: [
            f"{each['Effect']} {_text(each['Action'])} on {_text(each['Resource'])}"
            for each in body["Properties"]["PolicyDocument"]["Statement"]
        ]
        for name, body in resources_of(every, "AWS::IAM::Policy").items()
    }
    assert shown == template_snapshot


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    ((how, inner),) = value.items()
    if how == "Ref":
        return str(inner)
    return "".join(map(_text, inner[1])) if how == "Fn::Join" else ".".join(inner)


def test_each_mapping_says_what_its_consumer_s_settings_say(
    every: EveryFeatureStack, resources_of: Resources
) -> None:
    mappings = resources_of(every, "AWS::Lambda::EventSourceMapping")
    assert len(mappings) == len(every.consumers)
    for consumer in every.consumers.values():
        name = every.get_logical_id(consumer.event_source_mapping)
        shown = {
            key: value
            for key, value in mappings[name]["Properties"].items()
            if key not in {"EventSourceArn", "FunctionName"}
        }
        told = every.resolve(consumer.settings.to_template())
        assert shown == told | ({"Enabled": {"Ref": "Polls"}} if "Queue" in name[:5] else {})


def test_no_mapping_is_made_before_its_rights(
    every: EveryFeatureStack, resources_of: Resources
) -> None:
    policies = resources_of(every, "AWS::IAM::Policy")
    for body in resources_of(every, "AWS::Lambda::EventSourceMapping").values():
        assert {*body["DependsOn"]} & {*policies}


def test_the_stack_has_no_custom_resource(
    every: EveryFeatureStack, resources_of: Resources
) -> None:
    kinds = {str(body["Type"]) for body in resources_of(every).values()}
    assert not [kind for kind in kinds if kind.startswith("Custom::")]


def test_it_synthesizes_without_an_error(every: EveryFeatureStack) -> None:
    found = assertions.Annotations.from_stack(every)
    assert found.find_error("*", assertions.Match.any_value()) == []
