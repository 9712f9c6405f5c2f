"""Values of a template: text as CloudFormation spells it, and what the template does not tell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from cdk_streams.errors import TemplateError

__all__ = [
    "ABSENT",
    "Unknown",
    "Unresolved",
    "as_text",
    "boolean",
    "kind_of",
    "known",
    "only_deployed",
    "text",
    "unknowns",
    "whole_number",
]

T = TypeVar("T")

ABSENT: Any = object()
"""What `{"Ref": "AWS::NoValue"}` resolves to: the property that holds it is left out."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that cannot be worked out from the template.

    Args:
        why: A sentence that begins with the place: `Mapping.BatchSize: the parameter …`.
        reference: What stands in the template: `{"Fn::ImportValue": "QueueArn"}`.
        refused: Whether CloudFormation refuses it; otherwise a deployment knows the value.

    """

    why: str
    reference: Any = None
    refused: bool = False


class Unresolved(Exception):  # noqa: N818 - a signal between the functions of one package
    """Ends the resolution of one value; becomes an `Unknown` with the value's place."""

    def __init__(self, why: str, *, refused: bool = False) -> None:
        self.why = why
        self.refused = refused
        super().__init__(why)


def kind_of(value: Any) -> str:
    """Return what a value of JSON or YAML is, in words for a message: `a list`."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "text"
    return "nothing" if value is None else json.dumps(value, default=str)


def only_deployed(what: str) -> Unresolved:
    """Return the error about a value that only a deployment knows."""
    return Unresolved(f"{what}; pass a template where it is a plain value")


def known(value: T | Unknown) -> T:
    """Return the value.

    Raises:
        TemplateError: The value is unknown; the message is its reason.

    """
    if isinstance(value, Unknown):
        raise TemplateError(value.why)
    return value


def unknowns(value: Any) -> Iterator[Unknown]:
    """Yield every `Unknown` inside a resolved value."""
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from unknowns(each)
    elif isinstance(value, list):
        for each in value:
            yield from unknowns(each)


def text(value: Any) -> str:
    """Return a scalar as CloudFormation passes it on: `true` for a YAML true, digits for a number.

    Raises:
        Unresolved: The value is a list or an object.

    """
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if isinstance(value, date):  # A YAML reader's guess at `2012-10-17`.
        return value.isoformat()
    if value is ABSENT:
        return ""
    raise Unresolved(f"text was expected, got {kind_of(value)}", refused=True)


def as_text(value: Any) -> Any:
    """Return the value with every scalar inside as text, which is how CloudFormation compares."""
    if isinstance(value, Mapping):
        return {str(name): as_text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    return text(value)


def boolean(value: Any) -> bool | None:
    """Return True or False for a boolean or its text in any case; None for anything else."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def whole_number(value: Any) -> int | None:
    """Return the integer that a number or its digits spell; None for anything else."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii():
        return int(value) if len(value) < 20 else None  # noqa: PLR2004 - longer than any property's
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
