"""Parsing: which events are stream events, and what is said about the others."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from lambda_runtime import EventError, Insert, Modify, Remove, parse


def make_record(event_name: str = "MODIFY", **stream: Any) -> dict[str, Any]:
    """Make a record; keyword arguments are members of its `dynamodb`."""
    return {"eventName": event_name, "eventSource": "aws:dynamodb", "dynamodb": stream}


def test_each_event_name_becomes_its_change() -> None:
    names = ["INSERT", "MODIFY", "REMOVE", "MODIFY"]

    changes = parse({"Records": [make_record(name) for name in names]})

    assert [type(change) for change in changes] == [Insert, Modify, Remove, Modify]


def test_no_records_give_no_changes() -> None:
    assert parse({"Records": []}) == []
    assert parse({"Records": [], "state": {}, "isFinalInvokeForWindow": True}) == []


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (None, '$: got nothing, expected a DynamoDB stream event {"Records": […]}'),
        ("{}", "$: got a str, expected a DynamoDB stream event"),
        ({}, "$: got an object without Records, expected a DynamoDB stream event"),
        ({"body": 1}, "$: got an object without Records"),
        ({"detail": {}}, "$.detail: got an object that is no change, expected an event of"),
        ({"Records": None}, "$.Records: got nothing, expected an array of records"),
        ({"Records": {}}, "$.Records: got a dict, expected an array of records"),
        ({"Records": ["x"]}, "$.Records[0]: got a str, expected a record"),
        ({"Records": [None]}, "$.Records[0]: got nothing, expected a record"),
        ({"Records": [{}]}, "$.Records[0].eventName: got nothing, expected one of INSERT MODIFY"),
        (
            {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
            "$.Records[0].body: got an object that is no change, expected an event of",
        ),
        (
            {"Records": [{"eventSource": "aws:sqs", "body": "hello"}]},
            "$.Records[0].body: got text that is no JSON, expected an event of",
        ),
        (
            {"Records": [{"eventSource": "aws:sqs"}]},
            "$.Records[0].eventSource: got 'aws:sqs', expected 'aws:dynamodb'",
        ),
        (
            {"Records": [{"EventSource": "aws:sns", "Sns": {}}]},
            "$.Records[0].Sns: got an object that is no change, expected an event of",
        ),
        (
            {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]},
            "$.Records[0].eventSource: got 'aws:s3', expected 'aws:dynamodb'",
        ),
        (
            {"Records": [{"eventSource": "aws:kinesis", "kinesis": {}}]},
            "$.Records[0].kinesis: got an object that is no change, expected an event of",
        ),
    ],
)
def test_an_event_of_something_else_is_refused(event: Any, message: str) -> None:
    with pytest.raises(EventError) as caught:
        parse(event)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"eventName": "INSRT"}, "eventName: got 'INSRT', expected one of INSERT MODIFY REMOVE"),
        ({"eventName": None}, "eventName: got nothing, expected one of INSERT MODIFY REMOVE"),
        ({"eventName": ["INSERT"]}, "eventName: got a list, expected one of"),
        ({"dynamodb": None}, "dynamodb: got nothing, expected the change's keys and images"),
        ({"dynamodb": []}, "dynamodb: got a list, expected the change's keys and images"),
    ],
)
def test_the_first_bad_record_is_named_by_its_place(replaced: dict[str, Any], message: str) -> None:
    event = {"Records": [make_record(), make_record() | replaced, {}]}

    with pytest.raises(EventError) as caught:
        parse(event)

    assert str(caught.value).startswith(f"$.Records[1].{message}")
    assert caught.value.path.startswith("$.Records[1].")


def test_parsing_decodes_nothing_so_a_bad_attribute_fails_only_who_reads_it() -> None:
    (change,) = parse({"Records": [make_record(NewImage={"good": {"S": "a"}, "bad": {"X": 1}})]})

    assert change.new["good"] == "a"


def test_reading_never_changes_the_event() -> None:
    new = {"tags": {"L": [{"S": "a"}]}, "n": {"N": "1"}}
    event = {"Records": [make_record(OldImage={}, NewImage=new)]}
    before = copy.deepcopy(event)

    (change,) = parse(event)
    assert isinstance(change, Modify)
    change.new["tags"].append("b")
    change.new.to_dict().clear()
    change.changes()

    assert event == before


def test_the_number_policy_holds_for_keys_and_images() -> None:
    numbers = {"n": {"N": "2"}, "x": {"N": "2.5"}}
    event = {"Records": [make_record(Keys=numbers, NewImage=numbers, OldImage=numbers)]}

    for policy, expected in (("decimal", "Decimal"), ("int", "int"), ("float", "float")):
        (change,) = parse(event, numbers=policy)  # type: ignore[arg-type]
        for item in (change.keys, change.new, change.old):
            assert type(item["n"]).__name__ == expected
            assert type(item.to_dict()["n"]).__name__ == expected
            assert item["x"] == Decimal("2.5")


def test_an_unknown_number_policy_is_refused_before_the_event_is_read() -> None:
    with pytest.raises(ValueError, match="numbers must be one of decimal int float"):
        parse(None, numbers="double")  # type: ignore[arg-type]


def test_a_record_written_by_hand_may_leave_its_source_out() -> None:
    record = {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "a"}}}}
    assert parse({"Records": [record]})[0].keys["pk"] == "a"
