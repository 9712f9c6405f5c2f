"""Which stream a mapping reads, and what is wrong with its `EventSourceArn`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cdk_streams.arns import Arn, is_service
from cdk_streams.template._intrinsics import Resolver
from cdk_streams.template._names import no_stream, references_in
from cdk_streams.template._tables import TableResource
from cdk_streams.template._values import Unknown

__all__ = ["StreamSource", "source_of"]

# Types whose events no stream's mapping can bring: what they are is known without their ARN.
_OTHER_TYPES = ("AWS::SQS::", "AWS::Kinesis::", "AWS::MSK::", "AWS::AmazonMQ::", "AWS::DocDB::")
# Properties that name a source of another kind.
_OTHER_SOURCES = (
    *("AmazonManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "Queues"),
    *("SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig", "Topics"),
)


class StreamSource(NamedTuple):
    """The table's logical id, None for one that is not in the template, and the stream's ARN."""

    table: str | None
    arn: str | Unknown


def source_of(
    logical_id: str,
    properties: Mapping[str, Any],
    tables: Mapping[str, TableResource],
    resolver: Resolver,
) -> StreamSource | None:
    """Return the stream that a mapping reads; None when it reads something else.

    A mapping whose source only a deployment knows reads a stream if it has a `StartingPosition`:
    streams need one, and queues take none.
    """
    place = f"{logical_id}.EventSourceArn"
    given = properties.get("EventSourceArn")
    arn = resolver.tree(given, place)
    named = [name for name in references_in(given) if name in resolver.resources]
    kinds = [str(resolver.resources[name]["Type"]) for name in named]
    if isinstance(arn, str):
        referred = next((name for name in named if name in tables), None)
        is_other = arn.startswith("arn:") and not is_service(arn, "dynamodb")
        return None if is_other else _known(place, arn, referred, tables)
    table = next((name for name in named if name in tables), None)
    if isinstance(arn, Unknown):
        return None if table is None and _is_other(properties, kinds) else StreamSource(table, arn)
    if arn is None and _is_other(properties, kinds):
        return None
    return StreamSource(table, _wrong(place, "none" if arn is None else repr(arn)[:60], table))


def _is_other(properties: Mapping[str, Any], kinds: list[str]) -> bool:
    return (
        "StartingPosition" not in properties
        or any(name in properties for name in _OTHER_SOURCES)
        or any(kind.startswith(_OTHER_TYPES) for kind in kinds)
    )


def _known(
    place: str, arn: str, referred: str | None, tables: Mapping[str, TableResource]
) -> StreamSource:
    """Return the source that a resolved ARN names; `referred` is the table it was made from."""
    if not is_service(arn, "dynamodb"):
        return StreamSource(referred, _wrong(place, repr(arn), referred))
    parsed = Arn.parse(arn)
    table = _by_name(parsed.name, tables)
    if not parsed.qualifier:
        got = f"the ARN of the table {parsed.name}"
        return StreamSource(table, _wrong(place, got, referred or table))
    if "/stream/" not in parsed.resource:
        return StreamSource(table, _wrong(place, repr(arn), referred or table))
    if "*" in arn:
        got = f"{arn!r}, a wildcard that only policies take"
        return StreamSource(table, _wrong(place, got, referred or table))
    if table is None:
        return StreamSource(None, arn)
    return StreamSource(table, _unusable(place, tables[table]) or arn)


def _unusable(place: str, table: TableResource) -> Unknown | None:
    """Return why the stream of a table of the template cannot be read."""
    if table.absent is not None:
        return Unknown(f"{place}: {table.absent.why}", refused=True)
    if table.view_type is None:
        return Unknown(f"{place}: {no_stream(table.logical_id, table.kind)}", refused=True)
    return None


def _by_name(name: str, tables: Mapping[str, TableResource]) -> str | None:
    """Return the table of the template with that name, one that is created before others."""
    by_presence = sorted(tables.values(), key=lambda each: each.absent is not None)
    return next((each.logical_id for each in by_presence if each.name == name), None)


def _wrong(place: str, got: str, table: str | None) -> Unknown:
    write = f"!GetAtt {table}.StreamArn" if table else "the ARN of the table's stream"
    return Unknown(
        f"{place} must be the ARN of a DynamoDB stream, got {got}; write {write}", refused=True
    )
