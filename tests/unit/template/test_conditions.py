from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk_streams.template import read

Make = Callable[..., dict[str, Any]]

TRUE: dict[str, Any] = {"Fn::Equals": ["a", "a"]}
FALSE: dict[str, Any] = {"Fn::Equals": ["a", "b"]}
UNKNOWN: dict[str, Any] = {"Fn::Equals": [{"Ref": "NoDefault"}, "a"]}


def absence(template: Make, rule: Any) -> str:
    """Return why the function under the condition is absent; empty: it is created."""
    made = template()
    made["Conditions"]["Rule"] = rule
    made["Resources"]["Audit"]["Condition"] = "Rule"
    absent = read(made).functions["Audit"].absent
    return absent.why if absent else ""


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (True, "true"),
        (1, "1"),
        ({"Ref": "Size"}, 2),
        ({"Ref": "Names"}, ["one", "two"]),
        ({"Fn::FindInMap": ["Sizes", "dev", "Batch"]}, "3"),
        ({"Ref": "AWS::NoValue"}, ""),
    ],
)
def test_values_are_compared_as_text(template: Make, left: Any, right: Any) -> None:
    assert absence(template, {"Fn::Equals": [left, right]}) == ""
    assert absence(template, {"Fn::Equals": [right, left]}) == ""
    assert absence(template, {"Fn::Equals": [left, "True"]}).endswith("Rule is false")


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        (TRUE, True),
        ({"Fn::Not": [TRUE]}, False),
        ({"Fn::Not": [{"Condition": "IsProd"}]}, True),
        ({"Fn::And": [TRUE, FALSE]}, False),
        ({"Fn::Or": [FALSE, TRUE]}, True),
        ({"Condition": "IsProd"}, False),
        # What cannot be decided decides nothing where the other part does.
        ({"Fn::And": [UNKNOWN, FALSE]}, False),
        ({"Fn::Or": [UNKNOWN, TRUE]}, True),
    ],
)
def test_conditions_decide_what_is_created(template: Make, rule: Any, *, holds: bool) -> None:
    expected = "" if holds else "Audit is not created: its Condition Rule is false"
    assert absence(template, rule) == expected


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (UNKNOWN, "Audit.Condition: the parameter 'NoDefault' has no default; pass parameters="),
        ({"Fn::And": [UNKNOWN, TRUE]}, "Audit.Condition: the parameter 'NoDefault'"),
        ({"Condition": "Rule"}, "Audit.Condition: the condition 'Rule' refers to itself"),
        ({"Condition": "Nope"}, "Audit.Condition: nothing in Conditions is called 'Nope'"),
        ("text", "Audit.Condition: text is no condition"),
        ({"Fn::Equals": ["a"]}, "Audit.Condition: {'Fn::Equals': ['a']} is no condition"),
    ],
)
def test_a_condition_that_cannot_be_decided_says_why(template: Make, rule: Any, why: str) -> None:
    assert absence(template, rule).startswith(why)


def test_a_branch_may_be_a_whole_object(template: Make) -> None:
    made = template(FilterCriteria={"Fn::If": ["IsProd", {"Filters": []}, {"Ref": "AWS::NoValue"}]})
    variables = {"Fn::If": ["IsProd", {"MODE": "p"}, {"MODE": "d", "SIZE": {"Ref": "Size"}}]}
    made["Resources"]["Audit"]["Properties"]["Environment"] = {"Variables": variables}
    assert read(made).functions["Audit"].environment == {"MODE": "d", "SIZE": "2"}
