"""A filter pattern as it was written: repeated keys kept, numbers still as their text.

`{"a": {"x": ["1"]}, "a": {"y": [2.0]}}` is read as one `Fields` with two pairs named `a`. Lambda
reads a pattern as a stream and merges such objects, which a dict would have lost.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from cdk_streams.errors import FilterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["OR", "Fields", "Node", "Number", "leaves", "pattern_text", "place", "read_document"]

OR = "$or"
"""The key whose array holds alternatives instead of the values of a field of that name."""

_LONGEST_NUMBER = 1_000
_PLAIN_STEP = re.compile(r"[A-Za-z_$][\w$-]*")


@dataclass(frozen=True, slots=True)
class Number:
    """A number by its own text: `300.0` and `3e2` stay apart until they are compared."""

    text: str


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object as its pairs, in the order they are written."""

    pairs: tuple[tuple[str, Node], ...]


Node: TypeAlias = Fields | list["Node"] | Number | str | bool | None


def read_document(text: str) -> Fields:
    """Parse the text of a pattern; `FilterError` unless it is exactly one JSON object."""
    try:
        document: Node = json.loads(
            text,
            object_pairs_hook=lambda pairs: Fields(tuple(pairs)),
            parse_int=_number,
            parse_float=_number,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise FilterError(
            f"a pattern must be JSON: {error.msg} at character {error.pos}; "
            'write one object such as {"eventName": ["INSERT"]}'
        ) from error
    except RecursionError as error:
        raise FilterError("the pattern is nested too deeply to be read; flatten it") from error
    if not isinstance(document, Fields):
        raise FilterError(
            f"a pattern must be a JSON object, got {describe(document)}; "
            'write one such as {"eventName": ["INSERT"]}'
        )
    return document


def pattern_text(pattern: str | Mapping[str, Any]) -> str:
    """The JSON text of a pattern that is given as text (returned as it is) or as a dict."""
    if isinstance(pattern, str):
        return pattern
    try:
        text = json.dumps(pattern, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise FilterError(
            f"a pattern must be JSON text or a dict of JSON values: {error}; "
            "bytes, sets, Decimal and NaN have no JSON form"
        ) from error
    return text


def leaves(
    fields: Fields, steps: tuple[str, ...] = (), where: str = "$"
) -> Iterator[tuple[tuple[str, ...], str, list[Node]]]:
    """Each field of a valid document: its names, its place, its values; `$or` is looked through.

    `{"dynamodb": {"SizeBytes": [61]}}` gives `(("dynamodb", "SizeBytes"), "$.dynamodb.SizeBytes",
    [Number("61")])`.
    """
    for key, value in fields.pairs:
        here = place(where, key)
        if isinstance(value, Fields):
            yield from leaves(value, (*steps, key), here)
        elif isinstance(value, list) and key == OR:
            for index, branch in enumerate(value):
                if isinstance(branch, Fields):
                    yield from leaves(branch, steps, f"{here}[{index}]")
        elif isinstance(value, list):
            yield (*steps, key), here, value


def place(where: str, key: str) -> str:
    """The place of `key` inside `where`: `$.dynamodb.Keys` or `$.dynamodb.NewImage["a b"]`."""
    return f"{where}.{key}" if _PLAIN_STEP.fullmatch(key) else f"{where}[{json.dumps(key)}]"


def describe(node: Node) -> str:
    """What kind of JSON value it is, in words for an error."""
    match node:
        case Fields():
            return "an object"
        case list():
            return "an array"
        case Number(text):
            return f"the number {text}"
        case str():
            return f"the text {json.dumps(node)}"
        case _:
            return json.dumps(node)


def _number(text: str) -> Number:
    if len(text) > _LONGEST_NUMBER:
        raise FilterError(f"a number has {len(text):,} digits; no record has one of that length")
    return Number(text)


def _refuse_constant(name: str) -> NoReturn:
    raise FilterError(f"{name} is no JSON number; write a finite one")
