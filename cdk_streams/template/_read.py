"""`read`: the tables, functions, mappings and destinations of a template, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cdk_streams.errors import TemplateError
from cdk_streams.template._destinations import (
    DESTINATION_TYPES,
    DestinationResource,
    read_destination,
)
from cdk_streams.template._document import Document, load
from cdk_streams.template._functions import FunctionResource, read_function
from cdk_streams.template._intrinsics import Resolver
from cdk_streams.template._loops import has_loops, write_out
from cdk_streams.template._mappings import MappingResource, read_mappings
from cdk_streams.template._names import FUNCTION_TYPES, TABLE_TYPES, properties_of
from cdk_streams.template._parameters import Parameters
from cdk_streams.template._tables import TableResource, read_table
from cdk_streams.template._values import kind_of

__all__ = ["Resource", "StackTemplate", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Any resource of a template.

    Args:
        logical_id: Its name in the template.
        kind: Its type: `AWS::CloudWatch::Alarm`.
        properties: Its properties, resolved; `Unknown` stands for what is not known.
        depends_on: The logical ids in its `DependsOn`.

    """

    logical_id: str
    kind: str
    properties: Mapping[str, Any]
    depends_on: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackTemplate:
    """What a template has to do with DynamoDB streams, each resource by its logical id.

    `mappings` are those that read a DynamoDB stream, or may: the source of one whose
    `stream_arn` is `Unknown` is known only to a deployment. Resources whose condition is false
    are there too, with the reason as `absent`. `assets` says where CDK staged the code of functions
    and layers: a folder or a file, relative to the template's own folder. `refused` has a sentence
    for each resource that CloudFormation refuses for its shape; they are read as empty, or not.
    """

    region: str
    account: str
    tables: Mapping[str, TableResource]
    functions: Mapping[str, FunctionResource]
    mappings: Mapping[str, MappingResource]
    destinations: Mapping[str, DestinationResource]
    assets: Mapping[str, str]
    refused: Mapping[str, str]
    _resolver: Resolver = field(repr=False, compare=False)

    def resources(self, *kinds: str) -> Iterator[Resource]:
        """Yield the resources of these types that are created."""
        for name, resource in self._resolver.resources.items():
            if resource["Type"] in kinds and self._resolver.absence(name) is None:
                yield self.resource(name)

    def resource(self, logical_id: str) -> Resource:
        """Return the resource of that name; KeyError if the template has none."""
        resource = self._resolver.resources[logical_id]
        after = resource.get("DependsOn") or ()
        return Resource(
            logical_id=logical_id,
            kind=resource["Type"],
            properties=self._resolver.properties(properties_of(resource), logical_id),
            depends_on=frozenset([after] if isinstance(after, str) else map(str, after)),
        )


def read(
    document: Document,
    *,
    parameters: Mapping[str, Any] | None = None,
    region: str = "us-east-1",
    account: str = "123456789012",
) -> StackTemplate:
    """Read a CloudFormation template: what CDK, SAM, Serverless or a person wrote.

    A resource with a value that the template does not tell, or that CloudFormation refuses, is
    read all the same: the value is an `Unknown` with the reason, raised where it is needed.

    Args:
        document: The template as a dict, as text or as a path: JSON, or YAML with short tags.
        parameters: Values for the template's parameters, in place of their defaults.
        region: What `AWS::Region` is.
        account: What `AWS::AccountId` is.

    Raises:
        TemplateError: It is no template, or a parameter's value is refused.

    """
    template = load(document)
    given = Parameters(template.get("Parameters"), parameters or {})
    try:
        resolver = Resolver(template, given, region=region, account=account)
        if has_loops(template):
            written = write_out(template, resolver.value)
            resolver = Resolver(written, given, region=region, account=account)
            template = {**template, "Resources": written.get("Resources")}
        return _read(resolver, _shared(template), template.get("Resources"))
    except RecursionError:
        raise TemplateError("the template is nested too deeply to be read") from None


def _read(resolver: Resolver, shared: Mapping[str, Any], resources: Any) -> StackTemplate:
    kinds = {name: each["Type"] for name, each in resolver.resources.items()}
    tables = {
        name: read_table(name, resolver) for name, kind in kinds.items() if kind in TABLE_TYPES
    }
    functions = {
        name: read_function(name, resolver, shared)
        for name, kind in kinds.items()
        if kind in FUNCTION_TYPES
    }
    return StackTemplate(
        region=resolver.pseudo["AWS::Region"],
        account=resolver.pseudo["AWS::AccountId"],
        tables=tables,
        functions=functions,
        mappings={
            each.logical_id: each for each in read_mappings(resolver, tables, functions, shared)
        },
        destinations={
            name: read_destination(name, resolver)
            for name, kind in kinds.items()
            if kind in DESTINATION_TYPES
        },
        assets=dict(_assets(resolver)),
        refused=dict(_refused(resources)),
        _resolver=resolver,
    )


def _assets(resolver: Resolver) -> Iterator[tuple[str, str]]:
    for name, resource in resolver.resources.items():
        metadata = resource.get("Metadata")
        path = metadata.get("aws:asset:path") if isinstance(metadata, Mapping) else None
        if isinstance(path, str):
            yield name, path


def _refused(resources: Any) -> Iterator[tuple[str, str]]:
    for name, each in resources.items() if isinstance(resources, Mapping) else ():
        place = f"Resources.{name}"
        if str(name).startswith("Fn::"):  # A macro or a loop puts resources here.
            continue
        if not isinstance(each, Mapping):
            yield name, f"{place} must be an object with a Type, got {kind_of(each)}"
        elif not isinstance(each.get("Type"), str):
            yield name, f"{place} must have a Type, such as AWS::Lambda::Function"
        elif not isinstance(each.get("Properties", {}), Mapping):
            got = kind_of(each["Properties"])
            yield name, f"{place}.Properties must be an object, got {got}"


def _shared(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what SAM's `Globals` give to each of its functions."""
    everything = template.get("Globals")
    shared = everything.get("Function") if isinstance(everything, Mapping) else None
    return shared if isinstance(shared, Mapping) else {}
