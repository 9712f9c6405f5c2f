"""Properties of decoding and encoding: they are each other's inverse, and agree with boto3."""

from __future__ import annotations

import decimal
import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import DYNAMODB_CONTEXT, Binary, TypeDeserializer, TypeSerializer
from hypothesis import given, reject
from hypothesis import strategies as st

from lambda_runtime import Item, decode, encode, to_json
from lambda_runtime._values.equality import same


@st.composite
def numbers(draw: st.DrawFn) -> Decimal:
    """Any number that DynamoDB holds: up to 38 digits, from 1E-130 to 9.99E+125."""
    digits = draw(st.integers(1, 38))
    coefficient = draw(st.integers(-(10**digits) + 1, 10**digits - 1))
    size = len(str(abs(coefficient)))
    # The exponent of the first digit stays within the range, whatever the coefficient is.
    exponent = draw(st.integers(-130 - size + 1, 125 - size + 1))
    return Decimal(coefficient).scaleb(exponent, decimal.Context(prec=38, Emin=-999, Emax=999))


scalars = st.one_of(st.text(), numbers(), st.binary(), st.booleans(), st.none())
sets = st.one_of(
    st.frozensets(st.text(), min_size=1),
    st.frozensets(numbers(), min_size=1),
    st.frozensets(st.binary(), min_size=1),
)
values = st.recursive(
    scalars | sets,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def typed(value: Any) -> Any:
    """A form in which 1, True and Decimal(1) differ, and so do 1.0 and 1.00."""
    if isinstance(value, dict):
        return {name: typed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [typed(one) for one in value]
    if isinstance(value, frozenset):
        return frozenset(map(typed, value))
    return (type(value), value.as_tuple() if isinstance(value, Decimal) else value)


@given(values)
def test_decode_takes_back_what_encode_gives(value: Any) -> None:
    assert typed(decode(encode(value))) == typed(value)
    assert typed(decode(encode(value, binary="bytes"))) == typed(value)


@given(values)
def test_encode_takes_back_what_decode_gives(value: Any) -> None:
    sent = encode(value)

    assert encode(decode(sent)) == sent


@given(values)
def test_what_is_encoded_for_lambda_survives_json(value: Any) -> None:
    sent = encode(value)

    assert json.loads(json.dumps(sent)) == sent


@given(values)
def test_the_serializer_of_boto3_agrees(value: Any) -> None:
    assert sorted_sets(encode(value, binary="bytes")) == sorted_sets(serialized(value))


@given(values)
def test_the_deserializer_of_boto3_agrees_where_it_takes_the_value(value: Any) -> None:
    # boto3 raises TypeError for Lambda's base64 text, so it gets bytes; it wraps what it gives.
    sent: Any = encode(value, binary="bytes")
    with passing_over_refusals():
        boto3s = TypeDeserializer().deserialize(sent)

    assert typed(decode(sent)) == typed(unwrapped(boto3s))


@given(values)
def test_the_deserializer_takes_what_boto3_serializes(value: Any) -> None:
    assert decode(serialized(value)) == value


@contextmanager
def passing_over_refusals() -> Iterator[None]:
    """Pass over a number that boto3 refuses, digits below 1E-130, although DynamoDB holds it."""
    try:
        yield
    except (decimal.Underflow, decimal.Rounded):
        reject()


def serialized(value: Any) -> Any:
    """What boto3 makes of a value."""
    with passing_over_refusals():
        return TypeSerializer().serialize(value)


def sorted_sets(sent: Any) -> Any:
    """boto3 writes the members of a set in any order."""
    if isinstance(sent, list):
        return [sorted_sets(one) for one in sent]
    if not isinstance(sent, dict):
        return sent
    return {
        name: sorted(one)
        if name in {"SS", "NS", "BS"} and isinstance(one, list)
        else sorted_sets(one)
        for name, one in sent.items()
    }


def unwrapped(value: Any) -> Any:
    if isinstance(value, Binary):
        wrapped: Any = value
        return wrapped.value
    if isinstance(value, set):
        return frozenset(map(unwrapped, value))
    if isinstance(value, list):
        return [unwrapped(one) for one in value]
    if isinstance(value, dict):
        return {name: unwrapped(one) for name, one in value.items()}
    return value


@given(numbers(), st.integers(1, 60), st.booleans())
def test_no_ambient_context_changes_a_number(
    number: Decimal, precision: int, trapped: bool
) -> None:
    every = [decimal.Inexact, decimal.Rounded, decimal.Subnormal, decimal.Clamped]
    ambient = decimal.Context(prec=precision, traps=every if trapped else [])
    with decimal.localcontext(ambient):
        sent = encode(number)
        back = decode(sent)

    assert back.as_tuple() == number.as_tuple()
    assert sent["N"] == str(DYNAMODB_CONTEXT.create_decimal(number))


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e125, max_value=1e125))
def test_a_float_comes_back_by_the_policy_that_took_it(number: float) -> None:
    if 0 < abs(number) < 1e-130:
        number = 0.0

    assert decode(encode(number, numbers="float"), numbers="float") == number


@given(values)
def test_the_int_policy_changes_types_and_no_value(value: Any) -> None:
    assert decode(encode(value), numbers="int") == value


@given(values, values)
def test_two_values_are_the_same_exactly_when_they_decode_alike(one: Any, other: Any) -> None:
    left, right = encode(one), encode(other)

    assert same(left, right) == same(right, left)
    assert (left == right or same(left, right)) == (normal(one) == normal(other))


@given(values)
def test_another_spelling_of_a_value_is_the_same_value(value: Any) -> None:
    sent = encode(value)
    other = respelled(sent)

    assert sent == other or same(sent, other)
    assert decode(other) == value


def respelled(sent: dict[str, Any]) -> dict[str, Any]:
    """The same value in other text: exponents for zeros, sets backwards, binaries as bytes."""
    ((tag, content),) = sent.items()
    if tag == "N":
        return {tag: f"{Decimal(content):E}"}
    if tag == "B":
        return {tag: decode(sent)}
    if tag in {"SS", "NS", "BS"}:
        spell = (lambda one: f"{Decimal(one):E}") if tag == "NS" else str
        return {tag: [spell(one) for one in reversed(content)]}
    if tag == "L":
        return {tag: list(map(respelled, content))}
    if tag == "M":
        return {tag: {name: respelled(content[name]) for name in reversed(content)}}
    return sent


def normal(value: Any) -> Any:
    """A form that is equal exactly when DynamoDB would say so: by type, numbers by value."""
    if isinstance(value, dict):
        return ("M", {name: normal(one) for name, one in value.items()})
    if isinstance(value, list):
        return ("L", [normal(one) for one in value])
    if isinstance(value, frozenset):
        return ("set", frozenset(map(normal, value)))
    return (type(value).__name__, value)


@given(st.dictionaries(st.text(min_size=1), values))
def test_an_item_read_one_by_one_is_the_item_decoded_at_once(content: dict[str, Any]) -> None:
    item = Item(encode(content)["M"])

    assert {name: item[name] for name in item} == item.to_dict() == content
    assert item == content


@given(values)
def test_json_text_is_json_and_loses_no_digit(value: Any) -> None:
    read = json.loads(to_json(value), parse_float=Decimal, parse_int=Decimal)

    assert read == plain(value)


def plain(value: Any) -> Any:
    """What JSON keeps of a value: bytes as base64 text, sets as sorted lists."""
    if isinstance(value, bytes):
        return encode(value)["B"]
    if isinstance(value, frozenset):
        return [plain(one) for one in sorted(value)]
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value
