"""Readers: from a typed value, as DynamoDB sent it, to what one annotation of a class wants.

A reader is called with the value, its path and the number policy, and raises `Unfit` for a value of
another type. It never sees decoded values, so each number is made from its exact text; the policy
decides only where the annotation leaves it open.
"""

from __future__ import annotations

import typing

from lambda_runtime._values.decoding import decode_value
from lambda_runtime._values.numbers_as import converter
from lambda_runtime.errors import path_text

__all__ = [
    "Unfit",
    "anything",
    "array",
    "content",
    "enumerated",
    "first_fit",
    "fixed_array",
    "floating",
    "mapping",
    "one_of",
    "parsed",
    "scalar",
    "set_of",
    "type_name",
    "unfit",
    "whole",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from lambda_runtime._values.numbers_as import Convert

    Path = tuple[str | int, ...]
    Reader = Callable[[Any, Path, Convert], Any]


class Unfit(Exception):  # noqa: N818 - private to reading, and turned into a ModelError at its end
    """A value that does not fit, with one sentence for each fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(*faults)
        self.faults = tuple(faults)


def unfit(path: Path, why: str) -> Unfit:
    """Build the fault of one place."""
    return Unfit([f"{path_text(path)}: {why}"])


def type_name(annotation: Any) -> str:
    """Write an annotation as its author did, or nearly: `int`, `list[str]`, `Order`."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def content(value: Any, tags: str, wanted: Any, path: Path) -> Any:
    """Give what a typed value of one of these types holds, unchecked; `tags` is such as `SS NS`."""
    tag = next(iter(value), None) if isinstance(value, dict) and len(value) == 1 else None
    if tag in tags.split():
        return value[tag]
    # A value that is no typed value at all raises the error that decoding raises.
    decode_value(value, None, path)
    raise unfit(path, f"got {tag}, expected {tags.replace(' ', ' or ')} for {type_name(wanted)}")


def anything(value: Any, path: Path, convert: Convert) -> Any:
    """Read whatever is there as `decode` does."""
    return decode_value(value, convert, path)


def scalar(tag: str, wanted: Any) -> Reader:
    """Read str, bytes, bool, None or Decimal."""

    def read(value: Any, path: Path, _: Convert) -> Any:
        content(value, tag, wanted, path)
        return decode_value(value, None, path)

    return read


def whole(value: Any, path: Path, _: Convert) -> int:
    """Read an int: any number without a fraction, however it is written."""
    content(value, "N", int, path)
    number = decode_value(value, converter("int"), path)
    if not isinstance(number, int):
        raise unfit(path, "got a number with a fraction, expected a whole one for int")
    return number


def floating(value: Any, path: Path, _: Convert) -> float:
    """Read the float that is nearest."""
    content(value, "N", float, path)
    return float(decode_value(value, None, path))


def parsed(parse: Callable[[str], Any], wanted: Any) -> Reader:
    """Read what a type makes of text, such as a datetime."""

    def read(value: Any, path: Path, _: Convert) -> Any:
        content(value, "S", wanted, path)
        text = decode_value(value, None, path)
        try:
            return parse(text)
        except ValueError:
            raise unfit(path, f"got text that is no {type_name(wanted)}") from None

    return read


def one_of(options: Sequence[Any], wanted: Any) -> Reader:
    """Read one of a Literal's values, of the same type: 1 is not True."""

    def read(value: Any, path: Path, _: Convert) -> Any:
        decoded = decode_value(value, converter("int"), path)
        for option in options:
            if option == decoded and type(option) is type(decoded):
                return option
        raise unfit(path, f"got a value that is none of {type_name(wanted)}")

    return read


def enumerated(wanted: Any) -> Reader:
    """Read the member of an Enum that has the value."""

    def read(value: Any, path: Path, _: Convert) -> Any:
        decoded = decode_value(value, converter("int"), path)
        for member in wanted:
            if member.value == decoded and isinstance(member.value, bool) is isinstance(
                decoded, bool
            ):
                return member
        raise unfit(path, f"got a value that no {type_name(wanted)} has")

    return read


def array(member: Reader, make: Callable[[list[Any]], Any], wanted: Any) -> Reader:
    """Read L, each member by the same reader."""

    def read(value: Any, path: Path, convert: Convert) -> Any:
        members = _listed(value, wanted, path)
        return make([member(one, (*path, at), convert) for at, one in enumerate(members)])

    return read


def fixed_array(readers: Sequence[Reader], wanted: Any) -> Reader:
    """Read L of just as many members, each by its own reader."""

    def read(value: Any, path: Path, convert: Convert) -> Any:
        members = _listed(value, wanted, path)
        if len(members) != len(readers):
            raise unfit(path, f"got {len(members)} members, expected {len(readers)}")
        pairs = enumerate(zip(readers, members, strict=True))
        return tuple(read_one(one, (*path, at), convert) for at, (read_one, one) in pairs)

    return read


def _listed(value: Any, wanted: Any, path: Path) -> list[Any]:
    members = content(value, "L", wanted, path)
    if not isinstance(members, list):
        decode_value(value, None, path)
    return list(members)


def set_of(member: Reader, make: Callable[[list[Any]], Any], wanted: Any) -> Reader:
    """Read SS, NS or BS, each member as a value of its own."""

    def read(value: Any, path: Path, convert: Convert) -> Any:
        members = content(value, "SS NS BS", wanted, path)
        decode_value(value, None, path)
        (tag,) = value
        return make([member({tag[0]: one}, (*path, at), convert) for at, one in enumerate(members)])

    return read


def mapping(member: Reader, wanted: Any) -> Reader:
    """Read M as a dict, each value by the same reader."""

    def read(value: Any, path: Path, convert: Convert) -> Any:
        members = content(value, "M", wanted, path)
        if not isinstance(members, dict):
            decode_value(value, None, path)
        return {name: member(one, (*path, name), convert) for name, one in members.items()}

    return read


def first_fit(readers: Sequence[Reader], wanted: Any) -> Reader:
    """Read by the first reader that the value fits."""

    def read(value: Any, path: Path, convert: Convert) -> Any:
        for reader in readers:
            try:
                return reader(value, path, convert)
            except Unfit:
                continue
        raise unfit(path, f"got {next(iter(value))} that fits none of {type_name(wanted)}")

    return read
