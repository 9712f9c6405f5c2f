from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from syrupy.assertion import SnapshotAssertion

from examples.every_feature.elsewhere import ElsewhereStack
from examples.every_feature.stack import EveryFeatureStack

Resources = Callable[..., dict[str, Any]]


@pytest.fixture
def every(app: cdk.App) -> EveryFeatureStack:
    return EveryFeatureStack(app, "EveryFeature", region="us-east-1")


@pytest.fixture
def elsewhere(app: cdk.App) -> ElsewhereStack:
    return ElsewhereStack(app, "Elsewhere", region="us-east-1")


def test_every_statement_that_a_role_gets(
    every: EveryFeatureStack,
    elsewhere: ElsewhereStack,
    resources_of: Resources,
    template_snapshot: SnapshotAssertion,
) -> None:
    """One line a right, so that a wider one cannot slip in with a change of something else."""
    assert {
        name: _statements(body["Properties"]["PolicyDocument"])
        for stack in (every, elsewhere)
        for name, body in resources_of(stack, "AWS::IAM::Policy").items()
    } == template_snapshot


def test_every_role(
    every: EveryFeatureStack,
    elsewhere: ElsewhereStack,
    resources_of: Resources,
    template_snapshot: SnapshotAssertion,
) -> None:
    assert {
        name: [
            *_statements(body["Properties"]["AssumeRolePolicyDocument"]),
            *map(_text, body["Properties"].get("ManagedPolicyArns", ())),
        ]
        for stack in (every, elsewhere)
        for name, body in resources_of(stack, "AWS::IAM::Role").items()
    } == template_snapshot


def test_every_statement_of_a_resource(
    every: EveryFeatureStack,
    elsewhere: ElsewhereStack,
    resources_of: Resources,
    template_snapshot: SnapshotAssertion,
) -> None:
    """Policies of queues, topics, buckets, keys and streams; no resource has another kind."""
    found = {
        name: lines
        for stack in (every, elsewhere)
        for name, body in resources_of(stack).items()
        if body["Type"] not in {"AWS::IAM::Policy", "AWS::IAM::Role"}
        if (lines := [each for policy in _policies(body) for each in _statements(policy)])
    }
    assert found == template_snapshot


def _policies(held: Any) -> Iterator[dict[str, Any]]:
    """Find the policy documents anywhere in a resource."""
    if isinstance(held, dict):
        if "Statement" in held:
            yield held
        for each in held.values():
            yield from _policies(each)
    elif isinstance(held, list):
        for each in held:
            yield from _policies(each)


def _statements(document: dict[str, Any]) -> list[str]:
    return [_statement(each) for each in document["Statement"]]


def _statement(held: dict[str, Any]) -> str:
    """`Allow sqs:SendMessage on QueueFailureQueue.Arn by s3.amazonaws.com if …`."""
    parts = [held["Effect"], _text(held["Action"])]
    if "Resource" in held:
        parts += ["on", _text(held["Resource"])]
    if "Principal" in held:
        who = held["Principal"]
        parts += ["by", who if isinstance(who, str) else ", ".join(map(_text, who.values()))]
    for test, values in held.get("Condition", {}).items():
        parts += [f"if {name} {test} {_text(value)}" for name, value in values.items()]
    assert held.keys() <= {"Effect", "Action", "Resource", "Principal", "Condition", "Sid"}
    return " ".join(parts)


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
