"""The values of one field, compiled: literals, and operators such as `{"prefix": "ORDER#"}`.

The operators that Lambda documents are `prefix`, `suffix`, `equals-ignore-case`, `anything-but`,
`numeric` and `exists`. The engine behind it, aws/event-ruler, knows `exactly`, `wildcard` and
`cidr` too; whether Lambda accepts them nobody has recorded, so they work here as they do there.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cdk_streams.errors import FilterError
from cdk_streams.filters._engine import text_matchers
from cdk_streams.filters._engine.anything_but import read_anything_but
from cdk_streams.filters._engine.ip_addresses import Block, address_digits, read_cidr
from cdk_streams.filters._engine.numbers import comparable, exact_double, number_text
from cdk_streams.filters._engine.pattern_document import Fields, Node, Number, describe
from cdk_streams.filters._engine.ranges import read_range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cdk_streams.filters._engine.text_matchers import Matcher

__all__ = ["OPERATORS", "Field", "read_field"]

OPERATORS = ("anything-but", "equals-ignore-case", "exists", "numeric", "prefix", "suffix")
"""The operators of Lambda's own table."""

_MakesMatcher: TypeAlias = "Callable[[str], Matcher]"
_Reader: TypeAlias = "Callable[[Node, str], Matcher | None]"
"""Reads what stands behind an operator at a place; None means that the field must be absent."""


@dataclass(frozen=True, slots=True)
class Field:
    """What one field asks for: a value that `matches` accepts, or, when `absent`, none."""

    matches: Matcher
    absent: bool


def read_field(values: list[Node], where: str) -> Field:
    """Compile the array of one field: its values are alternatives."""
    if not values:
        raise FilterError(
            'an empty array matches nothing; name the values to match, such as ["PAID"]',
            where=where,
        )
    exact: set[str] = set()
    matchers: list[Matcher] = []
    absent = False
    for index, node in enumerate(values):
        here = f"{where}[{index}]"
        if isinstance(node, str) and address_digits(node) is None:
            exact.add(node)
            continue
        matches = _read_value(node, here)
        if matches is None:
            absent = True
        else:
            matchers.append(matches)
    return Field(_any_of(frozenset(exact), tuple(matchers)), absent)


def _any_of(exact: frozenset[str], matchers: tuple[Matcher, ...]) -> Matcher:
    # Most patterns are a few texts, and for those the test is one look into a set.
    if not matchers:
        return exact.__contains__
    if not exact and len(matchers) == 1:
        return matchers[0]
    return lambda value: value in exact or any(matches(value) for matches in matchers)


def _read_value(node: Node, where: str) -> Matcher | None:
    match node:
        case Fields():
            return _read_operator(node, where)
        case str():
            digits = address_digits(node) or ""
            return Block(digits, digits).holds
        case Number(text):
            return _equals_number(text)
        case list():
            raise FilterError(
                "an array cannot stand inside the array of a field; list the values side by side",
                where=where,
            )
        case _:
            return lambda value: value is node


def _equals_number(text: str) -> Matcher:
    number = exact_double(text)
    if number is None:
        return lambda value: number_text(value) == text
    return lambda value: comparable(value) == number


def _read_operator(node: Fields, where: str) -> Matcher | None:
    """Return the matcher of `{"prefix": "a"}`; None stands for `{"exists": false}`."""
    if len(node.pairs) != 1:
        raise FilterError(
            f"an operator must have exactly one key, got {len(node.pairs)}; "
            'give each its own braces, as in [{"prefix": "a"}, {"suffix": "z"}] (which means or)',
            where=where,
        )
    name, operand = node.pairs[0]
    if name not in _READERS:
        raise FilterError(
            f"{name!r} is no operator; Lambda knows {', '.join(OPERATORS)}", where=where
        )
    return _READERS[name](operand, f"{where}.{name}")


def _read_exists(operand: Node, where: str) -> Matcher | None:
    if operand is True:
        return lambda _: True
    if operand is False:
        return None
    raise FilterError(f"exists must be true or false, got {describe(operand)}", where=where)


def _read_affix(plain: _MakesMatcher, any_case: _MakesMatcher) -> _Reader:
    def read(operand: Node, where: str) -> Matcher:
        if not isinstance(operand, Fields):
            return plain(_text(operand, where))
        if [key for key, _ in operand.pairs] != ["equals-ignore-case"]:
            raise FilterError(
                'the operator takes a text or {"equals-ignore-case": text} and nothing else',
                where=where,
            )
        return any_case(_text(operand.pairs[0][1], f"{where}.equals-ignore-case"))

    return read


def _text(operand: Node, where: str) -> str:
    if isinstance(operand, str):
        return operand
    raise FilterError(
        f"the operator takes one text, got {describe(operand)}; for several texts "
        'write several operators side by side, as in [{"prefix": "a"}, {"prefix": "b"}]',
        where=where,
    )


_READERS: Mapping[str, _Reader] = {
    "exists": _read_exists,
    "anything-but": read_anything_but,
    "numeric": read_range,
    "prefix": _read_affix(text_matchers.begins_with, text_matchers.begins_with_any_case),
    "suffix": _read_affix(text_matchers.ends_with, text_matchers.ends_with_any_case),
    "equals-ignore-case": lambda operand, where: text_matchers.equals_any_case(
        _text(operand, where)
    ),
    "exactly": lambda operand, where: frozenset((_text(operand, where),)).__contains__,
    "wildcard": lambda operand, where: text_matchers.wildcard(_text(operand, where), where),
    "cidr": lambda operand, where: read_cidr(_text(operand, where), where).holds,
}
