"""The `numeric` operator: `["=", 5]`, `[">", 0]`, `[">=", 0, "<", 10]`.

It sees JSON numbers alone (`SizeBytes`, `ApproximateCreationDateTime`), never an attribute of
DynamoDB's type N, which travels as text.
"""

from __future__ import annotations

from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING

from cdk_streams.errors import FilterError
from cdk_streams.filters._engine.numbers import comparable, exact_double
from cdk_streams.filters._engine.pattern_document import Node, Number, describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from cdk_streams.filters._engine.text_matchers import Matcher

__all__ = ["exact_number", "read_range"]

_COMPARE = {"=": eq, ">": gt, ">=": ge, "<": lt, "<=": le}
_LOWER, _UPPER = (">", ">="), ("<", "<=")
_ADVICE = 'write ["=", 5], ["<", 10] or [">=", 0, "<", 10]'


def read_range(operand: Node, where: str) -> Matcher:
    """Return the matcher of one comparison, or of a lower and an upper bound."""
    match operand:
        case [str(sign), bound]:
            compare, limit = _comparison(sign, bound, where)
            return lambda value: (got := comparable(value)) is not None and compare(got, limit)
        case [str(low_sign), low, str(high_sign), high] if (
            low_sign in _LOWER and high_sign in _UPPER
        ):
            return _between((low_sign, low), (high_sign, high), where)
    raise FilterError(
        f"numeric takes one comparison, or a lower and then an upper bound; {_ADVICE}",
        where=where,
    )


def exact_number(node: Node, where: str) -> float:
    """The value of a number of a pattern; `FilterError` for anything else."""
    if not isinstance(node, Number):
        raise FilterError(
            f"a number is compared here, got {describe(node)}; write it without quotes",
            where=where,
        )
    number = exact_double(node.text)
    if number is None:
        raise FilterError(
            f"{node.text} has more digits than Lambda compares; use at most 15 or 16",
            where=where,
        )
    return number


def _between(low: tuple[str, Node], high: tuple[str, Node], where: str) -> Matcher:
    above, lowest = _comparison(*low, where)
    below, highest = _comparison(*high, where)
    if lowest >= highest:
        raise FilterError(
            f"the lower bound must be less than the upper, got {lowest} and {highest}; "
            'for one number write ["=", number]',
            where=where,
        )
    return lambda value: (
        (got := comparable(value)) is not None and above(got, lowest) and below(got, highest)
    )


def _comparison(sign: str, bound: Node, where: str) -> tuple[Callable[[float, float], bool], float]:
    if sign not in _COMPARE:
        raise FilterError(f"{sign!r} is no comparison; {_ADVICE}", where=where)
    return _COMPARE[sign], exact_number(bound, where)
