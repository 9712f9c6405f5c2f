"""The event source mapping of one consumer, and the variable by which its function knows of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from typing import Any, Final, TypeAlias

from aws_cdk import CfnParameter, IResolvable
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_streams.constructs._consumer_view import AnyFunction, function_behind
from cdk_streams.constructs._keys import check_key
from cdk_streams.filters import Filter
from cdk_streams.mapping import (
    PARTIAL_RESPONSE_VARIABLE,
    REJECT_QUEUE_VARIABLE,
    MappingSettings,
)

__all__ = [
    "Switch",
    "check_filters",
    "new_mapping",
    "set_partial_response",
    "set_reject_queue",
    "settings_from_arguments",
]

Switch: TypeAlias = bool | CfnParameter | IResolvable
"""On or off: now, or when the stack is deployed."""

_SETTINGS: Final = frozenset(signature(MappingSettings).parameters)


def set_partial_response(function: AnyFunction) -> None:
    """Set the variable by which `lambda_runtime` knows that its partial responses are read.

    An imported function cannot be changed: set `STREAM_PARTIAL_RESPONSE=1` where it is defined.
    """
    behind = function_behind(function)
    if isinstance(behind, (lambda_.Function, lambda_.SingletonFunction)):
        behind.add_environment(PARTIAL_RESPONSE_VARIABLE, "1")


def set_reject_queue(function: AnyFunction, url: str) -> None:
    """Set the variable by which `lambda_runtime` knows where rejected records go."""
    behind = function_behind(function)
    if isinstance(behind, (lambda_.Function, lambda_.SingletonFunction)):
        behind.add_environment(REJECT_QUEUE_VARIABLE, url)


def settings_from_arguments(arguments: Mapping[str, Any]) -> MappingSettings:
    """Return the settings that the arguments of a consumer make.

    Each argument with the name of a setting is taken as it is, but for what CDK wraps: an enum, a
    key, a filter, a switch of the deployment. The destination is not known yet.

    Raises:
        SettingsError: Values that Lambda refuses; all of them in one error.
        SourceError: A filter key that is no key of CDK's.

    """
    key, position = arguments["filter_encryption"], arguments["starting_position"]
    check_key(key)
    return MappingSettings(
        **{name: arguments[name] for name in _SETTINGS & arguments.keys()}
        | {
            "starting_position": getattr(position, "value", position),
            "filters": _unwrap_filters(arguments["filters"]),
            "filter_encryption_key": key and key.key_arn,
            "enabled": _at_synthesis(arguments["enabled"]),
            "on_failure": None,
        }
    )


def _unwrap_filters(filters: Any) -> Any:
    """Return the patterns; what CDK's `FilterCriteria.filter(...)` gives is `{"pattern": …}`."""
    if isinstance(filters, (str, Mapping, Filter)) or not isinstance(filters, Iterable):
        return filters
    return [
        each["pattern"] if isinstance(each, Mapping) and set(each) == {"pattern"} else each
        for each in filters
    ]


def check_filters(given: Iterable[Any], texts: Sequence[str], view_type: str | None) -> None:
    """Refuse patterns that Lambda accepts and that no record of the stream can decide.

    `texts` are those given, found valid. A `Filter` was checked when it was made, where
    `Filter.pattern(..., validate=False)` lets a pattern be; that the stream lacks an image is known
    here only.

    Raises:
        FilterError: The first such pattern, with its place and what to write instead.

    """
    for each, text in zip(given, texts, strict=True):
        checked = each if isinstance(each, Filter) else Filter.pattern(text)
        if view_type is not None:
            checked.check(view_type)


def _at_synthesis(enabled: Any) -> Any:
    """Return the switch, for the settings to check; True where the deployment decides."""
    at_deploy_time = isinstance(enabled, CfnParameter) or hasattr(enabled, "resolve")
    return True if at_deploy_time else enabled


def new_mapping(
    scope: Construct,
    stream_arn: str,
    function: AnyFunction,
    settings: MappingSettings,
    enabled: Switch,
) -> lambda_.CfnEventSourceMapping:
    """Create the mapping with every property that `settings.to_template` has.

    A property that CDK's class does not know yet is a TypeError, never left out. `enabled` takes
    precedence over the settings where the deployment decides.
    """
    properties = {_argument(name): _struct(value) for name, value in settings.to_template().items()}
    if not isinstance(enabled, bool):
        properties["enabled"] = enabled.value if isinstance(enabled, CfnParameter) else enabled
    return lambda_.CfnEventSourceMapping(
        scope,
        "Mapping",
        event_source_arn=stream_arn,
        function_name=function.function_arn,
        **properties,
    )


def _argument(name: str) -> str:
    """Return CDK's name for a property: `BatchSize` is `batch_size`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _struct(value: Any) -> Any:
    """Return a value as Node takes it: `{"OnFailure": …}` is `{"onFailure": …}`."""
    if isinstance(value, list):
        return [_struct(each) for each in value]
    if isinstance(value, Mapping):
        return {name[:1].lower() + name[1:]: _struct(each) for name, each in value.items()}
    return value
