"""JSON text: what each value becomes, and that no digit is lost."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from lambda_runtime import AttributeValueError, Item, parse, to_json


class Status(StrEnum):
    PAID = "paid"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", '"plain"'),
        ('quote " and \\ and \n and \u00e9 and \U0001f600', None),
        ("\ud800", '"\\ud800"'),
        (Status.PAID, '"paid"'),
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (10**30, "1" + "0" * 30),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+125"), "1E+125"),
        (
            Decimal("-0.1234567890123456789012345678901234567"),
            "-0.1234567890123456789012345678901234567",
        ),
        (1.5, "1.5"),
        (b"hello", '"aGVsbG8="'),
        (bytearray(), '""'),
        (frozenset({"b", "a"}), '["a","b"]'),
        (frozenset({Decimal(10), Decimal(9)}), "[9,10]"),
        (frozenset({b"b", b"a"}), '["YQ==","Yg=="]'),
        ([], "[]"),
        (("a", [None]), '["a",[null]]'),
        ({}, "{}"),
        ({"a b": {"c": [True]}, "": 1}, '{"a b":{"c":[true]},"":1}'),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC), '"2026-01-02T03:04:05.000006+00:00"'),
        (dt.date(2026, 1, 2), '"2026-01-02"'),
        (Item({"pk": {"S": "a"}, "b": {"B": "aGk="}}), '{"pk":"a","b":"aGk="}'),
    ],
)
def test_each_value_becomes_its_json(value: Any, text: str | None) -> None:
    written = to_json(value)

    assert written == (text or json.dumps(value))
    assert written.isascii()
    json.loads(written)


def test_every_digit_survives_a_reader_that_keeps_them() -> None:
    numbers = [Decimal("1." + "2" * 37), Decimal("9" * 38), Decimal("1E-130"), Decimal("-9.9E+125")]
    with decimal.localcontext(decimal.Context(prec=3)):
        written = to_json(numbers)

    assert json.loads(written, parse_float=Decimal, parse_int=Decimal) == numbers


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Decimal("NaN"), "JSON has no NaN"),
        (Decimal("NaN12"), "JSON has no NaN"),
        (Decimal("-Infinity"), "JSON has no NaN"),
        (float("nan"), "JSON has no NaN"),
        ([float("inf")], "JSON has no NaN"),
        ({1: "a"}, "a key is an int, expected str"),
        ({"a": object()}, "cannot write an object as JSON"),
        ({"a", 1}, "the set mixes types"),
    ],
)
def test_what_json_cannot_hold_is_refused(value: object, message: str) -> None:
    with pytest.raises(AttributeValueError, match=message):
        to_json(value)


def test_nesting_beyond_pythons_stack_is_refused() -> None:
    value: list[Any] = []
    for _ in range(50_000):
        value = [value]

    with pytest.raises(AttributeValueError, match="nested deeper"):
        to_json(value)


@pytest.mark.parametrize("arn", ["eventsource_arn", "stream-ARN", "arn:aws:dynamodb:x", ""])
def test_a_change_from_a_placeholder_arn_has_no_table(arn: str) -> None:
    record = {
        "eventName": "REMOVE",
        "eventSourceARN": arn,
        "dynamodb": {"Keys": {"pk": {"S": "a"}}},
    }
    (change,) = parse({"Records": [record]})
    assert json.loads(to_json(change)) == {"event": "REMOVE", "keys": {"pk": "a"}}


def test_a_change_becomes_what_its_record_has() -> None:
    image = {"pk": {"S": "a"}, "n": {"N": "1.50"}}
    full = {
        "eventName": "REMOVE",
        "eventID": "id-1",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026",
        "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
        "dynamodb": {
            "ApproximateCreationDateTime": 1789654328.25,
            "Keys": {"pk": {"S": "a"}},
            "OldImage": image,
            "SequenceNumber": "100",
        },
    }
    bare = {"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": {"NewImage": image}}
    first, second = parse({"Records": [full, bare]})

    assert to_json(first) == (
        '{"event":"REMOVE","table":"Orders","user_identity":{"type":"Service",'
        '"principal_id":"dynamodb.amazonaws.com"},"event_id":"id-1","sequence_number":"100",'
        '"created_at":"2026-09-17T14:12:08.250000+00:00","keys":{"pk":"a"},'
        '"old":{"pk":"a","n":1.50}}'
    )
    assert to_json([second]) == '[{"event":"MODIFY","new":{"pk":"a","n":1.50}}]'
