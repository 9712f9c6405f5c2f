"""Decoding: what each of the ten types becomes, and what is refused with its path."""

from __future__ import annotations

import copy
import decimal
from decimal import Decimal
from typing import Any

import pytest

from lambda_runtime import AttributeValueError, decode

THIRTY_EIGHT = "12345678901234567890123456789012345678"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"S": "text"}, "text"),
        ({"S": ""}, ""),
        ({"N": "12.50"}, Decimal("12.50")),
        ({"N": "-0"}, Decimal(0)),
        ({"N": "1E-130"}, Decimal("1E-130")),
        ({"N": "9.9999999999999999999999999999999999999E+125"}, Decimal("9." + "9" * 37 + "E125")),
        ({"N": "1" + "0" * 125}, Decimal("1E125")),
        ({"B": "aGVsbG8="}, b"hello"),
        ({"B": ""}, b""),
        ({"B": b"hello"}, b"hello"),
        ({"B": bytearray(b"hello")}, b"hello"),
        ({"BOOL": True}, True),
        ({"BOOL": False}, False),
        ({"NULL": True}, None),
        ({"SS": ["b", "a"]}, frozenset({"a", "b"})),
        ({"NS": ["1", "2.5"]}, frozenset({Decimal(1), Decimal("2.5")})),
        ({"BS": ["Zm9v", "YmFy"]}, frozenset({b"foo", b"bar"})),
        ({"L": []}, []),
        ({"L": [{"S": "a"}, {"N": "1"}, {"L": [{"NULL": True}]}]}, ["a", Decimal(1), [None]]),
        ({"M": {}}, {}),
        ({"M": {"a": {"M": {"b": {"BOOL": True}}}}}, {"a": {"b": True}}),
    ],
)
def test_each_type_becomes_its_python_value(value: dict[str, Any], expected: object) -> None:
    decoded = decode(value)

    assert decoded == expected
    assert type(decoded) is type(expected)


@pytest.mark.parametrize(
    "text",
    [THIRTY_EIGHT, f"-{THIRTY_EIGHT}", f"0.{THIRTY_EIGHT}", f"{THIRTY_EIGHT[:20]}.5", "12.50"],
)
@pytest.mark.parametrize(
    "ambient",
    [
        decimal.Context(prec=3),
        decimal.Context(prec=3, traps=[decimal.Inexact, decimal.Rounded, decimal.FloatOperation]),
        decimal.Context(prec=50, Emax=2, Emin=-2, traps=[decimal.Overflow]),
        decimal.Context(prec=3, traps=[]),
    ],
    ids=["short", "trapping", "narrow", "trapless"],
)
def test_numbers_are_exact_whatever_the_handlers_decimal_context(
    text: str, ambient: decimal.Context
) -> None:
    with decimal.localcontext(ambient):
        number = decode({"N": text})

    assert number.as_tuple() == Decimal(text).as_tuple()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        " 1",
        "1 ",
        "1_000",
        "1,5",
        "0x10",
        "\u0661",
        "1E126",
        "1E-131",
        THIRTY_EIGHT + "1",
    ],
)
def test_text_that_is_no_dynamodb_number_is_refused_whatever_the_context(text: str) -> None:
    for ambient in (decimal.DefaultContext, decimal.Context(traps=[])):
        with decimal.localcontext(ambient), pytest.raises(AttributeValueError, match="no DynamoDB"):
            decode({"N": text})
        with pytest.raises(AttributeValueError, match=r"^\$\[1\]: NS holds"):
            decode({"NS": ["1", text]})


def test_more_than_38_digits_are_taken_when_the_rest_are_zeros() -> None:
    assert decode({"N": THIRTY_EIGHT + "000"}) == Decimal(THIRTY_EIGHT + "000")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "$: got nothing, expected a typed value"),
        ("text", "$: got a str, expected a typed value"),
        ({}, "$: got 0 attribute types (none), expected exactly one"),
        ({"S": "a", "N": "1"}, "$: got 2 attribute types (S N), expected exactly one"),
        (
            {"X": "a"},
            "$: unknown attribute type 'X', expected one of S N B SS NS BS M L BOOL NULL",
        ),
        ({"s": "a"}, "$: unknown attribute type 's', expected one of"),
        ({"S": 1}, "$: S holds an int, expected text"),
        ({"S": None}, "$: S holds nothing, expected text"),
        ({"N": 1}, "$: N holds an int, expected text"),
        ({"N": 1.5}, "$: N holds a float, expected text"),
        ({"N": True}, "$: N holds a bool, expected text"),
        ({"B": 1}, "$: B holds an int, expected text"),
        ({"B": "aGVsbG8"}, "$: B holds text of 7 characters that is no base64"),
        ({"B": "aGVs bG8="}, "$: B holds text of 9 characters that is no base64"),
        ({"B": "\u00e9\u00e9\u00e9\u00e9"}, "$: B holds text of 4 characters that is no base64"),
        ({"BOOL": "true"}, "$: BOOL holds a str, expected a boolean"),
        ({"BOOL": 1}, "$: BOOL holds an int, expected a boolean"),
        ({"NULL": False}, "$: NULL holds a bool, expected true"),
        ({"SS": "ab"}, "$: SS holds a str, expected an array"),
        ({"SS": []}, "$: SS is empty, and DynamoDB has no empty sets"),
        ({"SS": ["a", "a"]}, "$: SS holds one member twice"),
        ({"NS": ["1", "1.0"]}, "$: NS holds one member twice"),
        ({"SS": ["a", 1]}, "$[1]: SS holds an int, expected text"),
        ({"BS": ["Zm9v", "!"]}, "$[1]: BS holds text of 1 characters that is no base64"),
        ({"L": {"S": "a"}}, "$: L holds a dict, expected an array of typed values"),
        ({"M": [1]}, "$: M holds a list, expected an object of typed values"),
        ({"M": {"a": {"L": [{"S": "x"}, {"M": {"b": {"Q": 1}}}]}}}, "$.a[1].b: unknown attribute"),
        ({"M": {"a b": {"L": ["x"]}}}, "$['a b'][0]: got a str, expected a typed value"),
        ({"M": {"a": {"b": {"S": "x"}}}}, "$.a: unknown attribute type 'b', expected one of"),
    ],
)
def test_what_is_no_typed_value_is_refused_with_its_path(value: Any, message: str) -> None:
    with pytest.raises(AttributeValueError) as caught:
        decode(value)

    assert str(caught.value).startswith(message)


def test_an_error_never_shows_an_attributes_value() -> None:
    secret = "hunter2-hunter2-hunter2"  # noqa: S105 - stands for somebody's data
    for value in ({"N": secret}, {"B": secret}, {"BOOL": secret}, {"SS": [secret, secret]}):
        with pytest.raises(AttributeValueError) as caught:
            decode(value)

        assert "hunter" not in f"{caught.value} {caught.value!r}"


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "deep"}
    for level in range(levels):
        value = {"L": [value]} if level % 2 else {"M": {"a": value}}
    return value


def test_dynamodbs_deepest_nesting_is_decoded() -> None:
    decoded = decode(nested(32))
    for level in reversed(range(32)):
        decoded = decoded[0] if level % 2 else decoded["a"]

    assert decoded == "deep"


def test_nesting_beyond_pythons_stack_is_a_fault_of_the_value() -> None:
    with pytest.raises(AttributeValueError, match="DynamoDB nests at most 32 levels"):
        decode(nested(50_000))


def test_decoding_leaves_its_argument_alone() -> None:
    value = {"M": {"a": {"L": [{"SS": ["x", "y"]}]}, "b": {"N": "1"}}}
    before = copy.deepcopy(value)

    decode(value)["a"].append("more")

    assert value == before


@pytest.mark.parametrize(
    ("text", "as_int", "as_float"),
    [
        ("3", 3, 3.0),
        ("3.0", 3, 3.0),
        ("1E+2", 100, 100.0),
        ("2.5", Decimal("2.5"), 2.5),
        ("1.10", Decimal("1.10"), 1.1),
        ("9007199254740993", 9007199254740993, 9007199254740992.0),
        ("-1E+125", -(10**125), -1e125),
        ("1E-130", Decimal("1E-130"), 1e-130),
    ],
)
def test_the_number_policy_decides_what_numbers_become(
    text: str, as_int: int | Decimal, as_float: float
) -> None:
    for numbers, expected in (("int", as_int), ("float", as_float), ("decimal", Decimal(text))):
        decoded = decode({"L": [{"N": text}, {"NS": [text]}]}, numbers=numbers)  # type: ignore[arg-type]

        assert decoded == [expected, frozenset({expected})]
        assert type(decoded[0]) is type(expected)


def test_an_unknown_number_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="numbers must be one of decimal int float, got 'double'"):
        decode({"S": "a"}, numbers="double")  # type: ignore[arg-type]


@pytest.mark.parametrize("inner", [[1], [], "x", 7, None, {}])
def test_a_map_of_something_else_than_typed_values_is_an_error_with_its_path(inner: Any) -> None:
    with pytest.raises(AttributeValueError) as caught:
        decode({"M": {"a": inner}})
    assert str(caught.value).startswith("$.a: ")
