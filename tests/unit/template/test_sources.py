from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk_streams.template import MappingResource, Unknown, read

Make = Callable[..., dict[str, Any]]

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/{}/stream/2025-05-05T00:00:00.000"


def mapping_of(made: dict[str, Any]) -> MappingResource:
    return read(made).mappings["Mapping"]


def why(made: dict[str, Any]) -> str:
    arn = mapping_of(made).stream_arn
    assert isinstance(arn, Unknown)
    assert arn.refused
    return arn.why


@pytest.mark.parametrize(
    "source",
    [
        {"Fn::GetAtt": "Orders.StreamArn"},
        {"Fn::Sub": "${Orders.StreamArn}"},
        {"Fn::Sub": "${Orders.Arn}/stream/2025-05-05T00:00:00.000"},
        ARN.format("Orders"),
    ],
)
def test_a_stream_of_the_template_is_known_by_its_table(template: Make, source: Any) -> None:
    mapping = mapping_of(template(EventSourceArn=source))
    assert mapping.table == "Orders"
    assert isinstance(mapping.stream_arn, str)


def test_a_stream_of_another_stack_has_its_arn_alone(template: Make) -> None:
    mapping = mapping_of(template(EventSourceArn=ARN.format("Theirs")))
    assert (mapping.table, mapping.stream_arn) == (None, ARN.format("Theirs"))


def test_a_table_without_a_stream_is_named(template: Make) -> None:
    made = template()
    del made["Resources"]["Orders"]["Properties"]["StreamSpecification"]
    told = (
        "Mapping.EventSourceArn: the table Orders has no stream; "
        "give it StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}"
    )
    assert why(made) == told
    made["Resources"]["Mapping"]["Properties"]["EventSourceArn"] = ARN.format("Orders")
    assert why(made) == told


def test_a_simple_table_cannot_have_a_stream(template: Make) -> None:
    made = template()
    made["Resources"]["Orders"] = {"Type": "AWS::Serverless::SimpleTable"}
    assert "has no stream, which an AWS::Serverless::SimpleTable cannot have" in why(made)


@pytest.mark.parametrize(
    ("source", "got"),
    [
        ({"Fn::GetAtt": ["Orders", "Arn"]}, "the ARN of the table Orders"),
        ({"Ref": "Orders"}, "'Orders'"),
        ({"Fn::Sub": "${Orders.Arn}/stream/*"}, "/stream/*', a wildcard that only policies take"),
        ({"Fn::Sub": "${Orders.Arn}/index/By"}, "/index/By'"),
    ],
)
def test_what_is_no_stream_arn_says_what_to_write(template: Make, source: Any, got: str) -> None:
    told = why(template(EventSourceArn=source))
    assert told.startswith("Mapping.EventSourceArn must be the ARN of a DynamoDB stream, got ")
    assert got in told
    assert told.endswith("; write !GetAtt Orders.StreamArn")


def test_a_table_that_is_not_created_is_named(template: Make) -> None:
    made = template()
    made["Resources"]["Orders"]["Condition"] = "IsProd"
    assert why(made) == (
        "Mapping.EventSourceArn: Orders is not created: its Condition IsProd is false"
    )


def test_a_misspelt_attribute_names_the_right_ones(template: Make) -> None:
    assert why(template(EventSourceArn={"Fn::GetAtt": ["Orders", "LatestStreamArn"]})).endswith(
        "Orders has no attribute LatestStreamArn; AWS::DynamoDB::Table has Arn, StreamArn, TableId"
    )


@pytest.mark.parametrize(
    "properties",
    [
        {"EventSourceArn": {"Fn::GetAtt": ["Failures", "Arn"]}},
        {"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"},
        {"EventSourceArn": {"Fn::GetAtt": ["Cluster", "Arn"]}},
        {"EventSourceArn": {"Fn::ImportValue": "QueueArn"}, "StartingPosition": None},
        {"EventSourceArn": {"Ref": "NoDefault"}, "Topics": ["orders"]},
        {"EventSourceArn": None, "SelfManagedEventSource": {}, "Topics": ["orders"]},
    ],
)
def test_a_mapping_of_another_source_is_passed_over(template: Make, properties: Any) -> None:
    made = template(**properties)
    made["Resources"]["Cluster"] = {"Type": "AWS::MSK::Cluster", "Properties": {}}
    assert dict(read(made).mappings) == {}


@pytest.mark.parametrize(
    "source",
    [
        {"Fn::ImportValue": "theirs"},
        "{{resolve:ssm:/shop/stream}}",
        {"Ref": "NoDefault"},
        {"Fn::GetAtt": ["Lookup", "StreamArn"]},
        {"Fn::GetAtt": ["Nested", "Outputs.StreamArn"]},
    ],
)
def test_a_stream_that_only_a_deployment_knows_is_unknown(template: Make, source: Any) -> None:
    made = template(EventSourceArn=source)
    made["Resources"]["Lookup"] = {"Type": "Custom::Lookup", "Properties": {}}
    made["Resources"]["Nested"] = {"Type": "AWS::CloudFormation::Stack", "Properties": {}}
    arn = mapping_of(made).stream_arn
    assert isinstance(arn, Unknown)
    assert not arn.refused
