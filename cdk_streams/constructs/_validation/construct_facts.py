"""Facts of a consumer, read from the finished construct tree.

Two passes keep the calls to Node few: `collect` gathers the unresolved properties of the resources
behind a consumer; after one `Stack.resolve` per stack, `facts_of` turns them into plain values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from cdk_streams.checks import Consumer, Destination, Function, Source, _resource_facts
from cdk_streams.constructs._consumer_view import ConsumerView, function_behind
from cdk_streams.constructs._validation.last_template import last_mappings
from cdk_streams.constructs.function import StreamFunction
from cdk_streams.mapping import DESTINATION_KINDS

__all__ = ["ConstructTree", "Labels", "ResourceProperties", "collect", "facts_of"]

ResourceProperties: TypeAlias = dict[str, Any]
"""Properties by the resource they are of, such as `table`; once resolved, None is left out."""

Kinds: TypeAlias = tuple[type[CfnResource], ...]


def _in_cdk(prop: str) -> str:
    """Return a property's name as CDK spells it: `fifoQueue` of `FifoQueue`."""
    return prop[:1].lower() + prop[1:]


_TABLES: Final = (dynamodb.CfnGlobalTable, dynamodb.CfnTable)
# What facts come from, of all but the mapping; Node resolves no more than this.
_READ: Final = frozenset(
    {
        *("streamSpecification", "replicas"),
        *("timeout", "memorySize", "reservedConcurrentExecutions", "deadLetterConfig"),
        "durableConfig",
        *("destinationConfig", "policyDocument"),
        *("kmsMasterKeyId", "messageRetentionPeriod"),
        *(_in_cdk(kind.fifo_switch) for kind in DESTINATION_KINDS),
        *(_in_cdk(kind.encryption_switch) for kind in DESTINATION_KINDS),
    }
)


class Labels(NamedTuple):
    """The names of a consumer, its stream's table, and its function in the findings."""

    consumer: str
    table: str
    function: str


class ConstructTree:
    """All constructs of an app, each before those within it, as they were at one moment."""

    def __init__(self, root: IConstruct) -> None:
        self.constructs = root.node.find_all()
        self._indexes = {each: index for index, each in enumerate(self.constructs)}

    def after(self, construct: IConstruct) -> Iterator[IConstruct]:
        """Yield the constructs behind one: first what it is made of, then all others."""
        for index in range(self._indexes[construct] + 1, len(self.constructs)):
            yield self.constructs[index]


def collect(consumer: ConsumerView, tree: ConstructTree) -> ResourceProperties:
    """Collect the unresolved properties of the resources behind a consumer."""
    resources = list(_resources(function_behind(consumer.function)))
    policies, role = resources, None
    if not any(isinstance(each, iam.CfnRole) for each in resources):
        role = consumer.function.role
        policies = list(_resources(role))
    return {
        "mapping": _properties(consumer.event_source_mapping),
        "table": _table(consumer.table, tree),
        "replicas": _v1_replicas(consumer.table),
        "function": _first(resources, (lambda_.CfnFunction,)),
        "has_role": role is not None or policies is resources,
        "is_granted": any(isinstance(each, (iam.CfnRole, iam.CfnPolicy)) for each in policies),
        "invoke_configs": _all(resources, (lambda_.CfnEventInvokeConfig,)),
        "role_policies": _all(policies, (iam.CfnPolicy,)),
        **_destination_properties(consumer),
    }


def _destination_properties(consumer: ConsumerView) -> ResourceProperties:
    failures = consumer.failures
    if failures.kind is None or failures.is_ours:
        return {"destination": None, "destination_policies": []}
    resources = list(_resources(failures.target))
    return {
        "destination": _first(resources, (failures.kind.resource,)),
        "destination_policies": _all(resources, (failures.kind.policy,)),
    }


def facts_of(consumer: ConsumerView, resources: ResourceProperties, labels: Labels) -> Consumer:
    """Return the facts of a consumer from its resolved resources."""
    mapping = _with_filters(_plain(resources["mapping"]), consumer)
    settings, faults = _resource_facts.settings(mapping)
    return Consumer(
        name=labels.consumer,
        settings=settings,
        faults=faults,
        source=_source(resources, labels.table),
        function=_function(consumer, resources, labels),
        destination=_destination(consumer, resources),
        # The constructs make the mapping depend on every permission that they grant.
        waits_for_policy=True,
        lag_alarm=resources["lag_alarm"],
        failure_alarm=resources["failure_alarm"],
        last=tuple(last_mappings(resources["last"], resources["id"], mapping, resources["ids"]))
        if resources["last"]
        else (),
    )


def _plain(held: Any) -> Any:
    """Spell resolved properties as a template does: `batchSize` becomes `BatchSize`."""
    if isinstance(held, list):
        return [_plain(each) for each in held]
    if not isinstance(held, Mapping):
        return held
    return {
        name[:1].upper() + name[1:]: value if name == "policyDocument" else _plain(value)
        for name, value in held.items()
    }


def _with_filters(mapping: dict[str, Any], consumer: ConsumerView) -> dict[str, Any]:
    """Spell a pattern with a value of the deployment as the app gave it, so that checks read it.

    `NewImage("tenant").eq(parameter.value_as_string)` holds a token of CDK, which becomes text when
    the stack is deployed.
    """
    filters = (mapping.get("FilterCriteria") or {}).get("Filters") or []
    if len(filters) != len(consumer.settings.filters):
        return mapping
    texts = [
        {"Pattern": each["Pattern"] if isinstance(each["Pattern"], str) else text}
        for each, text in zip(filters, consumer.settings.filters, strict=True)
    ]
    return mapping | ({"FilterCriteria": {"Filters": texts}} if texts else {})


def _v1_replicas(table: IConstruct) -> int:
    """Return how many replicas a `Table` has; CDK makes a custom resource of each."""
    if not isinstance(table, dynamodb.Table):
        return 0
    kinds = (each.cfn_resource_type for each in _resources(table))
    return sum(kind == "Custom::DynamoDBReplica" for kind in kinds)


def _source(resources: ResourceProperties, name: str) -> Source:
    arn = resources["mapping"].get("eventSourceArn")
    locked = isinstance(arn, Mapping) and "Fn::ImportValue" in arn
    table = resources.get("table")
    if table is None:
        return Source(name=name, is_export_locked=locked)
    found = _resource_facts.table(name, _plain(table))
    replicas = resources["replicas"] or found.replicas
    return replace(found, is_export_locked=locked, replicas=replicas)


def _function(consumer: ConsumerView, resources: ResourceProperties, labels: Labels) -> Function:
    properties = resources.get("function")
    if properties is None:
        return Function(
            name=labels.function,
            has_role=resources["has_role"],
            is_granted=resources["is_granted"] if resources["has_role"] else None,
        )
    found = _resource_facts.function(labels.function, _plain(properties))
    by_config = any("destinationConfig" in each for each in resources["invoke_configs"])
    writes = _writes_table(consumer, resources)
    return replace(
        found,
        writes_to=frozenset({labels.table}) if writes else frozenset(),
        has_async_dead_letter=found.has_async_dead_letter or by_config,
        has_role=resources["has_role"],
        is_granted=resources["is_granted"],
        uses_lambda_runtime=isinstance(function_behind(consumer.function), StreamFunction),
    )


def _writes_table(consumer: ConsumerView, resources: ResourceProperties) -> bool:
    statements = [each for policy in resources["role_policies"] for each in _statements(policy)]
    if not any(_resource_facts.allows_writes(each) for each in statements):
        return False
    arn = Stack.of(consumer.event_source_mapping).resolve(consumer.table.table_arn)
    return _resource_facts.may_write(statements, arn)


def _destination(consumer: ConsumerView, resources: ResourceProperties) -> Destination | None:
    kind = consumer.failures.kind
    if kind is None:
        return None
    # Of an import this app knows no more than the kind.
    unknown = Destination(kind=kind.kind.name, holds_data=kind.kind.holds_records)
    if consumer.failures.is_ours:
        # Made safe by the constructs; Node is not asked for it again.
        return replace(unknown, is_fifo=False, is_encrypted=True, is_tls_only=True)
    properties = resources.get("destination")
    if properties is None:
        return unknown
    policies = resources["destination_policies"]
    statements = [each for policy in policies for each in _statements(policy)]
    return _resource_facts.destination(kind.kind, _plain(properties), statements)


def _statements(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = (policy.get("policyDocument") or {}).get("Statement") or []
    return found if isinstance(found, list) else [found]


def _resources(construct: IConstruct | None) -> Iterator[CfnResource]:
    """Find the resources that a construct is made of; none for one that is imported."""
    for each in construct.node.find_all() if construct is not None else ():
        if isinstance(each, CfnResource):
            yield each


def _table(table: IConstruct, tree: ConstructTree) -> dict[str, Any] | None:
    """Return what a table of this app holds; the first resource of its kind behind it is its own.

    To ask Node for each table's parts would take as long as all else that is read of it.
    """
    if not isinstance(table, (dynamodb.Table, dynamodb.TableV2)):
        return None  # An import.
    return _first(tree.after(table), _TABLES)


def _all(resources: Iterable[IConstruct], kinds: Kinds) -> list[dict[str, Any]]:
    return [_held(each) for each in resources if isinstance(each, kinds)]


def _first(resources: Iterable[IConstruct], kinds: Kinds) -> dict[str, Any] | None:
    return next((_held(each) for each in resources if isinstance(each, kinds)), None)


def _held(resource: CfnResource) -> dict[str, Any]:
    return {name: value for name, value in _properties(resource).items() if name in _READ}


def _properties(resource: CfnResource) -> Mapping[str, Any]:
    # The one way to all properties of a resource at once, whatever its type.
    held: Mapping[str, Any] = resource._cfn_properties  # noqa: SLF001 - protected in CDK, open to subclasses
    return held
