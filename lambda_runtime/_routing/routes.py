"""A route: the function that one decorator declared, the changes it takes, and how it is called.

Everything that can be wrong about a route is found here, while its module is imported.
"""

from __future__ import annotations

from lambda_runtime._changes.changes import Modify, Remove
from lambda_runtime._routing.route_conditions import (
    all_of,
    attribute_is,
    changed,
    expiry,
    key_matches,
    predicate,
)
from lambda_runtime._routing.signatures import arguments_of, check_result, name_of
from lambda_runtime.errors import RouteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from lambda_runtime._routing.route_conditions import Condition

__all__ = ["Route", "declared"]


class Route:
    """One function and the changes it takes.

    `takes` is None for a route that takes every change of its event. `wants_context` says that the
    function is called with the change and the Lambda context, not with the change alone.
    """

    __slots__ = ("function", "name", "takes", "wants_context")

    def __init__(self, function: Callable[..., object], takes: Condition | None) -> None:
        arguments = ("change", "context")
        self.wants_context = arguments_of(function, arguments, least=1) == len(arguments)
        self.function = function
        self.takes = takes
        self.name = name_of(function)

    def call(self, change: Any, context: Any) -> None:
        """Hand the function a change, as it wants to be called."""
        result = self.function(change, context) if self.wants_context else self.function(change)
        if result is not None:
            check_result(self.function, result)

    def with_function(self, function: Callable[..., object]) -> Route:
        """The same route around another function, which takes the same arguments."""
        found = Route.__new__(Route)
        found.function, found.takes = function, self.takes
        found.name, found.wants_context = self.name, self.wants_context
        return found

    def __repr__(self) -> str:
        return f"<Route {self.name}>"


def declared(
    change: type,
    function: Any,
    attributes: tuple[Any, ...],
    /,
    *,
    expired: bool | None = None,
    where: Mapping[str, Any] | None = None,
    was: Mapping[str, Any] | None = None,
    when: Condition | None = None,
    keys: Mapping[str, Any] | None = None,
    **key: Any,
) -> Route:
    """The route of one declaration; raises `RouteError` for anything that cannot work.

    `change` is Insert, Modify or Remove; the conditions are those of the decorators of `Router`.
    """
    if expired is not None and change is not Remove:
        raise RouteError(f"only a Remove can have expired, got expired={expired!r} for another")
    if was is not None and change is not Modify:
        raise RouteError(f"only a Modify has two images to compare, got was={was!r} for another")
    for name, values in (("where", where), ("was", was)):
        if values is not None and not hasattr(values, "items"):
            raise RouteError(f"{name} must be a dict such as {{'status': 'PAID'}}, got {values!r}")
    image = "old" if change is Remove else "new"
    found = [] if expired is None else [expiry(wanted=expired)]
    found += [key_matches(name, wanted) for name, wanted in {**(keys or {}), **key}.items()]
    if attributes:
        found.append(changed(attributes))
    found += [attribute_is(image, name, value) for name, value in (where or {}).items()]
    found += [attribute_is("old", name, value) for name, value in (was or {}).items()]
    if when is not None:
        found.append(predicate(when))
    return Route(function, all_of(found))
