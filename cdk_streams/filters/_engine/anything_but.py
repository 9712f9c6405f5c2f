"""The `anything-but` operator: a value is there, and it is none of these.

It takes texts or numbers, one or a list of one kind, or texts under `prefix`, `suffix`,
`equals-ignore-case` or `wildcard`. Values of another kind pass: texts pass a list of numbers,
and true, false and null pass all of them. A missing field never does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams.errors import FilterError
from cdk_streams.filters._engine import text_matchers
from cdk_streams.filters._engine.numbers import comparable
from cdk_streams.filters._engine.pattern_document import Fields, Node, Number, describe
from cdk_streams.filters._engine.ranges import exact_number

if TYPE_CHECKING:
    from cdk_streams.filters._engine.text_matchers import Matcher

__all__ = ["read_anything_but"]

_WITHIN = {
    "prefix": text_matchers.begins_with,
    "suffix": text_matchers.ends_with,
    "equals-ignore-case": text_matchers.equals_any_case,
}


def read_anything_but(operand: Node, where: str) -> Matcher:
    """Return the matcher of what stands behind `anything-but`."""
    if isinstance(operand, Fields):
        return _none_of(_read_within(operand, where))
    values = operand if isinstance(operand, list) else [operand]
    if values and all(isinstance(each, Number) for each in values):
        numbers = frozenset(exact_number(each, where) for each in values)
        return lambda value: comparable(value) not in numbers
    if values and all(isinstance(each, str) for each in values):
        banned = frozenset(each for each in values if isinstance(each, str))
        return lambda value: value not in banned
    raise FilterError(
        "anything-but takes texts or numbers, one or a list of one kind, "
        f"got {', '.join(map(describe, values)) or 'an empty array'}; "
        "list the values to match instead (true, false and null can only be matched)",
        where=where,
    )


def _read_within(operand: Fields, where: str) -> tuple[Matcher, ...]:
    names = [name for name, _ in operand.pairs]
    if len(names) != 1 or (names[0] not in _WITHIN and names[0] != "wildcard"):
        raise FilterError(
            f"anything-but takes one of {', '.join(_WITHIN)}, got {', '.join(names) or 'none'}",
            where=where,
        )
    name, inner = operand.pairs[0]
    here = f"{where}.{name}"
    values = inner if isinstance(inner, list) else [inner]
    if not values or not all(isinstance(each, str) for each in values):
        raise FilterError(
            f"{name} takes one text or a list of texts, got {describe(inner)}", where=here
        )
    words = tuple(each for each in values if isinstance(each, str))
    if name in ("prefix", "suffix") and "" in words:
        raise FilterError(
            f"every text has the empty {name}, so nothing would be left to match; name one",
            where=here,
        )
    if name == "wildcard":
        return tuple(text_matchers.wildcard(word, here) for word in words)
    return tuple(_WITHIN[name](word) for word in words)


def _none_of(matchers: tuple[Matcher, ...]) -> Matcher:
    return lambda value: not any(matches(value) for matches in matchers)
