"""Lambda functions of a template, SAM's among them with what `Globals` gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cdk_streams.mapping.limits import (
    LAMBDA_DEFAULT_MEMORY_MB,
    LAMBDA_DEFAULT_TIMEOUT,
    MAX_MEMORY_MB,
    MAX_TIMEOUT,
)
from cdk_streams.template._intrinsics import Resolver
from cdk_streams.template._names import name_of, properties_of
from cdk_streams.template._values import Unknown, Unresolved, text, whole_number

__all__ = ["FunctionResource", "function_properties", "read_function"]

_SERVERLESS = "AWS::Serverless::Function"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionResource:
    """A function of a template.

    Args:
        logical_id: Its name in the template.
        place: Where it stands: `Resources.Audit`.
        name: The function's name; the logical id where the template gives none.
        timeout_s: Seconds that a call may take, 1 to 900; 3 where the template gives none.
        memory_mb: Memory in MB, 128 to 10,240; 128 where the template gives none.
        reserved_concurrency: Calls at once at most, 0 or more; None: no limit of its own.
        environment: Its variables. `Unknown` is the value of one that only a deployment knows.
        has_dead_letter: Whether it has a dead-letter target for asynchronous calls.
        layers: References to its layers: `{"Ref": "Layer"}` or an ARN.
        absent: Why it is not created: its condition is false or unknown. None: it is created.

    """

    logical_id: str
    place: str
    name: str
    timeout_s: int | Unknown
    memory_mb: int | Unknown
    reserved_concurrency: int | Unknown | None
    environment: Mapping[str, str | Unknown]
    has_dead_letter: bool
    layers: tuple[Any, ...]
    absent: Unknown | None


def read_function(
    logical_id: str, resolver: Resolver, shared: Mapping[str, Any]
) -> FunctionResource:
    """Read a function; `shared` is the template's `Globals.Function`."""
    resource = resolver.resources[logical_id]
    given = resolver.properties(function_properties(resource, shared), logical_id)

    def number(name: str, default: int | None, low: int, high: int | None) -> Any:
        value = default if given.get(name) is None else given[name]
        return _number(value, f"{logical_id}.{name}", low, high)

    layers = function_properties(resource, shared).get("Layers")
    default_s, max_s = (int(each.total_seconds()) for each in (LAMBDA_DEFAULT_TIMEOUT, MAX_TIMEOUT))
    default_mb = LAMBDA_DEFAULT_MEMORY_MB
    return FunctionResource(
        logical_id=logical_id,
        place=f"Resources.{logical_id}",
        name=name_of(logical_id, resource, resolver),
        timeout_s=number("Timeout", default_s, 1, max_s),
        memory_mb=number("MemorySize", default_mb, default_mb, MAX_MEMORY_MB),
        reserved_concurrency=number("ReservedConcurrentExecutions", None, 0, None),
        environment=_environment(given.get("Environment"), f"{logical_id}.Environment"),
        has_dead_letter="DeadLetterConfig" in given or "DeadLetterQueue" in given,
        layers=tuple(layers) if isinstance(layers, list) else (),
        absent=resolver.absence(logical_id),
    )


def function_properties(
    resource: Mapping[str, Any], shared: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return a function's properties as they stand in the template, SAM's with its `Globals`.

    SAM merges objects, puts the function's lists behind the shared ones, and takes the function's
    value for the rest.
    """
    own = properties_of(resource)
    merged: Mapping[str, Any] = own if resource.get("Type") != _SERVERLESS else _merged(shared, own)
    return merged


def _merged(shared: Any, own: Any) -> Any:
    if isinstance(shared, Mapping) and isinstance(own, Mapping):
        if any(str(name).startswith("Fn::") or name == "Ref" for name in (*shared, *own)):
            return own
        both = {name: _merged(shared[name], own[name]) for name in shared.keys() & own.keys()}
        return {**shared, **own, **both}
    if isinstance(shared, list) and isinstance(own, list):
        return [*shared, *own]
    return own


def _number(value: Any, place: str, low: int, high: int | None) -> int | Unknown | None:
    if value is None or isinstance(value, Unknown):
        return value
    number = whole_number(value)
    if number is None or number < low or (high is not None and number > high):
        upper = f" to {high:,}" if high is not None else " or more"
        return Unknown(f"{place} must be {low}{upper}, got {value!r}", value, refused=True)
    return number


def _environment(environment: Any, place: str) -> dict[str, str | Unknown]:
    variables = environment.get("Variables") if isinstance(environment, Mapping) else None
    found: dict[str, str | Unknown] = {}
    for name, value in variables.items() if isinstance(variables, Mapping) else ():
        try:
            found[name] = value if isinstance(value, Unknown) else text(value)
        except Unresolved as error:
            found[name] = Unknown(f"{place}.Variables.{name}: {error.why}", value, refused=True)
    return found
