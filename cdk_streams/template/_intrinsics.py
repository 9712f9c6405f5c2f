"""CloudFormation's functions, worked out without an account: `{"Ref": "Size"}` becomes 10.

A value that only a deployment knows, such as an ARN, becomes one of the right shape:
`{"Fn::GetAtt": ["Queue", "Arn"]}` is `arn:aws:sqs:us-east-1:123456789012:Queue`.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from cdk_streams.errors import SourceError
from cdk_streams.template._names import attribute, pseudo_parameters, reference

__all__ = ["Resolver"]

_SUB = re.compile(r"\$\{(!?)([^}]*)\}")
_ABSENT = object()


class Resolver:
    """Works out values of one template.

    Args:
        template: The whole template: `{"Parameters": …, "Resources": …}`.
        parameters: Values for parameters, in place of their defaults.
        region: What `AWS::Region` is.
        account: What `AWS::AccountId` is.

    """

    def __init__(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, Any],
        *,
        region: str,
        account: str,
    ) -> None:
        self.template = template
        self.parameters = parameters
        self.pseudo = pseudo_parameters(region, account)
        self.place = ""
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Split": self._split,
            "Fn::Select": self._select,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
        }

    def resolve(self, value: Any, place: str) -> Any:
        """Return the value with every function worked out; `place` names it in an error.

        `{"Ref": "AWS::NoValue"}` is None, and inside of a list or an object it is left out.

        Raises:
            SourceError: A parameter without a value, a name that is not in the template, or a
                function whose answer the template does not hold, such as `Fn::ImportValue`.

        """
        self.place = place
        resolved = self._value(value)
        return None if resolved is _ABSENT else resolved

    def _value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if name in self._functions:
                    return self._functions[name](argument)
                if name.startswith("Fn::"):
                    self._refuse(f"{name} has no answer in the template")
            pairs = ((name, self._value(each)) for name, each in value.items())
            return {name: each for name, each in pairs if each is not _ABSENT}
        if isinstance(value, list):
            return [each for each in map(self._value, value) if each is not _ABSENT]
        return value

    def _refuse(self, why: str) -> NoReturn:
        raise SourceError(f"{self.place}: {why}; pass a template where it is a plain value")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _ABSENT
        if name in self.pseudo:
            return self.pseudo[name]
        resource = self.template.get("Resources", {}).get(name)
        if resource is not None:
            return reference(name, resource, self)
        return self._parameter(name)

    def _parameter(self, name: str) -> Any:
        if name in self.parameters:
            return self.parameters[name]
        declared = self.template.get("Parameters", {}).get(name)
        if declared is None:
            self._refuse(f"nothing in the template is called {name!r}")
        if "Default" not in declared:
            raise SourceError(
                f"{self.place}: the parameter {name!r} has no default; "
                f"pass parameters={{{name!r}: …}}"
            )
        default = declared["Default"]
        if "List" in str(declared.get("Type", "")) and isinstance(default, str):
            return [each.strip() for each in default.split(",")]
        return default

    def _get_att(self, argument: Any) -> Any:
        name, _, wanted = argument.partition(".") if isinstance(argument, str) else ("", "", "")
        if not isinstance(argument, str):
            name, wanted = argument
        resource = self.template.get("Resources", {}).get(name)
        if resource is None:
            self._refuse(f"Fn::GetAtt names {name!r}, which is no resource of the template")
        found = attribute(name, resource, wanted, self)
        if found is None:
            self._refuse(
                f"{name}.{wanted} of a {resource.get('Type')} is known only after a deployment"
            )
        return found

    def _sub(self, argument: Any) -> str:
        text, names = argument if isinstance(argument, list) else (argument, {})

        def put(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in names:
                return str(self._value(names[name]))
            return str(self._get_att(name) if "." in name else self._ref(name))

        return _SUB.sub(put, text)

    def _join(self, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(str(each) for each in self._value(parts))

    def _split(self, argument: Any) -> list[str]:
        separator, text = argument
        return str(self._value(text)).split(separator)

    def _select(self, argument: Any) -> Any:
        index, values = argument
        return self._value(values)[int(self._value(index))]

    def _find_in_map(self, argument: Any) -> Any:
        name, *path = (self._value(each) for each in argument[:3])
        found: Any = self.template.get("Mappings", {}).get(name, {})
        for step in path:
            found = found.get(step, {})
        if found == {}:
            self._refuse(f"Fn::FindInMap finds nothing at {'.'.join([name, *path])}")
        return found

    def _if(self, argument: Any) -> Any:
        condition, yes, no = argument
        return self._value(yes if self.condition(condition) else no)

    def exists(self, logical_id: str) -> bool:
        """Say whether a resource is made at all: its `Condition` holds, or it has none."""
        self.place = f"{logical_id}.Condition"
        condition = self.template["Resources"][logical_id].get("Condition")
        return condition is None or self.condition(condition)

    def condition(self, name: str) -> bool:
        """Decide one of the template's `Conditions`."""
        conditions = self.template.get("Conditions", {})
        if name not in conditions:
            self._refuse(f"nothing in Conditions is called {name!r}")
        return self._holds(conditions[name])

    def _holds(self, rule: Mapping[str, Any]) -> bool:
        ((name, argument),) = rule.items()
        if name == "Condition":
            return self.condition(argument)
        if name == "Fn::Equals":
            left, right = map(self._value, argument)
            return str(left) == str(right)
        if name == "Fn::Not":
            return not self._holds(argument[0])
        if name not in {"Fn::And", "Fn::Or"}:
            self._refuse(f"{name} is no condition")
        return (all if name == "Fn::And" else any)(self._holds(each) for each in argument)
