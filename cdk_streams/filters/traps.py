"""Patterns that Lambda accepts and that never match, or always do: refused with what to write.

An attribute stands in a record under its type, `{"NewImage": {"total": {"N": "10"}}}`. Patterns go
wrong where they leave the type out, ask a map or a list for a value, or take the text of a number
for a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams.errors import FilterError
from cdk_streams.filters.document import Fields, Number, describe, leaves
from cdk_streams.filters.literals import LEAF_LETTERS

if TYPE_CHECKING:
    from cdk_streams.filters.document import Node

__all__ = ["EVENT_NAMES", "refuse_traps"]

EVENT_NAMES = ("INSERT", "MODIFY", "REMOVE")

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


def refuse_traps(document: Fields) -> None:
    """Raise `FilterError` for the first field of a valid pattern that no record can decide."""
    for steps, where, values in leaves(document):
        # A dotted name may join any number of steps; what it means is left to its writer.
        if not any("." in step for step in steps):
            _refuse_names(steps, where)
            if steps == ("eventName",):
                _refuse_event_names(values, where)
            if steps[0] == "dynamodb" and steps[1] in _IMAGES:
                _refuse_values(_letter(steps[2:], where), values, where)


def _refuse_names(steps: tuple[str, ...], where: str) -> None:
    levels = (_RECORD_FIELDS, _CHANGE_FIELDS) if steps[0] == "dynamodb" else (_RECORD_FIELDS,)
    for number, known in enumerate(levels):
        if len(steps) <= number or steps[number] not in known:
            got = steps[number] if len(steps) > number else "nothing"
            raise FilterError(
                f"no record has {got!r} here; the names are {', '.join(known)}", where=where
            )


def _refuse_event_names(values: list[Node], where: str) -> None:
    for value in values:
        if not isinstance(value, Fields) and value not in EVENT_NAMES:
            raise FilterError(
                f"no record has the event name {describe(value)}; "
                f"the names are {', '.join(EVENT_NAMES)}",
                where=where,
            )


def _letter(steps: tuple[str, ...], where: str) -> str:
    """The type letter at the end of names and letters; refused when the path ends elsewhere."""
    expected, letter = "name", ""
    for step in steps:
        if expected == "nothing":
            raise FilterError(f"there is nothing below the type {letter}", where=where)
        if expected == "name":
            expected = "letter"
            continue
        if step not in (*LEAF_LETTERS, "M", "L"):
            raise FilterError(
                f"{step!r} is no type letter; write one of {', '.join(LEAF_LETTERS)}, "
                "or M before a member of a map, L before an element of a list",
                where=where,
            )
        letter = step
        expected = {"M": "name", "L": "letter"}.get(step, "nothing")
    if expected != "nothing":
        raise FilterError(
            "Lambda sees no value here, only an object: exists is never true and always false; "
            'go on to the type letter of a value, as in {"status": {"S": [{"exists": true}]}}',
            where=where,
        )
    return letter


def _refuse_values(letter: str, values: list[Node], where: str) -> None:
    for index, value in enumerate(values):
        here = f"{where}[{index}]"
        if letter in _TRUTH_LETTERS:
            if isinstance(value, str | Number) or value is None:
                raise FilterError(
                    f"a value of type {letter} is true or false, got {describe(value)}", where=here
                )
        elif _asks_for_number(value):
            raise FilterError(
                f"a value of type {letter} is text, so it equals no number and lies in no range; "
                'write the number as text, as in {"N": ["12.5"]}, and compare in the handler',
                where=here,
            )
        elif not isinstance(value, str | Fields):
            raise FilterError(
                f"a value of type {letter} is text, got {describe(value)}", where=here
            )


def _asks_for_number(value: Node) -> bool:
    if not isinstance(value, Fields):
        return isinstance(value, Number)
    name, operand = value.pairs[0]
    numbers = operand if isinstance(operand, list) else [operand]
    return name == "numeric" or (
        name == "anything-but" and any(isinstance(each, Number) for each in numbers)
    )
