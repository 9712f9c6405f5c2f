"""`Keys`, `NewImage` and `OldImage`: attributes of a stream record, tested with boto3's verbs.

A condition tests the attribute's value and its type: `NewImage("total").eq(10)` matches the
number 10, not the text `"10"`. Verbs that deny (`ne`, `not_begins_with`, …) also hold when the
attribute is missing or of another type, as DynamoDB's own `<>` does; `or_absent=False` asks for a
value of that type which differs.
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, NoReturn, TypeAlias

from cdk_streams.errors import FilterError
from cdk_streams.filters import _operands
from cdk_streams.filters._conditions import Condition, Value, all_of, any_of, field
from cdk_streams.filters._engine.pattern_document import OR
from cdk_streams.filters._literals import LEAF_LETTERS, SET_LETTERS, Scalar, literal

__all__ = ["EACH", "Attribute", "Image", "Keys", "NewImage", "OldImage"]


class _Each(Enum):
    EACH = "EACH"


EACH: Final = _Each.EACH
"""A step of a path: some element of a list, as in `NewImage("lines", EACH, "sku")`.

Lambda has no index into a list. Every verb then asks for some element, those that deny too, and
two conditions on one list ask for one element with both.
"""

Step: TypeAlias = "str | Literal[_Each.EACH]"

_KEY_LETTERS = ("S", "N", "B")
# No name, or one that spells DynamoDB's types: what stands behind a dot that was meant as a path.
_TYPES = frozenset({*LEAF_LETTERS, "M", "L", ""})


@dataclass(frozen=True, slots=True)
class Image:
    """One of the three places in a record that hold attributes; call it with a path.

    `NewImage("status")`, `NewImage("address", "city")`, `NewImage("lines", EACH, "sku")`.
    """

    name: Literal["Keys", "NewImage", "OldImage"]

    def __call__(self, *path: Step) -> Attribute:
        """The attribute at a path: names of attributes and map members, `EACH` for lists."""
        if not path or path[0] is EACH:
            raise FilterError(f"{self.name} needs the name of an attribute first, got {path!r}")
        if self is Keys and len(path) > 1:
            raise FilterError(f"a key attribute has no members, got {path!r}; name it alone")
        for step in path:
            if step is not EACH and not (isinstance(step, str) and step and step != OR):
                raise FilterError(
                    f"a path is made of names and EACH, got {step!r}; "
                    "Lambda has no index into a list, EACH stands for some element"
                )
            if isinstance(step, str) and not {*step.split(".")[1:]}.isdisjoint(_TYPES):
                refuse_dots(self.name, step)
        return Attribute(self, path)


Keys: Final = Image("Keys")
"""The key attributes of a record's item: `Keys("pk")`."""
NewImage: Final = Image("NewImage")
"""The item after the change: `NewImage("address", "city")`."""
OldImage: Final = Image("OldImage")
"""The item before the change."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute, a member of a map, or some element of a list, ready for a verb."""

    image: Image
    path: tuple[Step, ...]

    def __repr__(self) -> str:
        steps = ", ".join("EACH" if each is EACH else repr(each) for each in self.path)
        return f"{self.image.name}({steps})"

    def eq(self, value: Scalar) -> Condition:
        """It is this value, of this value's type. `eq("")` is the empty text, `eq(None)` NULL."""
        return self.is_in((value,))

    def ne(self, *values: Scalar, or_absent: bool = True) -> Condition:
        """It is none of these values."""
        denied: dict[str, list[str | bool]] = {}
        for letter, text in map(literal, _operands.at_least_one("ne", values)):
            denied.setdefault(letter, []).append(text)
        parts = (
            self._field(
                letter,
                *_operands.values_except(letter, banned),
                *_operands.or_absent_values(or_absent),
            )
            for letter, banned in denied.items()
        )
        # A value has one type, so where it must be there it differs in one type or in the other.
        return all_of(*parts) if or_absent else any_of(*parts)

    def is_in(self, values: Iterable[Scalar]) -> Condition:
        """It is one of these values; they may be of several types."""
        if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
            raise FilterError(f"is_in takes a list of values, got {values!r}; write [{values!r}]")
        pairs = map(literal, _operands.at_least_one("is_in", tuple(values)))
        return any_of(*(self._field(letter, text) for letter, text in pairs))

    def contains(self, *members: Scalar) -> Condition:
        """It is a set or a list with one of these members; no test of a part of a text."""
        found = []
        for letter, text in map(literal, _operands.at_least_one("contains", members)):
            if letter in SET_LETTERS:
                found.append(self._field(SET_LETTERS[letter], text))
            found.append(field(_path(self.image, (*self.path, EACH), letter), text))
        return any_of(*found)

    def begins_with(self, *prefixes: str | bytes) -> Condition:
        """It is text (or bytes) that begins with one of these."""
        pairs = map(_operands.prefix, _operands.at_least_one("begins_with", prefixes))
        return any_of(*(self._field(letter, {"prefix": text}) for letter, text in pairs))

    def not_begins_with(self, *prefixes: str, or_absent: bool = True) -> Condition:
        """It is no text that begins with one of these."""
        return self._not_text("prefix", _operands.texts("not_begins_with", prefixes), or_absent)

    def ends_with(self, *suffixes: str) -> Condition:
        """It is text that ends with one of these."""
        return self._text("suffix", _operands.texts("ends_with", suffixes))

    def not_ends_with(self, *suffixes: str, or_absent: bool = True) -> Condition:
        """It is no text that ends with one of these."""
        return self._not_text("suffix", _operands.texts("not_ends_with", suffixes), or_absent)

    def equals_ignore_case(self, *texts: str) -> Condition:
        """It is one of these texts, in upper case, lower case or any mixture."""
        found = _operands.foldable("equals_ignore_case", texts)
        return self._text("equals-ignore-case", found)

    def not_equals_ignore_case(self, *texts: str, or_absent: bool = True) -> Condition:
        """It is none of these texts, in whatever case."""
        found = _operands.foldable("not_equals_ignore_case", texts)
        return self._not_text("equals-ignore-case", found, or_absent)

    def exists(self, *letters: str) -> Condition:
        """It is there with one of these types (`"S"`, `"N"`, …); by default any but M and L.

        Lambda cannot see a map or a list as such: name a member instead.
        """
        return any_of(*(self._field(each, {"exists": True}) for each in self._letters(letters)))

    def not_exists(self, *letters: str) -> Condition:
        """It has none of these types; by default none but M and L, which Lambda cannot see.

        For an attribute that may be a map or a list, ask for a member that it always has.
        """
        return all_of(*(self._field(each, _operands.ABSENT) for each in self._letters(letters)))

    def between(self, low: object, high: object) -> NoReturn:
        """Refused: see `lt`."""
        self._refuse_order("between", low, high)

    def lt(self, value: object) -> NoReturn:
        """Refused, as are `lte`, `gt`, `gte` and `between`: attributes travel as text."""
        self._refuse_order("lt", value)

    def lte(self, value: object) -> NoReturn:
        """Refused: see `lt`."""
        self._refuse_order("lte", value)

    def gt(self, value: object) -> NoReturn:
        """Refused: see `lt`."""
        self._refuse_order("gt", value)

    def gte(self, value: object) -> NoReturn:
        """Refused: see `lt`."""
        self._refuse_order("gte", value)

    def _field(self, letter: str, *values: Value) -> Condition:
        return field(_path(self.image, self.path, letter), *values)

    def _text(self, operator: str, texts: tuple[str, ...]) -> Condition:
        return self._field("S", *({operator: text} for text in texts))

    def _not_text(self, operator: str, texts: tuple[str, ...], or_absent: bool) -> Condition:
        denied: Any = texts[0] if len(texts) == 1 else list(texts)
        return self._field(
            "S", {"anything-but": {operator: denied}}, *_operands.or_absent_values(or_absent)
        )

    def _letters(self, letters: tuple[str, ...]) -> tuple[str, ...]:
        for letter in letters:
            if letter not in LEAF_LETTERS:
                raise FilterError(
                    f"{letter!r} is no type whose values Lambda sees; "
                    f"give some of {', '.join(LEAF_LETTERS)}, and for a map or a list "
                    "name a member, as in NewImage('address', 'city')"
                )
        return letters or (_KEY_LETTERS if self.image is Keys else LEAF_LETTERS)

    def _refuse_order(self, verb: str, *values: object) -> NoReturn:
        bounds = ", ".join(map(repr, values))
        steps = ", ".join(map(repr, self.path))
        raise FilterError(
            f"{verb}({bounds}) on {self.image.name}({steps}): Lambda gets attributes as text and "
            "compares no order of them; list the values with is_in, write a flag attribute beside "
            "the number, or compare in the handler"
        )


def refuse_dots(image: str, name: str) -> NoReturn:
    """Raise for a dotted name that was meant as a path into a map."""
    head, *others = name.split(".")
    steps = ", ".join(repr(each) for each in (head, *others) if each not in _TYPES)
    raise FilterError(
        f"{name!r} names one attribute that has a dot in its name; "
        f"write {image}({steps}) for a member of a map"
    )


def _path(image: Image, path: tuple[Step, ...], letter: str) -> tuple[str, ...]:
    """The names and letters down to a value: `("dynamodb", "NewImage", "a", "M", "b", "S")`."""
    if image is Keys and letter not in _KEY_LETTERS:
        raise FilterError(f"a key is text, a number or bytes, never of type {letter}")
    steps: list[str] = []
    for step in path:
        steps += ["L"] if step is EACH else ["M", step]
    # The first step is an attribute itself, which stands in no map.
    return ("dynamodb", image.name, *steps[1:], letter)
