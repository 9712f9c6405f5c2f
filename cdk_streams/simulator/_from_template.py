"""A world from a template: this stack, these writes, that outcome.

world = from_template(template, handlers={"AuditFunction": audit.handler})
world.tables["Orders"].put({"pk": "ORDER#1"})
world.run()
assert not world.consumers["AuditFunction"].failures
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cdk_streams.errors import SourceError
from cdk_streams.mapping import TableStream
from cdk_streams.simulator._consumer import Consumer
from cdk_streams.simulator._dynamodb.table import Table
from cdk_streams.simulator._engine.functions import Function
from cdk_streams.simulator._engine.handler_calls import FunctionConfiguration, Handler
from cdk_streams.simulator._faults import NO_FAULTS
from cdk_streams.simulator._world import World
from cdk_streams.template._intrinsics import Resolver
from cdk_streams.template._resources import StackConsumer, read_consumer, read_mappings, read_tables

__all__ = ["from_template"]

# What CDK puts behind the ids of its constructs.
_CDK_HASH = re.compile(r"[0-9A-F]{8}$")


def from_template(
    template: Mapping[str, Any],
    handlers: Mapping[str, Handler],
    *,
    parameters: Mapping[str, Any] | None = None,
    tables: Mapping[str, TableStream] | None = None,
    world: World | None = None,
    shards: int = 1,
    region: str = "us-east-1",
    account: str = "123456789012",
) -> World:
    """Furnish a world with a template's tables and with its consumers that have a handler here.

    Args:
        template: What `cdk synth`, SAM or a person wrote, as a dict:
            `Template.from_stack(stack).to_json()`, or a parsed `*.template.json`.
        handlers: The function's logical id: its handler. Of a function that CDK made, the id may
            be given without the eight characters that CDK puts behind it.
        parameters: Values for the template's parameters, in place of their defaults.
        tables: Streams of tables that are not in the template: {table name: stream}, or, where
            the mapping's `EventSourceArn` is known only after deployment, {logical id of the
            mapping: stream}.
        world: The world to furnish, with a seed and faults of its own; left out, one in which
            nothing goes wrong but what the handlers do.
        shards: How many shards each stream begins with.
        region: What `AWS::Region` is.
        account: What `AWS::AccountId` is.

    Returns:
        The world; its `tables` go by the tables' names and by their logical ids, its
        `consumers` by the names given in `handlers`; a function with several mappings has
        `name:mapping` for each.

    Raises:
        SourceError: A handler for what is no function of the template or reads no DynamoDB
            stream, or a value that the template does not tell.
        SettingsError: A mapping that Lambda would refuse.

    """
    resolver = Resolver(template, parameters or {}, region=region, account=account)
    outside = dict(tables or {})
    named = _by_logical_id(handlers, template)
    found = _consumers(resolver, named, outside)
    world = World(faults=NO_FAULTS) if world is None else world
    for found_table in read_tables(resolver):
        made = world.add_table(found_table.stream, shards=shards, ttl=found_table.ttl)
        world.tables.setdefault(found_table.logical_id, made)
    for name, given in named.items():
        mine = [each for each in found if each.function == name]
        if not mine:
            raise SourceError(
                f"{name} must consume a DynamoDB stream, got a function that no mapping of the "
                "template connects to one; leave its handler out"
            )
        for each in mine:
            shown = given if len(mine) == 1 else f"{given}:{each.mapping}"
            table = _table_of(world, each, outside, shards)
            world.add_consumer(_consumer(shown, handlers[given], table, each))
    return world


def _consumers(
    resolver: Resolver, named: Mapping[str, str], outside: Mapping[str, TableStream]
) -> list[StackConsumer]:
    found = []
    for mapping in read_mappings(resolver):
        # Mappings of functions that are not under test may hold what no template tells.
        if mapping.function not in named:
            continue
        given = outside.get(mapping.logical_id)
        consumer = read_consumer(mapping, resolver, stream_arn=given.arn if given else None)
        if consumer is not None:
            found.append(consumer)
    return found


def _by_logical_id(handlers: Mapping[str, Handler], template: Mapping[str, Any]) -> dict[str, str]:
    """Return {logical id: the name given for it}."""
    functions = [
        name
        for name, resource in template.get("Resources", {}).items()
        if resource.get("Type") in {"AWS::Lambda::Function", "AWS::Serverless::Function"}
    ]
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
        named[fits[0]] = given
    return named


def _table_of(
    world: World, consumer: StackConsumer, outside: Mapping[str, TableStream], shards: int
) -> Table:
    for table in world.tables.values():
        if table.stream.arn == consumer.stream_arn:
            return table
    name = consumer.stream_arn.partition("/")[2].partition("/")[0]
    stream = outside.get(consumer.mapping) or outside.get(name)
    if stream is None:
        raise SourceError(
            f"{consumer.mapping} reads the stream of {name}, a table that is not in the template; "
            f"describe it: tables={{{name!r}: TableStream({name!r}, keys=(…,))}}"
        )
    return world.tables.get(stream.table) or world.add_table(stream, shards=shards)


def _consumer(name: str, handler: Handler, table: Table, given: StackConsumer) -> Consumer:
    stream = table.stream
    function = Function(
        handler=handler,
        host=FunctionConfiguration(
            name=given.function_name,
            arn=f"arn:aws:lambda:{stream.region}:{stream.account}:function:{given.function_name}",
            timeout_ms=int(given.timeout.total_seconds() * 1000),
            memory_mb=given.memory_mb,
        ),
        reserved_concurrency=given.reserved_concurrency,
        environment=given.environment,
    )
    return Consumer(name, table, given.settings, function)
