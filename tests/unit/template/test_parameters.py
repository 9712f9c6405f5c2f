from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk_streams.errors import TemplateError
from cdk_streams.template import Unknown, read, settings_of

Make = Callable[..., dict[str, Any]]


def kinds(made: dict[str, Any], **options: Any) -> bool:
    stack = read(made, **options)
    return settings_of(stack.mappings["Mapping"]).report_batch_item_failures


def test_a_given_value_stands_in_for_the_default(template: Make) -> None:
    stack = read(template(BatchSize={"Ref": "Size"}), parameters={"Size": 7})
    assert settings_of(stack.mappings["Mapping"]).batch_size == 7


@pytest.mark.parametrize("value", ["ReportBatchItemFailures", ["ReportBatchItemFailures"]])
@pytest.mark.parametrize("kind", ["CommaDelimitedList", "List<String>"])
def test_a_list_may_be_given_as_text(template: Make, value: Any, kind: str) -> None:
    made = template(FunctionResponseTypes={"Ref": "Kinds"})
    made["Parameters"]["Kinds"] = {"Type": kind}
    assert kinds(made, parameters={"Kinds": value})
    made["Parameters"]["Kinds"]["Default"] = value
    assert kinds(made)


@pytest.mark.parametrize("given", [True, "true"])
def test_allowed_values_are_compared_as_text(template: Make, given: Any) -> None:
    made = template(BisectBatchOnFunctionError={"Ref": "Flag"})
    made["Parameters"]["Flag"] = {"Type": "String", "AllowedValues": [True, "false"]}
    stack = read(made, parameters={"Flag": given})
    assert settings_of(stack.mappings["Mapping"]).bisect_batch_on_error


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Sise": 1}, "parameters must be declared by the template, got 'Sise'; it declares Size,"),
        ({"Stage": "test"}, "parameters: the parameter 'Stage' must be one of dev, prod, got 'te"),
        ({"Size": "many"}, "parameters: the parameter 'Size' must be a number, got 'many'"),
        ({"Stage": {"a": 1}}, "parameters: text was expected, got an object"),
    ],
)
def test_a_value_that_cloudformation_refuses_is_refused(
    template: Make, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        read(template(), parameters=parameters)
    assert str(caught.value).startswith(message)


def test_a_value_of_the_parameter_store_has_to_be_given(template: Make) -> None:
    made = template(EventSourceArn={"Ref": "Stream"})
    made["Parameters"]["Stream"] = {
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": "/shop/stream",
    }
    arn = read(made).mappings["Mapping"].stream_arn
    assert isinstance(arn, Unknown)
    assert arn.why == (
        "Mapping.EventSourceArn: the parameter 'Stream' is read from the SSM parameter "
        "'/shop/stream' at deployment; pass its value: parameters={'Stream': …}"
    )
    literal = "arn:aws:dynamodb:us-east-1:123456789012:table/Theirs/stream/2026-01-01T00:00:00.000"
    given = read(made, parameters={"Stream": literal})
    assert given.mappings["Mapping"].stream_arn == literal


def test_text_with_commas_stays_whole_where_text_is_asked_for(template: Make) -> None:
    made = template()
    made["Parameters"]["Words"] = {"Type": "String", "Default": "one, two"}
    environment = {"Variables": {"WORDS": {"Ref": "Words"}}}
    made["Resources"]["Audit"]["Properties"]["Environment"] = environment
    assert read(made).functions["Audit"].environment == {"WORDS": "one, two"}
