from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk_streams.errors import SettingsError, TemplateError
from cdk_streams.mapping import MappingSettings
from cdk_streams.template import read, settings_of

Make = Callable[..., dict[str, Any]]


def settings(made: dict[str, Any], **options: Any) -> MappingSettings:
    return settings_of(read(made, **options).mappings["Mapping"])


@pytest.mark.parametrize(
    "name",
    [
        {"Ref": "Audit"},
        {"Fn::GetAtt": ["Audit", "Arn"]},
        {"Fn::Sub": "${Audit.Arn}"},
        {"Fn::Sub": ["${Audit.Arn}:${Alias}", {"Alias": "live"}]},
        {"Fn::Sub": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${Audit}"},
        {"Fn::Join": [":", [{"Fn::GetAtt": ["Audit", "Arn"]}, "live"]]},
        {"Ref": "Live"},
        {"Ref": "Version"},
        {"Fn::Sub": "${Stage}-audit"},
        "dev-audit",
        "dev-audit:live",
        "123456789012:function:dev-audit",
        "arn:aws:lambda:eu-west-1:111122223333:function:dev-audit:live",
    ],
)
def test_a_function_may_be_named_in_any_way(template: Make, name: Any) -> None:
    made = template(FunctionName=name)
    resources = made["Resources"]
    resources["Audit"]["Properties"]["FunctionName"] = {"Fn::Sub": "${Stage}-audit"}
    behind = {"FunctionName": {"Ref": "Audit"}}
    resources["Version"] = {"Type": "AWS::Lambda::Version", "Properties": behind}
    resources["Live"] = {"Type": "AWS::Lambda::Alias", "Properties": {**behind, "Name": "live"}}
    assert read(made).mappings["Mapping"].function == "Audit"


@pytest.mark.parametrize(
    "name", [{"Fn::Sub": "${NoDefault}-audit"}, {"Fn::ImportValue": "AuditName"}]
)
def test_the_same_unknown_name_on_both_sides_is_one_function(template: Make, name: Any) -> None:
    made = template(FunctionName=name)
    made["Resources"]["Audit"]["Properties"]["FunctionName"] = name
    assert read(made).mappings["Mapping"].function == "Audit"


def test_a_function_of_another_stack_is_none_of_the_template(template: Make) -> None:
    assert read(template(FunctionName="theirs")).mappings["Mapping"].function is None
    imported = template(FunctionName={"Fn::ImportValue": "theirs"})
    assert read(imported).mappings["Mapping"].function is None


@pytest.mark.parametrize(
    "destination",
    [
        {"Fn::ImportValue": "DeadLetters"},
        {"Fn::GetAtt": ["Nested", "Outputs.QueueArn"]},
        {"Ref": "NoDefault"},
        "{{resolve:ssm:/shop/dead-letters}}",
    ],
)
def test_a_destination_of_another_stack_is_one_of_unknown_name(
    template: Make, destination: Any
) -> None:
    made = template(DestinationConfig={"OnFailure": {"Destination": destination}})
    made["Resources"]["Nested"] = {"Type": "AWS::CloudFormation::Stack", "Properties": {}}
    assert settings(made).on_failure is not None


def test_a_destination_that_is_misspelt_is_refused(template: Make) -> None:
    made = template(DestinationConfig={"OnFailure": {"Destination": {"Fn::GetAtt": "Dql.Arn"}}})
    with pytest.raises(
        TemplateError, match=r"^Mapping\.DestinationConfig\.OnFailure\.Destination: "
    ):
        settings(made)


def test_a_fifo_queue_without_a_name_is_refused_as_one_with_a_name(template: Make) -> None:
    made = template(
        DestinationConfig={"OnFailure": {"Destination": {"Fn::GetAtt": "Failures.Arn"}}}
    )
    made["Resources"]["Failures"]["Properties"] = {"FifoQueue": "true"}
    with pytest.raises(SettingsError, match="Mapping: on_failure must be a standard queue"):
        settings(made)


@pytest.mark.parametrize("value", [True, "true", "True"])
def test_booleans_may_be_text(template: Make, value: Any) -> None:
    made = template(
        BisectBatchOnFunctionError=value, Enabled=str(not value if value is True else "False")
    )
    assert settings(made).bisect_batch_on_error
    assert not settings(made).enabled


def test_a_pattern_may_be_made_by_a_function(template: Make) -> None:
    pattern = {"eventName": ["INSERT"]}
    filters = {"Filters": [{"Pattern": {"Fn::ToJsonString": pattern}}]}
    assert settings(template(FilterCriteria=filters)).filters == ('{"eventName":["INSERT"]}',)


_NO_PROPERTY = "is no property of AWS::Lambda::EventSourceMapping;"


@pytest.mark.parametrize(
    ("properties", "fault"),
    [
        (
            {"FilterCriteria": {"Filters": [{"Pattern": {"eventName": ["INSERT"]}}]}},
            "FilterCriteria.Filters[0].Pattern must be text, got an object;",
        ),
        (
            {"FilterCriteria": {"FiltersToUse": []}},
            f"FilterCriteria.FiltersToUse {_NO_PROPERTY} did you mean Filters?",
        ),
        (
            {"FilterCriteria": {"Filters": [{"pattern": "{}"}]}},
            f"FilterCriteria.Filters[0].pattern {_NO_PROPERTY} did you mean Pattern?",
        ),
        (
            {"MaximumRetries": 3},
            f"MaximumRetries {_NO_PROPERTY} did you mean MaximumRetryAttempts?",
        ),
        ({"Colour": "red"}, f"Colour {_NO_PROPERTY} remove it"),
        (
            {"DestinationConfig": {"OnFailure": {"Arn": "x"}}},
            f"DestinationConfig.OnFailure.Arn {_NO_PROPERTY} remove it",
        ),
        ({"StartingPosition": None}, "StartingPosition must be TRIM_HORIZON or LATEST, got none;"),
        ({"BatchSize": 20_000}, "batch_size must be 1 to 10,000 records, got 20000"),
        (
            {"FunctionResponseTypes": "ReportBatchItemFailures"},
            "FunctionResponseTypes must be a list, got 'ReportBatchItemFailures'",
        ),
    ],
)
def test_what_cloudformation_refuses_is_refused(
    template: Make, properties: dict[str, Any], fault: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(template(**properties))
    assert caught.value.faults[0].startswith(f"Mapping: {fault}")


def test_all_faults_of_a_mapping_are_told_at_once(template: Make) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(template(StartingPosition=None, Colour="red", BatchSize=0))
    assert len(caught.value.faults) == 3


def test_a_sam_event_is_a_mapping_by_sams_own_name(template: Make) -> None:
    made = template()
    made["Resources"]["Audit"] = {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "Events": {
                "Api": {"Type": "Api", "Properties": {}},
                "Changes": {
                    "Type": "DynamoDB",
                    "Properties": {
                        "Stream": {"Fn::GetAtt": ["Orders", "StreamArn"]},
                        "StartingPosition": "LATEST",
                        "BatchSize": "25",
                        "DestinationConfig": {
                            "OnFailure": {
                                "Type": "SQS",
                                "Destination": {"Fn::GetAtt": ["Failures", "Arn"]},
                            }
                        },
                    },
                },
            },
        },
    }
    mapping = read(made).mappings["AuditChanges"]
    assert (mapping.function, mapping.table) == ("Audit", "Orders")
    assert mapping.place == "Resources.Audit.Properties.Events.Changes"
    assert settings_of(mapping).batch_size == 25


def test_a_mapping_whose_condition_is_false_says_so(template: Make) -> None:
    made = template()
    made["Resources"]["Mapping"]["Condition"] = "IsProd"
    absent = read(made).mappings["Mapping"].absent
    assert absent is not None
    assert absent.why == "Mapping is not created: its Condition IsProd is false"
    assert read(made, parameters={"Stage": "prod"}).mappings["Mapping"].absent is None
