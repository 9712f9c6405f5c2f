"""Tests of a pattern that Lambda accepts and that never match, or always do; what to write instead.

An attribute stands in a record under its type, `{"NewImage": {"total": {"N": "10"}}}`. Patterns go
wrong where they leave the type out, ask a map or a list for a value, or take the text of a number
for a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from cdk_streams.errors import FilterError
from cdk_streams.filters._engine.pattern_document import (
    Fields,
    Number,
    describe,
    leaves,
    read_document,
)
from cdk_streams.filters._literals import LEAF_LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cdk_streams.filters._engine.pattern_document import Node

__all__ = [
    "EVENT_NAMES",
    "IneffectiveCondition",
    "IneffectiveKind",
    "find_ineffective_conditions",
    "refuse_ineffective_conditions",
]

EVENT_NAMES = ("INSERT", "MODIFY", "REMOVE")

IneffectiveKind: TypeAlias = Literal["field", "event", "letter", "container", "number", "value"]
"""What is wrong with an ineffective condition."""

_IMAGES = ("Keys", "NewImage", "OldImage")
_RECORD_FIELDS = (
    *("awsRegion", "dynamodb", "eventID", "eventName", "eventSource", "eventSourceARN"),
    *("eventVersion", "userIdentity"),
)
_CHANGE_FIELDS = (
    *_IMAGES,
    *("ApproximateCreationDateTime", "SequenceNumber", "SizeBytes", "StreamViewType"),
)
_TRUTH_LETTERS = ("BOOL", "NULL")


@dataclass(frozen=True, slots=True)
class IneffectiveCondition:
    """A field of a pattern whose test has the same result for every record.

    `kind` is what is wrong: the name of a `field`, an `event`, a missing or unknown type `letter`,
    a test of a whole `container`, of text as a `number`, or against a `value` of another type.
    """

    kind: IneffectiveKind
    where: str
    why: str


def refuse_ineffective_conditions(pattern: str) -> None:
    """Raise `FilterError` for the first ineffective condition of a valid pattern, a JSON text."""
    for found in find_ineffective_conditions(pattern):
        raise FilterError(found.why, where=found.where)


def find_ineffective_conditions(pattern: str) -> Iterator[IneffectiveCondition]:
    """Find the ineffective conditions of a valid pattern, a JSON text; at most one a field."""
    for steps, where, values in leaves(read_document(pattern)):
        # A dotted name may join any number of steps; what it means is left to its writer.
        if not any("." in step for step in steps):
            found = _ineffective(steps, values, where)
            if found is not None:
                yield found


def _ineffective(
    steps: tuple[str, ...], values: list[Node], where: str
) -> IneffectiveCondition | None:
    if found := _unknown_field(steps, where):
        return found
    if steps == ("eventName",):
        return _unknown_event(values, where)
    if steps[0] == "dynamodb" and steps[1] in _IMAGES:
        letter = _letter(steps[2:], where)
        return (
            letter
            if isinstance(letter, IneffectiveCondition)
            else _other_type(letter, values, where)
        )
    return None


def _unknown_field(steps: tuple[str, ...], where: str) -> IneffectiveCondition | None:
    levels = (_RECORD_FIELDS, _CHANGE_FIELDS) if steps[0] == "dynamodb" else (_RECORD_FIELDS,)
    for number, known in enumerate(levels):
        if len(steps) <= number or steps[number] not in known:
            got = steps[number] if len(steps) > number else "nothing"
            why = f"no record has {got!r} here; the names are {', '.join(known)}"
            return IneffectiveCondition("field", where, why)
    return None


def _unknown_event(values: list[Node], where: str) -> IneffectiveCondition | None:
    for value in values:
        if not isinstance(value, Fields) and value not in EVENT_NAMES:
            why = (
                f"no record has the event name {describe(value)}; "
                f"the names are {', '.join(EVENT_NAMES)}"
            )
            return IneffectiveCondition("event", where, why)
    return None


def _letter(steps: tuple[str, ...], where: str) -> str | IneffectiveCondition:
    """The type letter that ends a path of names and letters; what is wrong when there is none."""
    expected, letter = "name", ""
    for step in steps:
        if expected == "nothing":
            return IneffectiveCondition(
                "letter", where, f"there is nothing below the type {letter}"
            )
        if expected == "name":
            expected = "letter"
            continue
        if step not in (*LEAF_LETTERS, "M", "L"):
            why = (
                f"{step!r} is no type letter; write one of {', '.join(LEAF_LETTERS)}, "
                "or M before a member of a map, L before an element of a list"
            )
            return IneffectiveCondition("letter", where, why)
        letter = step
        expected = {"M": "name", "L": "letter"}.get(step, "nothing")
    if expected == "nothing":
        return letter
    # Behind an image, M or L a whole container is tested; behind a name its letter is missing.
    kind: IneffectiveKind = "container" if expected == "name" or letter == "L" else "letter"
    why = (
        "Lambda sees no value here, only an object: exists is never true and always false; "
        'go on to the type letter of a value, as in {"status": {"S": [{"exists": true}]}}'
    )
    return IneffectiveCondition(kind, where, why)


def _other_type(letter: str, values: list[Node], where: str) -> IneffectiveCondition | None:
    for index, value in enumerate(values):
        here = f"{where}[{index}]"
        if letter in _TRUTH_LETTERS:
            if isinstance(value, str | Number) or value is None:
                why = f"a value of type {letter} is true or false, got {describe(value)}"
                return IneffectiveCondition("value", here, why)
        elif _asks_for_number(value):
            why = (
                f"a value of type {letter} is text, so it equals no number and lies in no range; "
                'write the number as text, as in {"N": ["12.5"]}, and compare in the handler'
            )
            return IneffectiveCondition("number", here, why)
        elif not isinstance(value, str | Fields):
            return IneffectiveCondition(
                "value", here, f"a value of type {letter} is text, got {describe(value)}"
            )
    return None


def _asks_for_number(value: Node) -> bool:
    if not isinstance(value, Fields):
        return isinstance(value, Number)
    name, operand = value.pairs[0]
    numbers = operand if isinstance(operand, list) else [operand]
    return name == "numeric" or (
        name == "anything-but" and any(isinstance(each, Number) for each in numbers)
    )
