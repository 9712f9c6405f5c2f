"""A whole pattern, compiled: what each path asks for, once for each way through its `$or`s.

`{"a": ["1"], "$or": [{"b": ["2"]}, {"c": ["3"]}]}` gives `[{"a": …, "b": …}, {"a": …, "c": …}]`,
and all the fields of one alternative must hold. A path is its names joined by dots, which is why
`{"a": {"b": …}}` and `{"a.b": …}` are one path.
"""

from __future__ import annotations

from typing import TypeAlias

from cdk_streams.errors import FilterError
from cdk_streams.filters._engine.operators import Field, read_field
from cdk_streams.filters._engine.pattern_document import OR, Fields, Node, describe, place

__all__ = ["MAX_ALTERNATIVES", "MAX_DEPTH", "MAX_FIELDS", "Alternative", "read_alternatives"]

Alternative: TypeAlias = dict[str, Field]

MAX_FIELDS = 256
"""Fields that one alternative may have: what the engine behind Lambda takes."""

MAX_ALTERNATIVES = 1_000
"""Ways through the `$or`s of one pattern: EventBridge's limit. Nobody has recorded Lambda's."""

MAX_DEPTH = 200
"""Objects inside objects. An item nests 32 deep at most, which makes 70 in a record."""

_FEWEST_BRANCHES = 2

RESERVED = frozenset(
    {
        *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists"),
        *("wildcard", "numeric", "cidr", "=", "<", "<=", ">", ">="),
        # Kept free for operators to come:
        *("regex", "not-wildcard", "not-equals-ignore-case", "in-date-range"),
        *("date-after", "date-on-or-after", "date-before", "date-on-or-before"),
        *("ip-address-in-range", "ip-address-not-in-range"),
    }
)
"""Names that no field inside an `$or` may have, at any depth."""


def read_alternatives(document: Fields) -> list[Alternative]:
    """Compile a pattern; `FilterError` where it is wrong."""
    return _read_fields(document, "$", (), [{}], inside_or=False)


def _read_fields(
    fields: Fields,
    where: str,
    names: tuple[str, ...],
    found: list[Alternative],
    *,
    inside_or: bool,
) -> list[Alternative]:
    if not fields.pairs:
        raise FilterError(
            "an empty object matches nothing; name a field, or leave the filter out", where=where
        )
    if len(names) > MAX_DEPTH:
        raise FilterError(f"a pattern nests {MAX_DEPTH} objects at most; no record nests so many")
    for key, node in fields.pairs:
        here = place(where, key)
        if key == OR:
            found = _read_or(node, here, names, found)
        elif inside_or and key in RESERVED:
            raise FilterError(
                f"{key!r} is an operator's name and cannot name a field inside $or; "
                "write one filter for each branch (filters are alternatives too)",
                where=here,
            )
        elif isinstance(node, Fields):
            found = _read_fields(node, here, (*names, key), found, inside_or=inside_or)
        elif isinstance(node, list):
            found = _with_field(found, _path(names, key), read_field(node, here), here)
        else:
            raise FilterError(
                f"a field takes an array of values, got {describe(node)}; "
                "put the value into brackets",
                where=here,
            )
    return found


def _read_or(
    node: Node, where: str, names: tuple[str, ...], outer: list[Alternative]
) -> list[Alternative]:
    branches = node if isinstance(node, list) else []
    if len(branches) < _FEWEST_BRANCHES or not all(isinstance(each, Fields) for each in branches):
        raise FilterError(
            "$or must be an array of at least two objects; write "
            '{"$or": [{"a": ["1"]}, {"b": ["2"]}]}, or the one object in place of the $or',
            where=where,
        )
    found: list[Alternative] = []
    for index, branch in enumerate(branches):
        if isinstance(branch, Fields):
            here = f"{where}[{index}]"
            found += _read_fields(branch, here, names, outer, inside_or=True)
        if len(found) > MAX_ALTERNATIVES:
            raise FilterError(
                f"the $or arrays make more than {MAX_ALTERNATIVES:,} combinations; "
                "use fewer, or split the pattern into several filters",
                where=where,
            )
    return found


def _with_field(found: list[Alternative], path: str, field: Field, where: str) -> list[Alternative]:
    # A path that is named again is replaced, also one from outside the $or that names it again.
    extended = [{**alternative, path: field} for alternative in found]
    if any(len(alternative) > MAX_FIELDS for alternative in extended):
        raise FilterError(
            f"a pattern may have at most {MAX_FIELDS} fields; test fewer attributes", where=where
        )
    return extended


def _path(names: tuple[str, ...], last: str) -> str:
    outer = ".".join(names)
    return f"{outer}.{last}" if outer else last
