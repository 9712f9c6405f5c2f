"""Conditions as values: tests of single fields, joined by and (`&`) and or (`|`).

In a pattern, fields beside each other are joined by and, the values of one field by or, and whole
branches by `$or`. So not everything can be said: two tests of the same field cannot both be asked
for, because Lambda keeps only the last. Such a condition is refused when it is rendered.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cdk_streams.errors import FilterError
from cdk_streams.filters._engine.pattern_document import OR

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Condition", "all_of", "any_of", "checked", "field", "render"]

Path: TypeAlias = tuple[str, ...]
Value: TypeAlias = "str | bool | int | float | dict[str, Any]"
"""A literal or an operator, as it stands in a pattern."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of a record; made by the verbs of `NewImage`, `OldImage`, `Keys` and the numbers.

    `NewImage("a").eq(1) & OldImage("a").eq(2)`, `NewImage("a").eq(1) | NewImage("b").eq(2)`.
    """

    kind: Literal["field", "all", "any"]
    path: Path = ()
    values: tuple[Value, ...] = ()
    parts: tuple[Condition, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        return all_of(self, checked(other))

    def __or__(self, other: Condition) -> Condition:
        return any_of(self, checked(other))

    def __bool__(self) -> bool:
        """Refuse `and`, `or` and `not`, which cannot be redefined for a condition.

        Raises:
            FilterError: always, with what to write instead.

        """
        raise FilterError(
            "Python's and, or and not would keep only one of them, or none; write a & b for both, "
            "a | b for either, and in place of not the verb that denies: ne, not_exists, "
            "not_begins_with"
        )

    def paths(self) -> set[Path]:
        """The paths of all fields that are tested, anywhere inside."""
        if self.kind == "field":
            return {self.path}
        return {path for part in self.parts for path in part.paths()}


def checked(given: object) -> Condition:
    """Return a condition; anything else is refused with what to write instead."""
    if isinstance(given, Condition):
        return given
    if hasattr(given, "eq"):
        raise FilterError(f"{given!r} has no verb; write {given!r}.eq(value), or another verb")
    raise FilterError(
        f"a condition is made by a verb of NewImage, OldImage, Keys or a number, got {given!r}; "
        "write NewImage('status').eq('PAID') in place of ==, & for and, | for or"
    )


def field(path: Path, *values: Value) -> Condition:
    """The field at `path` has one of these values."""
    return Condition("field", path=path, values=values)


def all_of(*parts: Condition) -> Condition:
    """Every part holds. The same part twice is one."""
    flat: list[Condition] = []
    for part in _flat("all", parts):
        if part not in flat:
            flat.append(part)
    return flat[0] if len(flat) == 1 else Condition("all", parts=tuple(flat))


def any_of(*parts: Condition) -> Condition:
    """One part holds. Tests of the same field become one test with all their values."""
    values: dict[Path, list[Value]] = {}
    others: list[Condition] = []
    for part in _flat("any", parts):
        if part.kind == "field":
            known = values.setdefault(part.path, [])
            known += [value for value in part.values if value not in known]
        elif part not in others:
            others.append(part)
    merged = (*(field(path, *each) for path, each in values.items()), *others)
    return merged[0] if len(merged) == 1 else Condition("any", parts=merged)


def render(condition: Condition, depth: int = 0) -> dict[str, Any]:
    """The pattern that asks for a condition, below the first `depth` steps of its paths."""
    pattern: dict[str, Any] = {}
    choices: dict[Path, Condition] = {}
    seen: set[Path] = set()
    for part in condition.parts if condition.kind == "all" else (condition,):
        _refuse_overlap(seen, part)
        seen |= part.paths()
        if part.kind == "field":
            _object_at(pattern, part.path[depth:-1])[part.path[-1]] = list(part.values)
        else:
            prefix = _common_prefix(part.paths())
            choices[prefix] = _both(choices[prefix], part) if prefix in choices else part
    for prefix, choice in choices.items():
        branches = [render(part, len(prefix)) for part in choice.parts]
        _object_at(pattern, prefix[depth:])[OR] = branches
    return pattern


def _flat(kind: str, parts: tuple[Condition, ...]) -> Iterator[Condition]:
    for part in parts:
        yield from part.parts if part.kind == kind else (part,)


def _both(one: Condition, other: Condition) -> Condition:
    # An object has one $or, so (a or b) and (c or d) becomes the four ways to have both.
    pairs = itertools.product(one.parts, other.parts)
    return Condition("any", parts=tuple(all_of(*pair) for pair in pairs))


def _refuse_overlap(seen: set[Path], part: Condition) -> None:
    for path in sorted(seen & part.paths()):
        raise FilterError(
            f"two conditions test {'.'.join(path)}, and Lambda keeps only one of them; give all "
            "values to one verb (ne and its like take several), or test the other in the handler"
        )


def _common_prefix(paths: set[Path]) -> Path:
    # The last step is the field itself, which has to stay inside its branch.
    shortest, longest = min(paths), max(paths)
    common = 0
    for one, other in zip(shortest[:-1], longest[:-1], strict=False):
        if one != other:
            break
        common += 1
    return shortest[:common]


def _object_at(pattern: dict[str, Any], steps: Path) -> dict[str, Any]:
    for step in steps:
        pattern = pattern.setdefault(step, {})
    return pattern
