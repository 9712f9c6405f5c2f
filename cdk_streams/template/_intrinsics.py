"""CloudFormation's functions, worked out without an account: `{"Ref": "Size"}` becomes `"10"`.

A name that only a deployment knows becomes one of the right shape: `{"Fn::GetAtt": ["Queue",
"Arn"]}` is `arn:aws:sqs:us-east-1:123456789012:Queue`.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from cdk_streams.template import _names
from cdk_streams.template._conditions import holds
from cdk_streams.template._parameters import Parameters
from cdk_streams.template._values import (
    ABSENT,
    Unknown,
    Unresolved,
    only_deployed,
    text,
    whole_number,
)

__all__ = ["Resolver"]

_SUB = re.compile(r"\$\{(!?)([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):[^}]*\}\}")


class Resolver:
    """Work out values of one template.

    Args:
        template: The whole template: `{"Conditions": …, "Resources": …}`, loops expanded.
        parameters: The template's parameters with their values.
        region: What `AWS::Region` is.
        account: What `AWS::AccountId` is.

    """

    def __init__(
        self, template: Mapping[str, Any], parameters: Parameters, *, region: str, account: str
    ) -> None:
        self.parameters = parameters
        self.pseudo: Mapping[str, str] = _names.pseudo_parameters(region, account)
        self.resources: Mapping[str, Mapping[str, Any]] = {
            name: each
            for name, each in _section(template, "Resources").items()
            if isinstance(each, Mapping) and isinstance(each.get("Type"), str)
        }
        self._conditions = _section(template, "Conditions")
        self._mappings = _section(template, "Mappings")
        self._naming: set[str] = set()
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::Base64": self._base64,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::If": lambda argument: self.value(self._branch(argument)),
            "Fn::Join": self._join,
            "Fn::Length": lambda argument: len(self._list("Fn::Length", argument)),
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Fn::ToJsonString": self._to_json_string,
        }

    def tree(self, value: Any, place: str) -> Any:
        """Return the value resolved as far as it can be: an `Unknown` stands for what cannot.

        `place` names the value in a message. A property without a value (`AWS::NoValue`) is left
        out; for the value itself, None is returned.
        """
        resolved = self._tree(value, place)
        return None if resolved is ABSENT else resolved

    def properties(self, value: Any, place: str) -> Mapping[str, Any]:
        """Return an object resolved as by `tree`; what is no object is empty."""
        found = self.tree(value, place)
        return found if isinstance(found, Mapping) else {}

    def absence(self, logical_id: str) -> Unknown | None:
        """Return why a resource is not created, or may not be; None for one that is."""
        name = self.resources[logical_id].get("Condition")
        place = f"{logical_id}.Condition"
        if name is None:
            return None
        try:
            if self.condition(name):
                return None
        except Unresolved as error:
            return Unknown(f"{place}: {error.why}", name, refused=error.refused)
        return Unknown(f"{logical_id} is not created: its Condition {name} is false", name)

    def condition(self, name: Any) -> bool:
        """Decide one of the template's `Conditions`."""
        return holds({"Condition": name}, self._conditions, self.value)

    def value(self, value: Any) -> Any:
        """Return the value resolved completely.

        Raises:
            Unresolved: Something in it cannot be.

        """
        if isinstance(value, Mapping):
            if function := _function_name(value):
                return self._call(function, value[function])
            pairs = ((name, self.value(each)) for name, each in value.items())
            return {name: each for name, each in pairs if each is not ABSENT}
        if isinstance(value, list):
            return [each for each in map(self.value, value) if each is not ABSENT]
        if isinstance(value, str) and (found := _DYNAMIC.search(value)):
            raise only_deployed(f"{found[0]} is read at deployment")
        return value

    def _tree(self, value: Any, place: str) -> Any:
        if isinstance(value, list):
            items = (self._tree(each, f"{place}[{at}]") for at, each in enumerate(value))
            return [each for each in items if each is not ABSENT]
        function = _function_name(value) if isinstance(value, Mapping) else ""
        if isinstance(value, Mapping) and not function:
            parts = ((name, self._tree(each, f"{place}.{name}")) for name, each in value.items())
            return {name: each for name, each in parts if each is not ABSENT}
        try:
            if function == "Fn::If":
                return self._tree(self._branch(value[function]), place)
            return self.value(value)
        except Unresolved as error:
            return Unknown(f"{place}: {error.why}", value, refused=error.refused)

    def _call(self, function: str, argument: Any) -> Any:
        if function not in self._functions:
            raise only_deployed(f"{function} has no answer in the template")
        return self._functions[function](argument)

    def _branch(self, argument: Any) -> Any:
        match argument:
            case [condition, yes, no]:
                return yes if self.condition(condition) else no
        raise _malformed("Fn::If", argument)

    def _ref(self, name: Any) -> Any:
        if name == "AWS::NoValue":
            return ABSENT
        if not isinstance(name, str):
            name = text(self.value(name))
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters.value(name)
        logical_id, _, generated = name.partition(".")
        resource = self.resources.get(logical_id)
        if resource is None:
            raise Unresolved(f"nothing in the template is called {name!r}", refused=True)
        if generated in {"Alias", "Version"}:  # SAM's names for what it generates.
            resource = {
                "Type": f"AWS::Lambda::{generated}",
                "Properties": {"FunctionName": {"Ref": logical_id}},
            }
        return self._named(logical_id, lambda: _names.reference(logical_id, resource, self))

    def _get_att(self, argument: Any) -> Any:
        match argument:
            case str(whole):
                logical_id, _, wanted = whole.partition(".")
            case [first, *rest] if rest:
                logical_id = text(self.value(first))
                wanted = ".".join(text(self.value(each)) for each in rest)
            case _:
                raise _malformed("Fn::GetAtt", argument)
        resource = self.resources.get(logical_id)
        if resource is None:
            raise Unresolved(
                f"Fn::GetAtt names {logical_id!r}, which is no resource of the template",
                refused=True,
            )
        return self._named(logical_id, lambda: _names.attribute(logical_id, resource, wanted, self))

    def _named(self, logical_id: str, find: Callable[[], str]) -> str:
        """Return a resource's name or attribute, unless its own properties ask for it."""
        absent = self.absence(logical_id)
        if absent is not None:
            raise Unresolved(absent.why, refused=True)
        if logical_id in self._naming:
            raise Unresolved(f"{logical_id} refers to itself", refused=True)
        self._naming.add(logical_id)
        try:
            return find()
        finally:
            self._naming.discard(logical_id)

    def _sub(self, argument: Any) -> str:
        match argument:
            case str(whole):
                names: Mapping[str, Any] = {}
            case [str(whole), Mapping() as names]:
                pass
            case _:
                raise _malformed("Fn::Sub", argument)

        def put(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in names:
                return text(self.value(names[name]))
            whole = "." in name and name not in self.parameters
            return text(self._get_att(name) if whole else self._ref(name))

        return text(self.value(_SUB.sub(put, whole)))

    def _join(self, argument: Any) -> str:
        match argument:
            case [str(separator), parts]:
                return separator.join(text(each) for each in self._list("Fn::Join", parts))
        raise _malformed("Fn::Join", argument)

    def _split(self, argument: Any) -> list[str]:
        match argument:
            case [str(separator), whole] if separator:
                return text(self.value(whole)).split(separator)
        raise _malformed("Fn::Split", argument)

    def _select(self, argument: Any) -> Any:
        match argument:
            case [index, values]:
                pass
            case _:
                raise _malformed("Fn::Select", argument)
        at = whole_number(self.value(index))
        found = self._list("Fn::Select", values)
        if at is None or not 0 <= at < len(found):
            raise Unresolved(
                f"Fn::Select asks for item {text(self.value(index))} of a list of {len(found)}",
                refused=True,
            )
        return found[at]

    def _list(self, function: str, value: Any) -> list[Any]:
        found = self.value(value)
        if not isinstance(found, list):
            raise _malformed(function, value)
        return found

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(text(self.value(argument)).encode()).decode()

    def _to_json_string(self, argument: Any) -> str:
        if not isinstance(argument, (Mapping, list)):
            raise _malformed("Fn::ToJsonString", argument)
        return json.dumps(
            self.value(argument), separators=(",", ":"), ensure_ascii=False, default=text
        )

    def _find_in_map(self, argument: Any) -> Any:
        match argument:
            case [name, first, second, *options] if len(options) <= 1:
                path = [text(self.value(each)) for each in (name, first, second)]
            case _:
                raise _malformed("Fn::FindInMap", argument)
        found: Any = self._mappings
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is not None:
            return found
        if options and isinstance(options[0], Mapping) and "DefaultValue" in options[0]:
            return self.value(options[0]["DefaultValue"])
        raise Unresolved(f"Fn::FindInMap finds nothing at {'.'.join(path)}", refused=True)


def _section(template: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = template.get(name)
    return found if isinstance(found, Mapping) else {}


def _function_name(value: Mapping[str, Any]) -> str:
    """Return `Fn::Sub` for `{"Fn::Sub": …}`; empty for an object that is no function."""
    if len(value) != 1:
        return ""
    (name,) = value
    return name if name == "Ref" or str(name).startswith("Fn::") else ""


def _malformed(function: str, argument: Any) -> Unresolved:
    shown = repr(argument)
    cut = shown if len(shown) <= 80 else f"{shown[:80]}…"  # noqa: PLR2004 - a line's worth
    return Unresolved(f"{function} does not take {cut}", refused=True)
