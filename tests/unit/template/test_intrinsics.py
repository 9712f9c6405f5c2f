from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk_streams.errors import TemplateError
from cdk_streams.template import Unknown, read, settings_of

Make = Callable[..., dict[str, Any]]

QUEUE = "arn:aws:sqs:us-east-1:123456789012:Failures"


def variable(template: Make, value: Any, **options: Any) -> Any:
    """Return what a value becomes as a variable of the function's environment."""
    made = template()
    variables = {"Variables": {"VALUE": value}}
    made["Resources"]["Audit"]["Properties"]["Environment"] = variables
    return read(made, **options).functions["Audit"].environment.get("VALUE")


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (True, "true"),
        (False, "false"),
        (10, "10"),
        (1.5, "1.5"),
        ({"Ref": "Size"}, "2"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "Orders"}, "Orders"),
        ({"Ref": "Failures"}, "https://sqs.us-east-1.amazonaws.com/123456789012/Failures"),
        ({"Fn::GetAtt": "Failures.Arn"}, QUEUE),
        ({"Fn::GetAtt": ["Failures", "Arn"]}, QUEUE),
        ({"Fn::Sub": "${AWS::Region}/${Stage}/${Failures.Arn}"}, f"us-east-1/dev/{QUEUE}"),
        ({"Fn::Sub": ["${A}-${!Literal}", {"A": True}]}, "true-${Literal}"),
        ({"Fn::Sub": "${AWS::NoValue}"}, ""),
        ({"Fn::Join": ["-", ["a", False, 7, {"Ref": "AWS::NoValue"}]]}, "a-false-7"),
        ({"Fn::Join": ["-", {"Ref": "Names"}]}, "one-two"),
        ({"Fn::Select": [1, {"Ref": "Names"}]}, "two"),
        ({"Fn::Select": ["0", {"Fn::Split": [",", "3,5"]}]}, "3"),
        ({"Fn::If": ["IsProd", "p", "d"]}, "d"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Batch"]}, "3"),
        ({"Fn::FindInMap": ["Sizes", "test", "Batch", {"DefaultValue": 7}]}, "7"),
        ({"Fn::ToJsonString": {"a": [1, True, {"Ref": "Stage"}]}}, '{"a":[1,true,"dev"]}'),
        ({"Fn::Length": {"Ref": "Names"}}, "2"),
        ({"Fn::Base64": "dev"}, "ZGV2"),
    ],
)
def test_functions_are_worked_out_and_passed_on_as_text(
    template: Make, value: Any, becomes: str
) -> None:
    assert variable(template, value) == becomes


@pytest.mark.parametrize(
    ("value", "why", "refused"),
    [
        ({"Ref": "Nowhere"}, "nothing in the template is called 'Nowhere'", True),
        ({"Ref": "NoDefault"}, "'NoDefault' has no default; pass parameters=", False),
        ({"Fn::ImportValue": "x"}, "Fn::ImportValue has no answer in the template", False),
        ({"Fn::GetAtt": ["Gone", "Arn"]}, "Fn::GetAtt names 'Gone', which is no resource", True),
        ({"Fn::GetAtt": ["Orders", "Stream"]}, "Orders has no attribute Stream", True),
        ({"Fn::FindInMap": ["Sizes", "test", "Batch"]}, "finds nothing at Sizes.test.Batch", True),
        ({"Fn::If": ["Nope", 1, 2]}, "nothing in Conditions is called 'Nope'", True),
        ({"Fn::Select": [2, ["a", "b"]]}, "Fn::Select asks for item 2 of a list of 2", True),
        ({"Fn::Select": [-1, ["a"]]}, "Fn::Select asks for item -1 of a list of 1", True),
        ({"Fn::Join": ["-"]}, "Fn::Join does not take ['-']", True),
        ({"Fn::Join": [",", "text"]}, "Fn::Join does not take 'text'", True),
        ({"Fn::Sub": ["${A}", {"A": ["a"]}]}, "text was expected, got a list", True),
        ("{{resolve:ssm:/shop/key:1}}", "{{resolve:ssm:/shop/key:1}} is read at deployment", False),
        ({"Fn::Sub": "x-{{resolve:secretsmanager:${Stage}}}"}, "is read at deployment", False),
    ],
)
def test_what_cannot_be_worked_out_is_unknown_with_its_place(
    template: Make, value: Any, why: str, refused: bool
) -> None:
    found = variable(template, value)
    assert isinstance(found, Unknown)
    assert found.why.startswith("Audit.Environment.Variables.VALUE: ")
    assert why in found.why
    assert found.refused is refused
    assert found.reference == value


@pytest.mark.parametrize(
    "value", [{"Ref": "AWS::NoValue"}, {"Fn::If": ["IsProd", "x", {"Ref": "AWS::NoValue"}]}]
)
def test_no_value_leaves_a_property_out(template: Make, value: Any) -> None:
    assert variable(template, value) is None
    made = template(BatchSize=value, FilterCriteria=value, DestinationConfig={"OnFailure": value})
    resources = made["Resources"]
    resources["Orders"]["Properties"] |= {"TableName": value, "TimeToLiveSpecification": value}
    resources["Audit"]["Properties"] |= {
        "FunctionName": value,
        "Timeout": value,
        "MemorySize": value,
        "ReservedConcurrentExecutions": value,
        "Environment": value,
    }
    stack = read(made)
    settings = settings_of(stack.mappings["Mapping"])
    assert (settings.batch_size, settings.filters, settings.on_failure) == (100, (), None)
    assert (stack.tables["Orders"].name, stack.tables["Orders"].ttl) == ("Orders", None)
    audit = stack.functions["Audit"]
    assert (audit.name, audit.timeout_s, audit.memory_mb) == ("Audit", 3, 128)
    assert (audit.reserved_concurrency, audit.environment) == (None, {})


def test_names_in_a_circle_come_to_an_end(template: Make) -> None:
    made = template()
    made["Resources"]["Orders"]["Properties"]["TableName"] = {"Fn::Sub": "${Audit}-table"}
    made["Resources"]["Audit"]["Properties"]["FunctionName"] = {"Fn::Sub": "${Orders}-audit"}
    assert read(made).tables["Orders"].name.startswith("Orders")


def test_another_partition_has_its_own_arns(template: Make) -> None:
    arn = variable(template, {"Fn::GetAtt": ["Failures", "Arn"]}, region="cn-north-1")
    assert arn == "arn:aws-cn:sqs:cn-north-1:123456789012:Failures"


def test_an_unknown_value_raises_when_it_is_needed(template: Make) -> None:
    stack = read(template(BatchSize={"Fn::ImportValue": "size"}))
    with pytest.raises(TemplateError) as caught:
        settings_of(stack.mappings["Mapping"])
    assert str(caught.value) == (
        "Mapping.BatchSize: Fn::ImportValue has no answer in the template; "
        "pass a template where it is a plain value"
    )
