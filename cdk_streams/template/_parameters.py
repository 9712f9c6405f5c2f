"""The parameters of a template: their values as text, checked as CloudFormation checks them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdk_streams.errors import TemplateError
from cdk_streams.template._values import Unresolved, text

__all__ = ["Parameters"]

_SSM = "AWS::SSM::Parameter::Value<"


class Parameters:
    """The declared parameters with the values given for them.

    Args:
        declared: The template's `Parameters`.
        given: Values in place of the defaults. For a parameter that CloudFormation reads from the
            SSM parameter store, what is stored there.

    Raises:
        TemplateError: A given value that CloudFormation refuses: for a parameter that is not
            declared, not among `AllowedValues`, or no number.

    """

    def __init__(self, declared: Any, given: Mapping[str, Any]) -> None:
        self._declared = {
            name: each
            for name, each in (declared.items() if isinstance(declared, Mapping) else ())
            if isinstance(each, Mapping)
        }
        self._given = given
        for name in given:
            if name not in self._declared:
                raise TemplateError(
                    f"parameters must be declared by the template, got {name!r}; "
                    f"it declares {', '.join(self._declared) or 'none'}"
                )
            try:
                self.value(name)
            except Unresolved as error:
                raise TemplateError(f"parameters: {error.why}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._declared

    def value(self, name: str) -> str | list[str]:
        """Return the parameter's value: text, or a list of texts for a list type.

        Raises:
            Unresolved: It has no value here, or one that CloudFormation refuses.

        """
        declared = self._declared[name]
        kind = str(declared.get("Type", "String"))
        if name in self._given:
            value = self._given[name]
        elif kind.startswith(_SSM):
            raise Unresolved(
                f"the parameter {name!r} is read from the SSM parameter "
                f"{declared.get('Default')!r} at deployment; pass its value: "
                f"parameters={{{name!r}: …}}"
            )
        elif "Default" in declared:
            value = declared["Default"]
        else:
            raise Unresolved(
                f"the parameter {name!r} has no default; pass parameters={{{name!r}: …}}"
            )
        if "List" in kind:
            values = _texts(value)
            _check(name, kind, declared, values)
            return values
        whole = ",".join(_texts(value)) if isinstance(value, (list, tuple)) else text(value)
        _check(name, kind, declared, [whole])
        return whole


def _texts(value: Any) -> list[str]:
    """Return the texts of a list, which may be given as text with commas."""
    if isinstance(value, (list, tuple)):
        return [text(each) for each in value]
    return [each.strip() for each in text(value).split(",")]


def _check(name: str, kind: str, declared: Mapping[str, Any], values: list[str]) -> None:
    allowed = declared.get("AllowedValues")
    spelled = [text(each) for each in allowed] if isinstance(allowed, list) else values
    for each in values:
        if each not in spelled:
            raise Unresolved(
                f"the parameter {name!r} must be one of {', '.join(spelled)}, got {each!r}",
                refused=True,
            )
        if "Number" in kind and not _is_number(each):
            raise Unresolved(f"the parameter {name!r} must be a number, got {each!r}", refused=True)


def _is_number(spelled: str) -> bool:
    try:
        float(spelled)
    except ValueError:
        return False
    return True
