"""DynamoDB tables of a template and their streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from cdk_streams.mapping import TableStream, ViewType
from cdk_streams.template._intrinsics import Resolver
from cdk_streams.template._names import name_of, properties_of, stream_view_type
from cdk_streams.template._values import Unknown, Unresolved, boolean, text

__all__ = ["TableResource", "read_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableResource:
    """A table of a template.

    Args:
        logical_id: Its name in the template.
        place: Where it stands: `Resources.Orders`.
        kind: Its type: `AWS::DynamoDB::Table`, `AWS::DynamoDB::GlobalTable` or SAM's simple table.
        name: The table's name; the logical id where the template gives none.
        stream: Its stream; None: it has none.
        view_type: What the stream's records carry; None: it has no stream.
        ttl: The attribute that items expire by; None: time to live is off.
        replicas: The other Regions of a global table; None: not a list that can be counted.
        absent: Why it is not created: its condition is false or unknown. None: it is created.

    """

    logical_id: str
    place: str
    kind: str
    name: str
    stream: TableStream | Unknown | None
    view_type: ViewType | Unknown | None
    ttl: str | None
    replicas: int | None
    absent: Unknown | None


def read_table(logical_id: str, resolver: Resolver) -> TableResource:
    """Read a table; what is wrong with its stream becomes an `Unknown`, which raises when used."""
    resource = resolver.resources[logical_id]
    properties = properties_of(resource)
    name = name_of(logical_id, resource, resolver)
    view_type = _view_type(logical_id, resource, resolver)
    replicas = resolver.tree(properties.get("Replicas"), f"{logical_id}.Replicas")
    lifetime = resolver.tree(properties.get("TimeToLiveSpecification"), logical_id)
    ttl = lifetime if isinstance(lifetime, Mapping) else {}
    attribute = ttl.get("AttributeName")
    return TableResource(
        logical_id=logical_id,
        place=f"Resources.{logical_id}",
        kind=resource["Type"],
        name=name,
        stream=_stream(logical_id, name, view_type, resolver),
        view_type=view_type,
        ttl=attribute if boolean(ttl.get("Enabled")) and isinstance(attribute, str) else None,
        # A global table lists its own Region too.
        replicas=len(replicas) - 1 if isinstance(replicas, list) and replicas else None,
        absent=resolver.absence(logical_id),
    )


def _view_type(logical_id: str, resource: Any, resolver: Resolver) -> ViewType | Unknown | None:
    try:
        found = stream_view_type(logical_id, resource, resolver)
    except Unresolved:
        return None
    place = f"{logical_id}.StreamSpecification.StreamViewType"
    if isinstance(found, Unknown):
        return found
    if found in get_args(ViewType):
        return cast("ViewType", found)
    return Unknown(
        f"{place} must be one of {', '.join(get_args(ViewType))}, got {found!r}", refused=True
    )


def _stream(
    logical_id: str, name: str, view_type: ViewType | Unknown | None, resolver: Resolver
) -> TableStream | Unknown | None:
    if view_type is None or isinstance(view_type, Unknown):
        return view_type
    keys = _keys(logical_id, resolver)
    if isinstance(keys, Unknown):
        return keys
    return TableStream(
        table=name,
        keys=keys,
        view_type=view_type,
        region=resolver.pseudo["AWS::Region"],
        account=resolver.pseudo["AWS::AccountId"],
    )


def _keys(logical_id: str, resolver: Resolver) -> tuple[str, ...] | Unknown:
    """Return the key attributes, the partition key first, whatever the template's order."""
    place = f"{logical_id}.KeySchema"
    schema = resolver.tree(properties_of(resolver.resources[logical_id]).get("KeySchema"), place)
    if isinstance(schema, Unknown):
        return schema
    found: dict[str, str] = {}
    for each in schema if isinstance(schema, list) else ():
        match each:
            case {"KeyType": "HASH" | "RANGE" as kind, "AttributeName": str() | int() as name}:
                found[kind] = text(name)
            case {"KeyType": Unknown() as unknown} | {"AttributeName": Unknown() as unknown}:
                return unknown
    if "HASH" not in found:
        return Unknown(
            f"{place} must name a partition key as {{AttributeName: …, KeyType: HASH}}, "
            f"got {str(schema)[:80]}",
            refused=True,
        )
    return tuple(found[kind] for kind in ("HASH", "RANGE") if kind in found)
