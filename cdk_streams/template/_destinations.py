"""The resources of a template that failure records may be sent to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from cdk_streams.mapping import DESTINATION_KINDS, DestinationKind
from cdk_streams.template._intrinsics import Resolver
from cdk_streams.template._names import name_of, properties_of, references_in
from cdk_streams.template._values import Unknown, boolean, whole_number

__all__ = [
    "DESTINATION_TYPES",
    "DestinationResource",
    "destination_of",
    "policy_statements",
    "read_destination",
]

DESTINATION_TYPES: Final = {kind.resource: kind for kind in DESTINATION_KINDS}
"""The kind of destination that each resource type is."""

_ATTACHED_BY: Final = {kind.policy: kind.attached_by for kind in DESTINATION_KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationResource:
    """A queue, topic or bucket in a template; None is a fact that the template does not tell.

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
    """Read a destination with the policies that are attached to it."""
    resource = resolver.resources[logical_id]
    given = resolver.properties(properties_of(resource), logical_id)
    statements = [
        statement
        for name, policy in resolver.resources.items()
        if (prop := _ATTACHED_BY.get(policy["Type"]))
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
    return DestinationResource(
        logical_id=logical_id,
        place=f"Resources.{logical_id}",
        kind=kind,
        name=name,
        is_fifo=boolean(given.get(kind.fifo_switch, False)),
        retention=_retention(kind, given),
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
    if "KmsMasterKeyId" in given:
        return True
    return boolean(given.get(kind.encryption_switch, kind.is_encrypted))


def _retention(kind: DestinationKind, given: Mapping[str, Any]) -> timedelta | None:
    if kind.retention is None or "MessageRetentionPeriod" not in given:
        return kind.retention
    seconds = whole_number(given["MessageRetentionPeriod"])
    return timedelta(seconds=seconds) if seconds else None


def _denies_plain_requests(statement: Mapping[str, Any]) -> bool:
    condition = statement.get("Condition")
    tests = condition.get("Bool") if isinstance(condition, Mapping) else None
    secure = tests.get("aws:SecureTransport") if isinstance(tests, Mapping) else None
    return statement.get("Effect") == "Deny" and boolean(secure) is False
