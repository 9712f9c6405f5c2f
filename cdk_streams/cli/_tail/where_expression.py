"""The condition of `tail --where`: DynamoDB's condition expressions, with the values written out.

    status = "PAID" AND total > 100
    attribute_exists(coupon) OR begins_with(customer.name, "A")
    old.status <> new.status

An attribute is that of the new image, of the old one when the item was removed, and of the keys
when the stream carries no image; `new.`, `old.` and `keys.` name one of them. A comparison with an
attribute that is not there, or with a value of another type, is false.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from cdk_streams.errors import FilterError
from lambda_runtime import Change, Remove

__all__ = ["parse_where"]

Predicate = Callable[[Change], bool]
_Value = Callable[[Change], Any]

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*"|'[^']*')
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<sign><>|!=|<=|>=|=|<|>|\(|\)|,)
      | (?P<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)
    )""",
    re.VERBOSE,
)
_MISSING: Final = object()
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda left, right: bool(left == right),
    "<>": lambda left, right: bool(left != right),
    "!=": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}
_LITERALS: Final = {"true": True, "false": False, "null": None}
_WORDS: Final = {"and", "or", "not", "in", "between"}


def parse_where(text: str) -> Predicate:
    """Return a function that tells whether a change fulfils the condition.

    Raises:
        FilterError: The text is no condition; `where` is the place of the fault in it.

    """
    parser = _Parser(text)
    condition = parser.any_of()
    parser.end()
    return condition


class _Parser:
    """Reads a condition from left to right: OR of ANDs of comparisons."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._tokens = list(self._split())
        self._tokens.append(("end", "", len(text)))

    def any_of(self) -> Predicate:
        """Read conditions joined by OR."""
        parts = [self._all_of()]
        while self._takes("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else lambda change: any(each(change) for each in parts)

    def end(self) -> None:
        """Refuse what is left behind the condition."""
        if self._tokens[0][0] != "end":
            raise self._fault("AND, OR or the end")

    def _all_of(self) -> Predicate:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda change: all(each(change) for each in parts)

    def _one(self) -> Predicate:
        if self._takes("not"):
            denied = self._one()
            return lambda change: not denied(change)
        if self._takes("("):
            inner = self.any_of()
            self._need(")")
            return inner
        kind, word, _ = self._tokens[0]
        if kind == "name" and word in _FUNCTIONS and self._tokens[1][1] == "(":
            del self._tokens[:2]
            return self._function(word)
        return self._comparison(self._value())

    def _function(self, name: str) -> Predicate:
        function, count = _FUNCTIONS[name]
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        if len(values) != count:
            raise self._fault(f"{name} with {count} argument{'s' * (count != 1)}")
        self._need(")")
        return lambda change: _holds(function, *(each(change) for each in values))

    def _comparison(self, left: _Value) -> Predicate:
        if self._takes("between"):
            low = self._value()
            self._need("and")
            high = self._value()
            return lambda change: _holds(
                lambda value, least, most: bool(least <= value <= most),
                left(change),
                low(change),
                high(change),
            )
        if self._takes("in"):
            self._need("(")
            values = [self._value()]
            while self._takes(","):
                values.append(self._value())
            self._need(")")
            return lambda change: any(
                _holds(_COMPARE["="], left(change), each(change)) for each in values
            )
        for sign, compare in _COMPARE.items():
            if self._takes(sign):
                right = self._value()
                return lambda change: _holds(compare, left(change), right(change))
        raise self._fault('a comparison, such as = "PAID"')

    def _value(self) -> _Value:
        kind, word, _ = self._tokens[0]
        if kind not in {"text", "number", "name"} or word.lower() in _WORDS:
            raise self._fault("an attribute's name, a number or a text in quotes")
        del self._tokens[0]
        if kind == "name" and word.lower() not in _LITERALS:
            return _attribute(word)
        constant = _constant(kind, word)
        return lambda _change: constant

    def _takes(self, word: str) -> bool:
        kind, found, _ = self._tokens[0]
        if kind not in {"sign", "name"} or found.lower() != word:
            return False
        del self._tokens[0]
        return True

    def _need(self, word: str) -> None:
        if not self._takes(word):
            raise self._fault(word.upper())

    def _split(self) -> Any:
        at = 0
        while self._text[at:].strip():
            found = _TOKEN.match(self._text, at)
            if found is None:
                at += len(self._text[at:]) - len(self._text[at:].lstrip())
                raise self._refused(at, "a name, a number, a text in quotes or a comparison")
            kind = str(found.lastgroup)
            yield kind, found[kind], found.start(kind)
            at = found.end()

    def _fault(self, expected: str) -> FilterError:
        return self._refused(self._tokens[0][2], expected)

    def _refused(self, at: int, expected: str) -> FilterError:
        got = repr(self._text[at : at + 20]) if self._text[at:] else "the end"
        return FilterError(f"expected {expected}, got {got}", where=f"character {at + 1}")


def _constant(kind: str, word: str) -> Any:
    if kind == "number":
        return Decimal(word)
    if kind == "name":
        return _LITERALS[word.lower()]
    return json.loads(word) if word.startswith('"') else word[1:-1]


def _attribute(path: str) -> _Value:
    image, *names = path.split(".")
    if image not in {"new", "old", "keys"} or not names:
        image, names = "", path.split(".")

    def value(change: Change) -> Any:
        found: Any = _image(change, image)
        for name in names:
            if not isinstance(found, Mapping) or name not in found:
                return _MISSING
            found = found[name]
        return found

    return value


def _image(change: Change, image: str) -> Any:
    if image == "keys":
        return change.keys
    if image == "old" or (not image and isinstance(change, Remove)):
        return change.old if change.has_old else (change.keys if not image else _MISSING)
    if change.has_new:
        return change.new
    return change.keys if not image else _MISSING


def _holds(test: Callable[..., bool], *values: Any) -> bool:
    """Apply a test; it does not hold for what is not there, nor for types that do not compare."""
    if any(each is _MISSING for each in values) and test not in {_exists, _not_exists}:
        return False
    try:
        return test(*values)
    except TypeError:
        return False


def _exists(value: Any) -> bool:
    return value is not _MISSING


def _not_exists(value: Any) -> bool:
    return value is _MISSING


def _begins_with(value: Any, start: Any) -> bool:
    return isinstance(value, str) and value.startswith(start)


def _contains(value: Any, part: Any) -> bool:
    return isinstance(value, (str, list, frozenset)) and part in value


_FUNCTIONS: Final[Mapping[str, tuple[Callable[..., bool], int]]] = {
    "attribute_exists": (_exists, 1),
    "attribute_not_exists": (_not_exists, 1),
    "begins_with": (_begins_with, 2),
    "contains": (_contains, 2),
}
