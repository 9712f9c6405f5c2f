"""The tables and stream consumers of a CloudFormation template, as values.

Reads what any tool writes: our constructs, CDK's own, SAM (before and after its transform), or a
person. What is not about DynamoDB streams is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cdk_streams.errors import SourceError
from cdk_streams.mapping import (
    LAMBDA_DEFAULT_MEMORY_MB,
    LAMBDA_DEFAULT_TIMEOUT,
    MappingSettings,
    TableStream,
)
from cdk_streams.template._intrinsics import Resolver
from cdk_streams.template._names import TABLE_TYPES, name_of

__all__ = [
    "StackConsumer",
    "StackMapping",
    "StackTable",
    "read_consumer",
    "read_mappings",
    "read_tables",
]

_FUNCTION_TYPES = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_QUALIFIER_TYPES = ("AWS::Lambda::Alias", "AWS::Lambda::Version")
# What a mapping says beside its settings.
_NOT_SETTINGS = ("EventSourceArn", "FunctionName")


@dataclass(frozen=True, slots=True)
class StackTable:
    """A table of a template, and its stream; `ttl` is the attribute that items expire by."""

    logical_id: str
    stream: TableStream
    ttl: str | None = None


@dataclass(frozen=True, slots=True)
class StackMapping:
    """A mapping of a template before anything in it is worked out; `function` is a logical id."""

    logical_id: str
    function: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StackConsumer:
    """A function that consumes a stream, as the template deploys it."""

    mapping: str
    function: str
    function_name: str
    stream_arn: str
    settings: MappingSettings
    timeout: timedelta
    memory_mb: int
    reserved_concurrency: int | None
    environment: Mapping[str, str]


def _read_table(logical_id: str, resolver: Resolver) -> StackTable | None:
    """Read a table; None for one without a stream."""
    resource = resolver.template["Resources"][logical_id]
    given = resource.get("Properties", {})

    def value(name: str) -> Any:
        return resolver.resolve(given.get(name), f"{logical_id}.{name}")

    stream = value("StreamSpecification")
    if not isinstance(stream, Mapping) or "StreamViewType" not in stream:
        return None
    # The partition key first, whatever the order in the template.
    schema = sorted(value("KeySchema"), key=lambda each: str(each["KeyType"]) != "HASH")
    lifetime = value("TimeToLiveSpecification") or {}
    return StackTable(
        logical_id,
        TableStream(
            table=name_of(logical_id, resource, resolver),
            keys=tuple(each["AttributeName"] for each in schema),
            view_type=stream["StreamViewType"],
            region=resolver.pseudo["AWS::Region"],
            account=resolver.pseudo["AWS::AccountId"],
        ),
        lifetime.get("AttributeName") if _on(lifetime.get("Enabled")) else None,
    )


def read_tables(resolver: Resolver) -> list[StackTable]:
    """Return the tables that have a stream."""
    names = [
        name
        for name, resource in resolver.template.get("Resources", {}).items()
        if resource.get("Type") in TABLE_TYPES and resolver.exists(name)
    ]
    return [table for name in names if (table := _read_table(name, resolver)) is not None]


def read_mappings(resolver: Resolver) -> Iterator[StackMapping]:
    """Find the mappings, those among a SAM function's events too."""
    for name, resource in resolver.template.get("Resources", {}).items():
        if not resolver.exists(name):
            continue
        given = resource.get("Properties", {})
        if resource.get("Type") == "AWS::Lambda::EventSourceMapping":
            function = _function_of(given.get("FunctionName"), resolver)
            if function is not None:
                yield StackMapping(name, function, given)
        elif resource.get("Type") == "AWS::Serverless::Function":
            for event, source in given.get("Events", {}).items():
                if source.get("Type") == "DynamoDB":
                    properties = dict(source["Properties"])
                    properties["EventSourceArn"] = properties.pop("Stream", None)
                    yield StackMapping(f"{name}{event}", name, properties)


def read_consumer(
    mapping: StackMapping, resolver: Resolver, stream_arn: str | None = None
) -> StackConsumer | None:
    """Work out a mapping and its function; None for a mapping that reads no DynamoDB stream.

    `stream_arn` stands in for an `EventSourceArn` that only a deployment knows.

    Raises:
        SourceError: Something in it is known only after a deployment.
        SettingsError: Settings that Lambda would refuse.

    """
    place = mapping.logical_id
    arn = stream_arn or _source(mapping, resolver)
    if not isinstance(arn, str) or ":dynamodb:" not in arn:
        return None
    properties = {
        name: resolved
        for name, value in mapping.properties.items()
        if name not in _NOT_SETTINGS
        and (resolved := resolver.resolve(value, f"{place}.{name}")) is not None
    }
    resource = resolver.template["Resources"][mapping.function]
    globals_ = resolver.template.get("Globals", {}).get("Function", {})
    given = {**globals_, **resource.get("Properties", {})}

    def value(name: str, default: Any = None) -> Any:
        return resolver.resolve(given.get(name, default), f"{mapping.function}.{name}")

    concurrency = value("ReservedConcurrentExecutions")
    return StackConsumer(
        mapping=place,
        function=mapping.function,
        function_name=name_of(mapping.function, resource, resolver),
        stream_arn=arn,
        settings=MappingSettings.from_template(properties),
        timeout=timedelta(seconds=int(value("Timeout", LAMBDA_DEFAULT_TIMEOUT.total_seconds()))),
        memory_mb=int(value("MemorySize", LAMBDA_DEFAULT_MEMORY_MB)),
        reserved_concurrency=None if concurrency is None else int(concurrency),
        environment=_environment(mapping.function, globals_, resource, resolver),
    )


def _source(mapping: StackMapping, resolver: Resolver) -> Any:
    place = mapping.logical_id
    try:
        return resolver.resolve(mapping.properties.get("EventSourceArn"), f"{place}.EventSourceArn")
    except SourceError as error:
        raise SourceError(
            f"{error}, or describe the stream: tables={{{place!r}: TableStream(…, keys=(…,))}}"
        ) from None


def _environment(
    logical_id: str, shared: Mapping[str, Any], resource: Mapping[str, Any], resolver: Resolver
) -> dict[str, str]:
    variables: dict[str, str] = {}
    for given in (shared, resource.get("Properties", {})):
        for name, value in given.get("Environment", {}).get("Variables", {}).items():
            place = f"{logical_id}.Environment.Variables.{name}"
            try:
                variables[name] = str(resolver.resolve(value, place))
            except SourceError:
                # A name that only a deployment knows; a handler that needs it is given a fake.
                variables[name] = f"{logical_id}-{name}-simulated"
    return variables


def _function_of(reference: Any, resolver: Resolver) -> str | None:
    """Return the logical id of the function that a `FunctionName` means; None for one elsewhere."""
    resources = resolver.template.get("Resources", {})
    for name in _names_in(reference):
        kind = resources.get(name, {}).get("Type")
        if kind in _FUNCTION_TYPES:
            return name
        if kind in _QUALIFIER_TYPES:
            return _function_of(resources[name]["Properties"].get("FunctionName"), resolver)
    return next(
        (
            name
            for name, resource in resources.items()
            if resource.get("Type") in _FUNCTION_TYPES
            and resource.get("Properties", {}).get("FunctionName") == reference
            and isinstance(reference, str)
        ),
        None,
    )


def _names_in(value: Any) -> Iterator[str]:
    """Yield every logical id that a value refers to: `{"Fn::GetAtt": ["Fn", "Arn"]}` has `Fn`."""
    if isinstance(value, Mapping):
        for name, argument in value.items():
            if name == "Ref":
                yield str(argument)
            elif name == "Fn::GetAtt":
                yield str(argument).split(".")[0] if isinstance(argument, str) else argument[0]
            elif name == "Fn::Sub" and isinstance(argument, str):
                for part in argument.split("${")[1:]:
                    yield part.split("}")[0].split(".")[0]
            else:
                yield from _names_in(argument)
    elif isinstance(value, list):
        for each in value:
            yield from _names_in(each)


def _on(value: Any) -> bool:
    return str(value).lower() == "true"
