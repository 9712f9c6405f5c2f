"""The expressions that `FakeDynamoDB` knows: conditions of guarded writes, and PartiQL inserts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from lambda_runtime import decode

__all__ = ["holds", "inserted_item"]

Attributes = dict[str, dict[str, Any]]
_TOKENS = re.compile(
    r"\s*(attribute_not_exists|attribute_exists|AND|OR|NOT|<>|<=|>=|[<>=()]|[#:]\w+)"
)
_COMPARISONS: dict[str, Any] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_INSERT = re.compile(r"""INSERT INTO "([^"]+)" VALUE \{(.*)\}$""", re.DOTALL)
_NAME = re.compile(r"'((?:[^']|'')*)'\s*:\s*\?")


def holds(request: Mapping[str, Any], item: Attributes) -> bool:
    """Whether the condition of a put holds for the item that is there; `{}` for none.

    It knows `attribute_exists`, `attribute_not_exists`, the six comparisons, AND, OR, NOT and
    parentheses; values of two types are never less, equal or greater, as in DynamoDB.

    Raises:
        NotImplementedError: The condition has anything else.
    """
    text = request.get("ConditionExpression")
    if text is None:
        return True
    reader = _Condition(text, request, item)
    try:
        value = reader.any_of()
    except (IndexError, KeyError, ValueError) as error:  # It ends too early, or names no value.
        raise _unknown(text) from error
    if reader.tokens:
        raise _unknown(text)
    return value


def inserted_item(statement: str, parameters: list[dict[str, Any]]) -> tuple[str, Attributes]:
    """The table and the item of `INSERT INTO "Orders" VALUE {'pk': ?, 'total': ?}`."""
    match = _INSERT.match(statement)
    if match is None:
        raise NotImplementedError(
            f"FakeDynamoDB runs INSERT INTO ... VALUE {{...}} alone, got {statement!r}; use a "
            "local DynamoDB for other statements"
        )
    names = [name.replace("''", "'") for name in _NAME.findall(match[2])]
    return match[1], dict(zip(names, parameters, strict=True))


def _unknown(text: str) -> NotImplementedError:
    return NotImplementedError(
        "FakeDynamoDB evaluates attribute_exists, attribute_not_exists, =, <>, <, <=, >, >=, AND, "
        f"OR, NOT and parentheses on attributes named #name and values named :value, got the "
        f"condition {text!r}; use a local DynamoDB for others"
    )


class _Condition:
    """One condition, read from left to right; OR binds weaker than AND, AND weaker than NOT."""

    def __init__(self, text: str, request: Mapping[str, Any], item: Attributes) -> None:
        self.tokens = _TOKENS.findall(text)
        if "".join(self.tokens) != text.replace(" ", ""):
            raise _unknown(text)
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})
        self._item = item

    def any_of(self) -> bool:
        value = self._all_of()
        while self._next_is("OR"):
            # Both sides are read, whatever the first one says.
            value = self._all_of() or value
        return value

    def _all_of(self) -> bool:
        value = self._one()
        while self._next_is("AND"):
            value = self._one() and value
        return value

    def _one(self) -> bool:
        if self._next_is("NOT"):
            return not self._one()
        if self._next_is("("):
            value = self.any_of()
            self.tokens.pop(0)
            return value
        token = self.tokens.pop(0)
        if token.startswith("attribute_"):
            _, name, _ = (self.tokens.pop(0) for _ in range(3))
            return bool((self._names[name] in self._item) == (token == "attribute_exists"))  # noqa: S105 - a function of DynamoDB, no password
        return self._compared(token, self.tokens.pop(0), self.tokens.pop(0))

    def _compared(self, left: str, operator: str, right: str) -> bool:
        there, given = self._item.get(self._names[left]), self._values[right]
        if there is None or there.keys() != given.keys():
            return operator == "<>"
        return bool(_COMPARISONS[operator](decode(there), decode(given)))

    def _next_is(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            self.tokens.pop(0)
            return True
        return False
