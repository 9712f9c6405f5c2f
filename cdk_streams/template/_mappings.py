"""Event source mappings of a template, those among a SAM function's events too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cdk_streams.errors import SettingsError, TemplateError
from cdk_streams.mapping import MappingSettings
from cdk_streams.template._functions import FunctionResource, function_properties
from cdk_streams.template._intrinsics import Resolver
from cdk_streams.template._mapping_properties import shape_faults
from cdk_streams.template._names import (
    FUNCTION_TYPES,
    QUALIFIER_TYPES,
    construct_of,
    properties_of,
    references_in,
)
from cdk_streams.template._sources import StreamSource, source_of
from cdk_streams.template._tables import TableResource
from cdk_streams.template._values import Unknown, kind_of, unknowns

__all__ = ["MappingResource", "read_mappings", "settings_of", "settings_or_faults"]

_MAPPING = "AWS::Lambda::EventSourceMapping"
# What a mapping says beside its settings.
_NOT_SETTINGS = ("EventSourceArn", "FunctionName")
# Where the name of something of another stack is kept as the reference that it is.
_REFERENCES = ("DestinationConfig", "KmsKeyArn", "Tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingResource:
    """A mapping of a template that may read a DynamoDB stream; `settings_of` gives its settings.

    Args:
        logical_id: Its name in the template; of a SAM event, the name that SAM gives the mapping.
        place: Where it stands: `Resources.Mapping`, or
            `Resources.Audit.Properties.Events.Changes`.
        function: The logical id of its function; None: a function outside the template, or one
            of unknown name.
        function_name: What it calls the function: a name or an ARN.
        table: The logical id of the table whose stream it reads; None: outside or unknown.
        stream_arn: The stream's ARN.
        properties: The other properties, resolved; `Unknown` stands for what is not known.
        faults: A sentence for each name and shape that CloudFormation refuses.
        absent: Why it is not created: its condition is false or unknown. None: it is created.
        construct: The path of its construct, where CDK made the template; None: it did not.

    """

    logical_id: str
    place: str
    function: str | None
    function_name: str | Unknown
    table: str | None
    stream_arn: str | Unknown
    properties: Mapping[str, Any]
    faults: tuple[str, ...]
    absent: Unknown | None
    construct: str | None


def settings_of(mapping: MappingResource) -> MappingSettings:
    """Return a mapping's settings; a destination of another stack stays a reference.

    Raises:
        TemplateError: A value that only a deployment knows, or that cannot be resolved.
        SettingsError: Settings that CloudFormation or Lambda refuses.

    """
    for name, value in mapping.properties.items():
        for each in unknowns(value):
            if name not in _REFERENCES or each.refused:
                raise TemplateError(each.why)
    settings, faults = settings_or_faults(mapping, {})
    if settings is None:
        raise SettingsError(*(f"{mapping.logical_id}: {fault}" for fault in faults))
    return settings


def settings_or_faults(
    mapping: MappingResource, unknown: Mapping[str, Any]
) -> tuple[MappingSettings | None, tuple[str, ...]]:
    """Return a mapping's settings, or a sentence for each fault of settings that are refused.

    `unknown` has values for properties that are not known; one that it lacks is left out.
    """
    plain: dict[str, Any] = {}
    for name, value in mapping.properties.items():
        kept = _references_kept(value) if name in _REFERENCES else value
        if any(unknowns(kept)):
            kept = unknown.get(name)
        if kept is not None:
            plain[name] = kept
    faults = mapping.faults
    try:
        settings = MappingSettings.from_template(plain)
    except SettingsError as error:
        faults += error.faults
    return (None, faults) if faults else (settings, ())


def read_mappings(
    resolver: Resolver,
    tables: Mapping[str, TableResource],
    functions: Mapping[str, FunctionResource],
    shared: Mapping[str, Any],
) -> Iterator[MappingResource]:
    """Read the mappings; those of other sources than DynamoDB are passed over.

    `shared` is the template's `Globals.Function`.
    """
    for holder, resource in resolver.resources.items():
        for declared in _declared(holder, resource, shared):
            source = _shapeless(declared.place, resource) or source_of(
                declared.logical_id, declared.properties, tables, resolver
            )
            if source is None:
                continue
            given = declared.properties
            settings = {name: each for name, each in given.items() if name not in _NOT_SETTINGS}
            properties = resolver.properties(settings, declared.logical_id)
            name = resolver.tree(given.get("FunctionName"), f"{declared.logical_id}.FunctionName")
            yield MappingResource(
                logical_id=declared.logical_id,
                place=declared.place,
                function=_function_of(given.get("FunctionName"), resolver, functions),
                function_name=name if isinstance(name, Unknown) else str(name),
                table=source.table,
                stream_arn=source.arn,
                properties=properties,
                faults=shape_faults(properties) if given else (),
                absent=resolver.absence(holder),
                construct=construct_of(resource),
            )


def _shapeless(place: str, resource: Mapping[str, Any]) -> StreamSource | None:
    """Return the source of a mapping whose properties are no object, so that nobody knows it."""
    given = resource.get("Properties", {})
    if isinstance(given, Mapping):
        return None
    why = f"{place}.Properties must be an object, got {kind_of(given)}"
    return StreamSource(None, Unknown(why, refused=True))


class _Declared(NamedTuple):
    """A mapping as it stands in the template, or as SAM will make it of an event."""

    logical_id: str
    place: str
    properties: Mapping[str, Any]


def _declared(
    holder: str, resource: Mapping[str, Any], shared: Mapping[str, Any]
) -> Iterator[_Declared]:
    place = f"Resources.{holder}"
    if resource["Type"] == _MAPPING:
        yield _Declared(holder, place, properties_of(resource))
    if resource["Type"] != "AWS::Serverless::Function":
        return
    events = function_properties(resource, shared).get("Events")
    for name, event in events.items() if isinstance(events, Mapping) else ():
        if isinstance(event, Mapping) and event.get("Type") == "DynamoDB":
            given = dict(properties_of(event))
            source = {"EventSourceArn": given.pop("Stream")} if "Stream" in given else {}
            made = {**given, **source, "FunctionName": {"Ref": holder}}
            yield _Declared(f"{holder}{name}", f"{place}.Properties.Events.{name}", made)


def _function_of(
    given: Any, resolver: Resolver, functions: Mapping[str, FunctionResource]
) -> str | None:
    """Return the logical id of the function that a `FunctionName` means; None for one elsewhere.

    A function is meant by a reference or by its name, also when that is worked out on both sides;
    a function that is created goes before one whose condition is false.
    """
    value = resolver.tree(given, "FunctionName")
    meant = _name_in(value) if isinstance(value, str) else None
    by_presence = sorted(functions.values(), key=lambda each: each.absent is not None)
    for each in by_presence:
        raw = properties_of(resolver.resources[each.logical_id]).get("FunctionName")
        if each.name == meant or (raw is not None and raw == given):
            return each.logical_id
    for name in references_in(given) if isinstance(value, Unknown) else ():
        kind = resolver.resources.get(name, {}).get("Type")
        if kind in FUNCTION_TYPES:
            return name
        if kind in QUALIFIER_TYPES:
            behind = properties_of(resolver.resources[name]).get("FunctionName")
            return _function_of(behind, resolver, functions) if behind != given else None
    return None


def _name_in(reference: str) -> str:
    """Return the function's name in `name`, `name:alias`, `account:function:name` or an ARN."""
    _, by_arn, rest = reference.rpartition("function:")
    return (rest if by_arn else reference).split(":")[0]


def _references_kept(value: Any) -> Any:
    """Return the value with each reference to what is not known as it stands in the template."""
    if isinstance(value, Unknown):
        is_reference = isinstance(value.reference, Mapping)
        return value.reference if is_reference else {"Fn::Sub": value.reference}
    if isinstance(value, Mapping):
        return {name: _references_kept(each) for name, each in value.items()}
    return [_references_kept(each) for each in value] if isinstance(value, list) else value
