"""Queues, topics and buckets of a template, which failure records may be sent to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

from cdk_streams.template._intrinsics import Resolver
from cdk_streams.template._names import name_of, properties_of, references_in
from cdk_streams.template._values import Unknown, boolean, whole_number

__all__ = [
    "DESTINATION_TYPES",
    "DestinationKind",
    "DestinationResource",
    "destination_of",
    "policy_statements",
    "read_destination",
]

DestinationKind: TypeAlias = Literal["queue", "topic", "bucket"]
"""What kind of resource failure records go to."""

DESTINATION_TYPES: Final[Mapping[str, DestinationKind]] = {
    "AWS::SQS::Queue": "queue",
    "AWS::SNS::Topic": "topic",
    "AWS::S3::Bucket": "bucket",
}
# A policy's type, and the property that names what it is attached to.
_POLICIES: Final = {
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::S3::BucketPolicy": "Bucket",
}
_SQS_RETENTION_S: Final = 345_600  # Four days.


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationResource:
    """A queue, topic or bucket of a template; None is a fact that the template does not tell.

    Args:
        logical_id: Its name in the template.
        place: Where it stands: `Resources.Failures`.
        kind: What it is.
        name: Its physical name; the logical id where the template gives none.
        is_fifo: Whether it is a FIFO queue or topic.
        retention: How long a queue keeps a message.
        is_encrypted: Whether what it holds is encrypted.
        is_tls_only: Whether its policy denies requests without TLS.
        absent: Why it is not created: its condition is false or unknown. None: it is created.

    """

    logical_id: str
    place: str
    kind: DestinationKind
    name: str
    is_fifo: bool | None
    retention: timedelta | None
    is_encrypted: bool | None
    is_tls_only: bool | None
    absent: Unknown | None


def read_destination(logical_id: str, resolver: Resolver) -> DestinationResource:
    """Read a queue, topic or bucket with the policies that are attached to it."""
    resource = resolver.resources[logical_id]
    given = resolver.properties(properties_of(resource), logical_id)
    statements = [
        statement
        for name, policy in resolver.resources.items()
        if (prop := _POLICIES.get(policy["Type"]))
        and logical_id in references_in(properties_of(policy).get(prop))
        for statement in policy_statements(resolver.properties(properties_of(policy), name))
    ]
    return destination_of(
        DESTINATION_TYPES[resource["Type"]],
        given,
        statements,
        logical_id=logical_id,
        name=name_of(logical_id, resource, resolver),
        absent=resolver.absence(logical_id),
    )


def destination_of(
    kind: DestinationKind,
    given: Mapping[str, Any],
    statements: Iterable[Mapping[str, Any]],
    *,
    logical_id: str = "",
    name: str = "",
    absent: Unknown | None = None,
) -> DestinationResource:
    """Make a destination of its resolved properties and of its policies' statements."""
    retention = whole_number(given.get("MessageRetentionPeriod", _SQS_RETENTION_S))
    fifo = {"queue": given.get("FifoQueue", False), "topic": given.get("FifoTopic", False)}
    return DestinationResource(
        logical_id=logical_id,
        place=f"Resources.{logical_id}",
        kind=kind,
        name=name,
        is_fifo=boolean(fifo.get(kind, False)),
        retention=timedelta(seconds=retention) if kind == "queue" and retention else None,
        is_encrypted=_is_encrypted(kind, given),
        is_tls_only=any(map(_denies_plain_requests, statements)),
        absent=absent,
    )


def policy_statements(properties: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the statements of a policy's `PolicyDocument`; one may stand there without a list."""
    document = properties.get("PolicyDocument") if isinstance(properties, Mapping) else None
    found = document.get("Statement") if isinstance(document, Mapping) else None
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, Mapping):
            yield each


def _is_encrypted(kind: DestinationKind, given: Mapping[str, Any]) -> bool | None:
    if kind == "bucket":  # S3 always encrypts.
        return True
    if "KmsMasterKeyId" in given:
        return True
    # SQS encrypts a queue that says nothing of it; SNS encrypts no such topic.
    return boolean(given.get("SqsManagedSseEnabled", True)) if kind == "queue" else False


def _denies_plain_requests(statement: Mapping[str, Any]) -> bool:
    condition = statement.get("Condition")
    tests = condition.get("Bool") if isinstance(condition, Mapping) else None
    secure = tests.get("aws:SecureTransport") if isinstance(tests, Mapping) else None
    return statement.get("Effect") == "Deny" and boolean(secure) is False
