"""Facts from what `cdk_streams.template` reads, and from properties that CDK has rendered.

A value that is known only at deploy time (`{"Ref": "Size"}`) is None, which no rule speaks about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Final, TypeVar

from cdk_streams.checks._facts import Destination, Function, Source
from cdk_streams.mapping import DestinationKind, MappingSettings
from cdk_streams.mapping.presets import SAFE
from cdk_streams.template import (
    DestinationResource,
    StackTemplate,
    Unknown,
    read,
    settings_or_faults,
)

__all__ = [
    "UNKNOWN_SETTINGS",
    "allows_writes",
    "destination",
    "destination_facts",
    "durable_timeout",
    "function",
    "known_or_none",
    "may_write",
    "settings",
    "table",
]

Properties = Mapping[str, Any]
Statements = Iterable[Mapping[str, Any]]
T = TypeVar("T")

# Deploy-time values are replaced by safe settings, so no rule reports what cannot be seen.
UNKNOWN_SETTINGS: Final = MappingSettings(**SAFE).to_template()
_STREAM: Final = "arn:aws:dynamodb:us-east-1:123456789012:table/T/stream/2026-01-01T00:00:00.000"
_WRITES: Final = (
    *("dynamodb:putitem", "dynamodb:updateitem", "dynamodb:deleteitem"),
    *("dynamodb:batchwriteitem", "dynamodb:partiqlinsert", "dynamodb:partiqlupdate"),
    "dynamodb:partiqldelete",
)


def settings(properties: Properties) -> tuple[MappingSettings | None, tuple[str, ...]]:
    """Return the settings of a mapping and the faults of what Lambda refuses."""
    given = {"StartingPosition": "TRIM_HORIZON", **properties, "EventSourceArn": _STREAM}
    mapping = _read(X=_resource("AWS::Lambda::EventSourceMapping", given)).mappings["X"]
    return settings_or_faults(mapping, UNKNOWN_SETTINGS)


def table(name: str, properties: Properties) -> Source:
    """Return the facts of an `AWS::DynamoDB::GlobalTable` or `AWS::DynamoDB::Table`."""
    found = _read(X=_resource("AWS::DynamoDB::GlobalTable", properties)).tables["X"]
    return Source(
        name=name,
        has_stream=found.view_type is not None,
        view_type=known_or_none(found.view_type),
        replicas=found.replicas,
    )


def function(name: str, properties: Properties) -> Function:
    """Return the facts of an `AWS::Lambda::Function` that stand in its own properties."""
    found = _read(X=_resource("AWS::Lambda::Function", properties)).functions["X"]
    timeout_s = known_or_none(found.timeout_s)
    return Function(
        name=name,
        timeout=None if timeout_s is None else timedelta(seconds=timeout_s),
        memory_mb=known_or_none(found.memory_mb),
        reserved_concurrency=known_or_none(found.reserved_concurrency),
        has_async_dead_letter=found.has_dead_letter,
        has_role=True,
        durable_timeout=durable_timeout(properties),
    )


def durable_timeout(properties: Properties) -> timedelta | None:
    """Return the execution timeout of a durable function, where it is a number."""
    config = properties.get("DurableConfig")
    seconds = config.get("ExecutionTimeout") if isinstance(config, Mapping) else None
    return timedelta(seconds=seconds) if isinstance(seconds, int) else None


def destination(kind: DestinationKind, properties: Properties, policies: Statements) -> Destination:
    """Return the facts of a destination's own properties and the statements of its policies."""
    policy = {kind.attached_by: [{"Ref": "X"}], "PolicyDocument": {"Statement": list(policies)}}
    found = _read(X=_resource(kind.resource, properties), P=_resource(kind.policy, policy))
    return destination_facts(found.destinations["X"])


def destination_facts(found: DestinationResource) -> Destination:
    """Return the facts of a destination that stands in a template."""
    return Destination(
        kind=found.kind.name,
        holds_data=found.kind.holds_records,
        is_fifo=found.is_fifo,
        retention=found.retention,
        is_encrypted=found.is_encrypted,
        is_tls_only=found.is_tls_only,
    )


def may_write(statements: Statements, table_arn: Any) -> bool:
    """Whether the statements of a role allow items of the table to be written.

    `table_arn` and a statement's resources are compared as they stand in the template, such as
    `{"Fn::GetAtt": ["Orders", "Arn"]}`.
    """
    return any(
        allows_writes(each) and any(one in ("*", table_arn) for one in _list(each.get("Resource")))
        for each in statements
    )


def allows_writes(statement: Mapping[str, Any]) -> bool:
    """Whether a statement allows items of some table to be written."""
    actions = _list(statement.get("Action")) if statement.get("Effect") == "Allow" else []
    patterns = [each.lower() for each in actions if isinstance(each, str)]
    return any(fnmatchcase(write, pattern) for pattern in patterns for write in _WRITES)


def _resource(kind: str, properties: Properties) -> Mapping[str, Any]:
    return {"Type": kind, "Properties": properties}


def _read(**resources: Mapping[str, Any]) -> StackTemplate:
    return read({"Resources": resources})


def known_or_none(value: T | Unknown | None) -> T | None:
    """Return the value, None for one that only a deployment knows."""
    return None if isinstance(value, Unknown) else value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
