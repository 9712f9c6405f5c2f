"""Facts read from the properties of CloudFormation resources, as a template writes them.

A value that is known only at deploy time (`{"Ref": "Size"}`) is None, which no rule speaks about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Final, cast

from cdk_streams.checks._facts import Destination, Function, Source
from cdk_streams.errors import SettingsError
from cdk_streams.mapping import (
    LAMBDA_DEFAULT_MEMORY_MB,
    LAMBDA_DEFAULT_TIMEOUT,
    MappingSettings,
    ViewType,
)
from cdk_streams.mapping.presets import SAFE

__all__ = [
    "allows_writes",
    "bucket",
    "function",
    "is_intrinsic",
    "may_write",
    "queue",
    "settings",
    "table",
    "topic",
]

Properties = Mapping[str, Any]
Statements = Iterable[Mapping[str, Any]]

_DEFAULT_TIMEOUT_S: Final = round(LAMBDA_DEFAULT_TIMEOUT.total_seconds())
# Deploy-time values are replaced by safe settings, so no rule reports what cannot be seen.
_UNKNOWN: Final = MappingSettings(**SAFE).to_template()
_SQS_RETENTION_S: Final = 345_600  # Four days.
_WRITES: Final = (
    *("dynamodb:putitem", "dynamodb:updateitem", "dynamodb:deleteitem"),
    *("dynamodb:batchwriteitem", "dynamodb:partiqlinsert", "dynamodb:partiqlupdate"),
    "dynamodb:partiqldelete",
)


def settings(properties: Properties) -> tuple[MappingSettings | None, tuple[str, ...]]:
    """Return the settings of a mapping and the faults of what Lambda refuses."""
    known = {
        name: _UNKNOWN.get(name) if name != "KmsKeyArn" and is_intrinsic(value) else value
        for name, value in properties.items()
    }
    try:
        return MappingSettings.from_template(_without_none(known)), ()
    except SettingsError as error:
        return None, error.faults


def table(name: str, properties: Properties) -> Source:
    """Return the facts of an `AWS::DynamoDB::GlobalTable` or `AWS::DynamoDB::Table`."""
    view_type = (properties.get("StreamSpecification") or {}).get("StreamViewType")
    replicas = properties.get("Replicas")
    return Source(
        name=name,
        has_stream=view_type is not None,
        view_type=cast("ViewType", view_type) if isinstance(view_type, str) else None,
        # A global table lists its own region too.
        replicas=len(replicas) - 1 if isinstance(replicas, list) else None,
    )


def function(name: str, properties: Properties) -> Function:
    """Return the facts of an `AWS::Lambda::Function` that stand in its own properties."""
    timeout = _number(properties.get("Timeout", _DEFAULT_TIMEOUT_S))
    return Function(
        name=name,
        timeout=None if timeout is None else timedelta(seconds=timeout),
        memory_mb=_number(properties.get("MemorySize", LAMBDA_DEFAULT_MEMORY_MB)),
        reserved_concurrency=_number(properties.get("ReservedConcurrentExecutions")),
        has_async_dead_letter="DeadLetterConfig" in properties,
        has_role=True,
    )


def queue(properties: Properties, policies: Statements) -> Destination:
    """Return the facts of an `AWS::SQS::Queue` and the statements of its policies."""
    retention = _number(properties.get("MessageRetentionPeriod", _SQS_RETENTION_S))
    managed = properties.get("SqsManagedSseEnabled")
    return Destination(
        kind="queue",
        is_fifo=_truth(properties.get("FifoQueue", False)),
        retention=None if retention is None else timedelta(seconds=retention),
        # SQS encrypts a queue that says nothing of it.
        is_encrypted="KmsMasterKeyId" in properties or managed is None or _truth(managed),
        is_tls_only=_is_tls_only(policies),
    )


def topic(properties: Properties, policies: Statements) -> Destination:
    """Return the facts of an `AWS::SNS::Topic` and the statements of its policies."""
    return Destination(
        kind="topic",
        is_fifo=_truth(properties.get("FifoTopic", False)),
        is_encrypted="KmsMasterKeyId" in properties,
        is_tls_only=_is_tls_only(policies),
    )


def bucket(_: Properties, policies: Statements) -> Destination:
    """Return the facts of an `AWS::S3::Bucket`, which S3 always encrypts, and its policies."""
    return Destination(
        kind="bucket",
        holds_data=True,
        is_fifo=False,
        is_encrypted=True,
        is_tls_only=_is_tls_only(policies),
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


def is_intrinsic(value: Any) -> bool:
    """Whether CloudFormation works the value out: `{"Ref": …}`, `{"Fn::Sub": …}`."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    (name,) = value
    return name == "Ref" or str(name).startswith("Fn::")


def _without_none(known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in known.items() if value is not None}


def _is_tls_only(policies: Statements) -> bool:
    return any(
        each.get("Effect") == "Deny"
        and _truth(((each.get("Condition") or {}).get("Bool") or {}).get("aws:SecureTransport"))
        is False
        for each in policies
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return int(value) if number else None


def _truth(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None
