"""`Fn::ForEach`, written out: a template with loops as the template without that it stands for.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cdk_streams.template._values import Unresolved, text

__all__ = ["has_loops", "write_out"]

_LOOP = "Fn::ForEach::"
_VARIABLE = re.compile(r"([$&])\{([A-Za-z0-9]+)\}")


def has_loops(value: Any) -> bool:
    """Say whether a loop stands anywhere in the value."""
    if isinstance(value, Mapping):
        return any(str(name).startswith(_LOOP) or has_loops(each) for name, each in value.items())
    return isinstance(value, list) and any(map(has_loops, value))


def write_out(template: Mapping[str, Any], resolve: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the template with each loop replaced by what it makes.

    `resolve` works out the lists that loops run over. A loop over a list that only a deployment
    knows, or that CloudFormation refuses, makes nothing.
    """
    written: dict[str, Any] = _Loops(resolve).of(template, {})
    return written


class _Loops:
    def __init__(self, resolve: Callable[[Any], Any]) -> None:
        self._resolve = resolve

    def of(self, value: Any, variables: Mapping[str, str]) -> Any:
        """Return the value without loops; `variables` are those of the loops around it."""
        if isinstance(value, str):
            return (
                _VARIABLE.sub(lambda found: _put(found, variables), value) if variables else value
            )
        if isinstance(value, list):
            return [self.of(each, variables) for each in value]
        if not isinstance(value, Mapping):
            return value
        match value:
            case {"Ref": str(name)} if name in variables and len(value) == 1:
                return variables[name]
        written: dict[str, Any] = {}
        for name, each in value.items():
            if str(name).startswith(_LOOP):
                written |= self._loop(each, variables)
            else:
                written[self.of(name, variables)] = self.of(each, variables)
        return written

    def _loop(self, loop: Any, variables: Mapping[str, str]) -> dict[str, Any]:
        written: dict[str, Any] = {}
        match loop:
            case [str(variable), collection, Mapping() as body]:
                for item in self._items(self.of(collection, variables)):
                    written |= self.of(body, {**variables, variable: item})
        return written

    def _items(self, collection: Any) -> list[str]:
        try:
            found = self._resolve(collection)
            return [text(each) for each in found] if isinstance(found, list) else []
        except Unresolved:
            return []


def _put(found: re.Match[str], variables: Mapping[str, str]) -> str:
    sign, name = found.groups()
    if name not in variables:
        return found[0]
    # `&{Name}` leaves out what a logical id cannot hold.
    return variables[name] if sign == "$" else re.sub(r"[^A-Za-z0-9]", "", variables[name])
