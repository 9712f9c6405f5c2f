"""CloudFormation's conditions: `Fn::Equals` compares texts, so a YAML true equals `"true"`.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cdk_streams.template._values import Unresolved, as_text

__all__ = ["holds"]


def holds(
    rule: Any,
    conditions: Mapping[str, Any],
    resolve: Callable[[Any], Any],
    within: tuple[str, ...] = (),
) -> bool:
    """Decide a condition.

    Args:
        rule: `{"Condition": "IsProd"}`, `{"Fn::Equals": [a, b]}`, `{"Fn::Not": [rule]}` and so on.
        conditions: The template's `Conditions`, by name.
        resolve: Works out the values that `Fn::Equals` compares.
        within: The names of the conditions that led here.

    Raises:
        Unresolved: It cannot be decided, or CloudFormation refuses it.

    """
    match rule:
        case {"Condition": str(name)} if name in within:
            raise Unresolved(f"the condition {name!r} refers to itself", refused=True)
        case {"Condition": str(name)} if name in conditions:
            return holds(conditions[name], conditions, resolve, (*within, name))
        case {"Condition": name}:
            raise Unresolved(f"nothing in Conditions is called {name!r}", refused=True)
        case {"Fn::Equals": [left, right]}:
            return bool(as_text(resolve(left)) == as_text(resolve(right)))
        case {"Fn::Not": [one]}:
            return not holds(one, conditions, resolve, within)
        case {"Fn::And": [*parts]}:
            return not _any(parts, lambda each: not holds(each, conditions, resolve, within))
        case {"Fn::Or": [*parts]}:
            return _any(parts, lambda each: holds(each, conditions, resolve, within))
    raise Unresolved(f"{str(rule)[:80]} is no condition", refused=True)


def _any(parts: list[Any], decide: Callable[[Any], bool]) -> bool:
    """Say whether one part is true, whatever the parts are that cannot be decided."""
    undecided: Unresolved | None = None
    for each in parts:
        try:
            if decide(each):
                return True
        except Unresolved as error:
            undecided = undecided or error
    if undecided is not None:
        raise undecided
    return False
