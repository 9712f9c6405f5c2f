"""The consumers of a CloudFormation template, as facts: CDK's, SAM's, or written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, NamedTuple

from cdk_streams.arns import Arn, is_service
from cdk_streams.checks._facts import Consumer, Destination, Function, Source
from cdk_streams.checks._last_mappings import last_mappings
from cdk_streams.checks._resource_facts import (
    UNKNOWN_SETTINGS,
    destination_facts,
    durable_timeout,
    known_or_none,
)
from cdk_streams.checks._template_permissions import permissions_of
from cdk_streams.mapping import destination_kind
from cdk_streams.template import (
    DestinationResource,
    MappingResource,
    StackTemplate,
    Unknown,
    settings_or_faults,
)

__all__ = ["TemplateConsumers", "consumers_of"]

_LAG: Final = ("IteratorAge",)
_DEPTH: Final = ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage")


class TemplateConsumers(NamedTuple):
    """The consumers of a template, the mapping of each, and why others were left out.

    `readers` are the pipes that read a stream; they count as readers, and no rule is about them.
    """

    consumers: tuple[Consumer, ...]
    mappings: tuple[MappingResource, ...]
    readers: tuple[Consumer, ...]
    skipped: Mapping[str, str]


def consumers_of(stack: StackTemplate, before: StackTemplate | None = None) -> TemplateConsumers:
    """Return the facts of every event source mapping that reads a stream.

    `before` is the template that is deployed now, where it is known.
    """
    mappings = tuple(each for each in stack.mappings.values() if each.absent is None)
    return TemplateConsumers(
        consumers=tuple(
            replace(
                _consumer(each, stack),
                last=() if before is None else tuple(last_mappings(each, stack, before)),
            )
            for each in mappings
        ),
        mappings=mappings,
        readers=tuple(_pipes(stack)),
        skipped={
            **{name: why for name, why in stack.refused.items() if name not in stack.mappings},
            **{
                name: each.absent.why
                for name, each in stack.mappings.items()
                if each.absent is not None
            },
        },
    )


def _consumer(mapping: MappingResource, stack: StackTemplate) -> Consumer:
    settings, faults = settings_or_faults(mapping, UNKNOWN_SETTINGS)
    source, arn = _source(mapping, stack), mapping.stream_arn
    if isinstance(arn, Unknown) and arn.refused and source.has_stream is not False:
        settings, faults = None, (*faults, arn.why)
    before = None
    if mapping.function is not None:
        before = permissions_of(mapping.function, stack).come_before(mapping, stack)
    destination, resource = _destination(mapping, stack)
    return Consumer(
        name=mapping.logical_id,
        settings=settings,
        faults=faults,
        source=source,
        function=_function(mapping, source, stack),
        destination=destination,
        waits_for_policy=before,
        lag_alarm=_lag_alarm(mapping, stack),
        failure_alarm=_failure_alarm(destination, resource, stack),
    )


def _source(mapping: MappingResource, stack: StackTemplate) -> Source:
    arn = mapping.stream_arn
    if mapping.table is not None:
        table = stack.tables[mapping.table]
        return Source(
            name=mapping.table,
            has_stream=table.view_type is not None,
            view_type=known_or_none(table.view_type),
            replicas=table.replicas,
        )
    if isinstance(arn, Unknown):
        exported = isinstance(arn.reference, Mapping) and "Fn::ImportValue" in arn.reference
        return Source(name=f"{arn.reference}", is_export_locked=exported)
    return Source(name=arn, is_replica_wildcard=arn.endswith("/stream/*"))


def _function(mapping: MappingResource, source: Source, stack: StackTemplate) -> Function | None:
    if mapping.function is None:
        return None
    found = stack.functions[mapping.function]
    timeout_s = known_or_none(found.timeout_s)
    return Function(
        name=_qualified(mapping, stack),
        timeout=None if timeout_s is None else timedelta(seconds=timeout_s),
        memory_mb=known_or_none(found.memory_mb),
        reserved_concurrency=known_or_none(found.reserved_concurrency),
        writes_to=_writes(mapping.function, source, stack),
        has_async_dead_letter=found.has_dead_letter,
        has_role=True,
        may_read=permissions_of(mapping.function, stack).may_read,
        durable_timeout=durable_timeout(stack.resource(mapping.function).properties),
    )


def _qualified(mapping: MappingResource, stack: StackTemplate) -> str:
    """Return the function's logical id, with the alias or version that the mapping calls."""
    name = mapping.function or ""
    given: Any = None
    if mapping.place == f"Resources.{mapping.logical_id}":
        given = stack.resource(mapping.logical_id).properties.get("FunctionName")
    is_arn = isinstance(given, str) and is_service(given, "lambda")
    qualifier = Arn.parse(given).qualifier if is_arn else ""
    return f"{name}:{qualifier}" if qualifier else name


def _writes(function: str, source: Source, stack: StackTemplate) -> frozenset[str]:
    """Return the table that the function reads, if its role lets it write there."""
    table = stack.tables.get(source.name)
    if table is None:
        return frozenset()
    arn = f"arn:aws:dynamodb:{stack.region}:{stack.account}:table/{table.name}"
    writes = permissions_of(function, stack).may_write(table, arn)
    return frozenset({source.name}) if writes else frozenset()


def _destination(
    mapping: MappingResource, stack: StackTemplate
) -> tuple[Destination | None, DestinationResource | None]:
    given: Any = mapping.properties
    for name in ("DestinationConfig", "OnFailure", "Destination"):
        given = given.get(name) if isinstance(given, Mapping) else None
    if given is None:
        return None, None
    kind = destination_kind(given)
    if kind is None:
        return Destination(kind="destination"), None
    name = Arn.parse(given).resource
    for each in stack.destinations.values():
        if (each.kind, each.name) == (kind, name) and each.absent is None:
            return destination_facts(each), each
    return Destination(kind=kind.name, holds_data=kind.holds_records), None


def _lag_alarm(mapping: MappingResource, stack: StackTemplate) -> bool | None:
    if mapping.function is None:
        return None
    return _has_alarm(stack, _LAG, stack.functions[mapping.function].name)


def _failure_alarm(
    destination: Destination | None, resource: DestinationResource | None, stack: StackTemplate
) -> bool | None:
    """Whether an alarm covers the queue; a topic notifies its subscribers, and others may too."""
    if destination is None or resource is None or resource.kind.name != "queue":
        return None
    return _has_alarm(stack, _DEPTH, resource.name)


def _has_alarm(stack: StackTemplate, names: tuple[str, ...], dimension: str) -> bool:
    return any(
        metric.get("MetricName") in names
        and any(
            isinstance(each, Mapping) and each.get("Value") == dimension
            for each in metric.get("Dimensions") or ()
        )
        for alarm in stack.resources("AWS::CloudWatch::Alarm")
        for metric in _metrics(alarm.properties)
    )


def _metrics(held: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the metrics of an alarm: its own, and those inside of metric math."""
    if isinstance(held, Mapping):
        if "MetricName" in held:
            yield held
        for each in held.values():
            yield from _metrics(each)
    elif isinstance(held, list):
        for each in held:
            yield from _metrics(each)


def _pipes(stack: StackTemplate) -> Iterator[Consumer]:
    for pipe in stack.resources("AWS::Pipes::Pipe"):
        arn = pipe.properties.get("Source")
        if isinstance(arn, str) and is_service(arn, "dynamodb"):
            name = Arn.parse(arn).name
            table = next(
                (each.logical_id for each in stack.tables.values() if each.name == name), arn
            )
            yield Consumer(name=pipe.logical_id, settings=None, source=Source(name=table))
