"""A world from a template: this stack, these writes, that outcome.

world = from_template("template.yaml", handlers={"AuditFunction": audit.handler})
world.tables["Orders"].put({"pk": "ORDER#1"})
world.run()
assert not world.consumers["AuditFunction"].failures
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cdk_streams.arns import Arn, partition_of
from cdk_streams.errors import SourceError, TemplateError
from cdk_streams.mapping import MappingSettings, TableStream
from cdk_streams.simulator._consumer import Consumer
from cdk_streams.simulator._dynamodb.table import Table
from cdk_streams.simulator._engine.functions import Function
from cdk_streams.simulator._engine.handler_calls import FunctionConfiguration, Handler
from cdk_streams.simulator._faults import NO_FAULTS
from cdk_streams.simulator._world import World
from cdk_streams.template import (
    Document,
    FunctionResource,
    MappingResource,
    StackTemplate,
    Unknown,
    known,
    read,
    settings_of,
)

__all__ = ["from_template"]

# What CDK puts behind the ids of its constructs.
_CDK_HASH = re.compile(r"[0-9A-F]{8}$")


def from_template(
    template: Document,
    handlers: Mapping[str, Handler],
    *,
    parameters: Mapping[str, Any] | None = None,
    tables: Mapping[str, TableStream | None] | None = None,
    world: World | None = None,
    shards: int = 1,
    region: str = "us-east-1",
    account: str = "123456789012",
) -> World:
    """Add a template's tables, and its consumers that have a handler here, to a world.

    Args:
        template: What `cdk synth`, SAM or a person wrote: a dict
            (`Template.from_stack(stack).to_json()`), a path, or text; JSON, or YAML with short
            tags, which needs `pip install 'cdk-streams[cli]'`.
        handlers: The function's logical id: its handler. Of a function that CDK made, the id may
            be given without the eight characters that CDK puts behind it.
        parameters: Values for the template's parameters, in place of their defaults.
        tables: Streams that are not in the template: {table name: stream}, or, where the
            mapping's `EventSourceArn` is known only after deployment, {logical id of the mapping:
            stream}; None for a mapping that reads no DynamoDB stream and is to be left out.
        world: The world to add to, with a seed and faults of its own; left out, one in which
            nothing goes wrong but what the handlers do.
        shards: How many shards each stream begins with.
        region: What `AWS::Region` is.
        account: What `AWS::AccountId` is.

    Returns:
        The world. Its `tables` go by the tables' names, and are found by their logical ids too;
        its `consumers` go by the names given in `handlers`; a function with several mappings has
        `name:mapping` for each.

    Raises:
        SourceError: A handler for what is no function of the template or reads no DynamoDB
            stream, or a table that is not described.
        TemplateError: A value of a consumer under test that the template does not tell, or that
            CloudFormation refuses.
        SettingsError: A mapping that Lambda would refuse.

    """
    if not isinstance(handlers, Mapping):
        raise SourceError(
            "handlers must be a dict of functions by logical id, such as "
            f'{{"NotifyFunction": handler}}, got {type(handlers).__name__}'
        )
    stack = read(template, parameters=parameters, region=region, account=account)
    outside = dict(tables or {})
    named = _by_logical_id(handlers, stack.functions)
    found = {name: _mappings(stack, name, outside) for name in named}
    streams = _streams(stack, [each for mappings in found.values() for each in mappings])
    world = World(faults=NO_FAULTS) if world is None else world
    for logical_id, stream in streams.items():
        of_stack = stack.tables[logical_id]
        world.add_table(stream, shards=shards, ttl=of_stack.ttl, logical_id=logical_id)
    for name, given in named.items():
        function = stack.functions[name]
        for each in found[name]:
            shown = given if len(found[name]) == 1 else f"{given}:{each.logical_id}"
            table = _table_of(world, each, outside, shards)
            settings = _runnable(settings_of(each), each.logical_id, table.stream)
            host = _function(function, handlers[given], table.stream)
            world.add_consumer(Consumer(shown, table, settings, host))
    return world


def _by_logical_id(
    handlers: Mapping[str, Handler], functions: Mapping[str, FunctionResource]
) -> dict[str, str]:
    """Return {logical id: the name given for it}."""
    named: dict[str, str] = {}
    for given in handlers:
        fits = [name for name in functions if name == given] or [
            name for name in functions if _CDK_HASH.sub("", name) == given
        ]
        if len(fits) != 1:
            how = "more than one function" if fits else "no function"
            raise SourceError(
                f"handlers must name functions of the template, got {given!r}, which is {how}; "
                f"it has {', '.join(fits or functions) or 'none'}"
            )
        if absent := functions[fits[0]].absent:
            raise TemplateError(f"{absent.why}; pass parameters= that make it, or no handler")
        named[fits[0]] = given
    return named


def _mappings(
    stack: StackTemplate, function: str, outside: Mapping[str, TableStream | None]
) -> list[MappingResource]:
    """Return the mappings of a function under test; one of its mappings at least is created."""
    left_out = {name for name, stream in outside.items() if stream is None}
    every = [
        each
        for each in stack.mappings.values()
        if each.function == function and each.logical_id not in left_out
    ]
    created = [each for each in every if each.absent is None]
    if created:
        return created
    if every and every[0].absent is not None:
        raise TemplateError(f"{every[0].absent.why}; no mapping of {function} is created")
    for each in stack.mappings.values():
        if each.function is None and isinstance(each.function_name, Unknown):
            raise TemplateError(
                f"{function} must consume a DynamoDB stream, got a function that no mapping is "
                f"known to call: {each.function_name.why}"
            )
    raise SourceError(
        f"{function} must consume a DynamoDB stream, got a function that no mapping of the "
        "template connects to one; leave its handler out"
    )


def _streams(stack: StackTemplate, mappings: Iterable[MappingResource]) -> dict[str, TableStream]:
    """Return the stream of each table of the template that is created and has one.

    A mapping that names the stream by a literal ARN says its Region, account and label. A table
    that no mapping under test reads is left out when its stream is not known.
    """
    arns = {each.table: each.stream_arn for each in mappings}
    used = {each.table for each in mappings}
    streams: dict[str, TableStream] = {}
    for name, table in stack.tables.items():
        stream = known(table.stream) if name in used else table.stream
        if isinstance(stream, TableStream) and table.absent is None:
            arn = arns.get(name)
            streams[name] = _as_in(arn, stream) if isinstance(arn, str) else stream
    return streams


def _as_in(stream_arn: str, stream: TableStream) -> TableStream:
    """Return the stream with the Region, account and label that its ARN names."""
    arn = Arn.parse(stream_arn)
    _, _, label = arn.resource.partition("/stream/")
    return replace(stream, region=arn.region, account=arn.account, label=label)


def _table_of(
    world: World,
    mapping: MappingResource,
    outside: Mapping[str, TableStream | None],
    shards: int,
) -> Table:
    given = outside.get(mapping.logical_id)
    if given is None and isinstance(mapping.stream_arn, Unknown):
        way_out = f"tables={{{mapping.logical_id!r}: TableStream(…, keys=(…,))}}"
        described = "" if mapping.stream_arn.refused else f", or describe the stream: {way_out}"
        raise TemplateError(mapping.stream_arn.why + described)
    if given is None and mapping.table is not None:
        return world.tables[mapping.table]
    if given is None:
        given = _described(mapping, str(mapping.stream_arn), outside)
    there = world.tables.get(given.table)
    return world.add_table(given, shards=shards) if there is None else there


def _described(
    mapping: MappingResource, stream_arn: str, outside: Mapping[str, TableStream | None]
) -> TableStream:
    """Return the stream described for a table of another stack, in the ARN's Region and account."""
    name = Arn.parse(stream_arn).name
    stream = outside.get(name)
    if stream is None:
        raise SourceError(
            f"{mapping.logical_id} reads the stream of {name}, a table that is not in the "
            f"template; describe it: tables={{{name!r}: TableStream({name!r}, keys=(…,))}}"
        )
    return _as_in(stream_arn, stream)


def _runnable(settings: MappingSettings, mapping: str, stream: TableStream) -> MappingSettings:
    """Return the settings with an ARN for a destination whose name the template does not tell."""
    if settings.on_failure is None or isinstance(settings.on_failure, str):
        return settings
    partition = partition_of(stream.region)
    arn = f"arn:{partition}:sqs:{stream.region}:{stream.account}:{mapping}-on-failure"
    return replace(settings, on_failure=arn)


def _function(given: FunctionResource, handler: Handler, stream: TableStream) -> Function:
    return Function(
        handler=handler,
        configuration=FunctionConfiguration(
            name=given.name,
            arn=f"arn:{partition_of(stream.region)}:lambda:{stream.region}:{stream.account}:function:{given.name}",
            timeout_ms=known(given.timeout_s) * 1000,
            memory_mb=known(given.memory_mb),
        ),
        reserved_concurrency=known(given.reserved_concurrency),
        environment={
            # A name that only a deployment knows; a handler that needs it is given a fake.
            name: f"{given.logical_id}-{name}-simulated" if isinstance(value, Unknown) else value
            for name, value in given.environment.items()
        },
    )
