"""Encoding: the inverse of decoding, and what DynamoDB cannot hold."""

from __future__ import annotations

import decimal
from collections import OrderedDict
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from lambda_runtime import AttributeValueError, Item, decode, encode


class Status(StrEnum):
    PAID = "paid"


class Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", {"S": "text"}),
        ("", {"S": ""}),
        (Status.PAID, {"S": "paid"}),
        (5, {"N": "5"}),
        (Level.HIGH, {"N": "3"}),
        (Decimal("12.50"), {"N": "12.50"}),
        (Decimal("1E+2"), {"N": "1E+2"}),
        (10**38 - 1, {"N": "9" * 38}),
        (10**125, {"N": "1." + "0" * 37 + "E+125"}),
        (b"hello", {"B": "aGVsbG8="}),
        (bytearray(b""), {"B": ""}),
        (True, {"BOOL": True}),
        (None, {"NULL": True}),
        ({"b", "a"}, {"SS": ["a", "b"]}),
        (frozenset({Decimal("2.5"), 1}), {"NS": ["1", "2.5"]}),
        ({b"foo", b"bar"}, {"BS": ["YmFy", "Zm9v"]}),
        ({"a": 1}.keys(), {"SS": ["a"]}),
        ([], {"L": []}),
        (("a", [None]), {"L": [{"S": "a"}, {"L": [{"NULL": True}]}]}),
        ({}, {"M": {}}),
        (OrderedDict(a={"b": False}), {"M": {"a": {"M": {"b": {"BOOL": False}}}}}),
        (Item({"pk": {"N": "1.0"}}), {"M": {"pk": {"N": "1.0"}}}),
    ],
)
def test_each_python_value_becomes_its_type(value: object, expected: dict[str, Any]) -> None:
    encoded = encode(value)

    assert encoded == expected
    assert {type(content) for content in encoded.values()} <= {str, bool, list, dict}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, '$: got a float, expected Decimal(str(x)); numbers="float" accepts it'),
        ({"a": [1, 2.5]}, "$.a[1]: got a float"),
        (Decimal("NaN"), "$: NaN and Infinity are no DynamoDB numbers"),
        (Decimal("sNaN"), "$: NaN and Infinity are no DynamoDB numbers"),
        (Decimal("-Infinity"), "$: NaN and Infinity are no DynamoDB numbers"),
        (10**39 + 1, "$: the number is outside DynamoDB's, expected at most 38 digits"),
        (10**126, "$: the number is outside DynamoDB's"),
        ([10**5000], "$[0]: the number is outside DynamoDB's"),
        (Decimal("1E-131"), "$: the number is outside DynamoDB's"),
        (Decimal("0E-500"), "$: the number is outside DynamoDB's"),
        (Decimal("1." + "1" * 38), "$: the number is outside DynamoDB's"),
        (set(), "$: the set is empty, and DynamoDB has no empty sets; leave it out"),
        ({"a": frozenset()}, "$.a: the set is empty"),
        ({"x", 1}, "$: the set mixes N and S, expected members of one type"),
        ({True}, "$: cannot encode a bool"),
        ({None}, "$: cannot encode nothing"),
        ({("a",)}, "$: cannot encode a tuple"),
        ({1: "a"}, "$: a key is of type int, expected str"),
        ({"a": {None: 1}}, "$.a: a key is of type NoneType, expected str"),
        (date(2026, 1, 1), "$: cannot encode a date, expected str, bytes, bool, None"),
        (object(), "$: cannot encode an object"),
    ],
)
def test_what_dynamodb_cannot_hold_is_refused_with_its_path(value: object, message: str) -> None:
    with pytest.raises(AttributeValueError) as caught:
        encode(value)

    assert str(caught.value).startswith(message)


def test_floats_are_encoded_by_their_shortest_text_on_request() -> None:
    assert encode([0.1, 1e100, {2.5}], numbers="float") == {
        "L": [{"N": "0.1"}, {"N": "1E+100"}, {"NS": ["2.5"]}]
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e-200, 1e300])
def test_floats_that_dynamodb_cannot_hold_are_refused_even_on_request(value: float) -> None:
    with pytest.raises(AttributeValueError):
        encode(value, numbers="float")


def test_binaries_stay_bytes_for_a_boto3_client_on_request() -> None:
    encoded = encode({"b": b"hi", "s": {b"x"}}, binary="bytes")

    assert encoded == {"M": {"b": {"B": b"hi"}, "s": {"BS": [b"x"]}}}
    assert decode(encoded) == {"b": b"hi", "s": frozenset({b"x"})}


def test_numbers_are_exact_whatever_the_decimal_context() -> None:
    number = Decimal("12345678901234567890.123456789012345678")
    for ambient in (decimal.Context(prec=2, traps=[decimal.Inexact]), decimal.Context(capitals=0)):
        with decimal.localcontext(ambient):
            assert encode([number, Decimal("1E+9")]) == {"L": [{"N": str(number)}, {"N": "1E+9"}]}


def test_nesting_beyond_pythons_stack_is_a_fault_of_the_value() -> None:
    value: list[Any] = []
    for _ in range(50_000):
        value = [value]

    with pytest.raises(AttributeValueError, match="DynamoDB nests at most 32 levels"):
        encode(value)


def test_an_unknown_binary_form_is_refused() -> None:
    with pytest.raises(ValueError, match="binary must be one of base64 bytes, got 'hex'"):
        encode("a", binary="hex")  # type: ignore[arg-type]
