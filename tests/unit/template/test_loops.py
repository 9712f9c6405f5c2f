from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cdk_streams.template import read, settings_of

Make = Callable[..., dict[str, Any]]


def looped(template: Make, collection: Any) -> dict[str, Any]:
    made = template()
    mapping = made["Resources"].pop("Mapping")["Properties"]
    made["Resources"]["Fn::ForEach::Consumers"] = [
        "Name",
        collection,
        {
            "${Name}Fn": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"FunctionName": {"Fn::Sub": "shop-${Name}"}},
            },
            "${Name}Map": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {**mapping, "FunctionName": {"Fn::GetAtt": ["${Name}Fn", "Arn"]}},
            },
        },
    ]
    return made


def test_a_loop_is_written_out(template: Make) -> None:
    stack = read(looped(template, ["Audit2", {"Ref": "Stage"}]))
    assert {name: each.name for name, each in stack.functions.items()} == {
        "Audit": "Audit",
        "Audit2Fn": "shop-Audit2",
        "devFn": "shop-dev",
    }
    assert [each.function for each in stack.mappings.values()] == ["Audit2Fn", "devFn"]


def test_a_loop_may_run_over_a_parameter(template: Make) -> None:
    assert list(read(looped(template, {"Ref": "Names"})).mappings) == ["oneMap", "twoMap"]


def test_a_loop_over_what_nobody_knows_makes_nothing(template: Make) -> None:
    assert list(read(looped(template, {"Fn::ImportValue": "names"})).mappings) == []


def test_loops_may_be_nested_and_stand_in_properties(template: Make) -> None:
    made = template()
    made["Resources"]["Audit"]["Properties"]["Environment"] = {
        "Variables": {
            "Fn::ForEach::Outer": [
                "A",
                ["x", "y"],
                {"Fn::ForEach::Inner": ["B", ["1.0", "2"], {"&{A}&{B}": {"Ref": "A"}}]},
            ]
        }
    }
    variables = read(made).functions["Audit"].environment
    assert variables == {"x10": "x", "x2": "x", "y10": "y", "y2": "y"}


def test_conditions_may_be_made_by_a_loop(template: Make) -> None:
    made = template(BatchSize={"Fn::If": ["Isdev", 5, 6]})
    equals = {"Fn::Equals": [{"Ref": "Stage"}, {"Ref": "Name"}]}
    made["Conditions"]["Fn::ForEach::Stages"] = ["Name", ["dev"], {"Is${Name}": equals}]
    assert settings_of(read(made).mappings["Mapping"]).batch_size == 5
