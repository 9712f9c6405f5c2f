"""What the checks know of a consumer, read from the finished construct tree.

Reading has two steps, because each call to Node takes its time: `look` collects the properties of
the resources behind a consumer as CDK holds them; resolved together, stack by stack, `facts` makes
plain values of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

from cdk_streams.checks import Consumer, Destination, Function, Source, _resource_facts
from cdk_streams.constructs.function import StreamFunction

if TYPE_CHECKING:
    from cdk_streams.constructs.consumer import StreamConsumer

__all__ = ["Names", "Seen", "Tree", "facts", "look", "underlying"]

Seen: TypeAlias = dict[str, Any]
"""Properties by what they are of, as CDK holds them; resolved, what is None is not there."""

Kinds: TypeAlias = tuple[type[CfnResource], ...]

_TABLES: Final = (dynamodb.CfnGlobalTable, dynamodb.CfnTable)
_RECEIVERS: Final = (sqs.CfnQueue, sns.CfnTopic, s3.CfnBucket)
_GUARDS: Final = (sqs.CfnQueuePolicy, sns.CfnTopicPolicy, s3.CfnBucketPolicy)
# What facts come from, of all but the mapping; Node resolves no more than this.
_READ: Final = frozenset(
    {
        *("streamSpecification", "replicas"),
        *("timeout", "memorySize", "reservedConcurrentExecutions", "deadLetterConfig"),
        *("destinationConfig", "policyDocument"),
        *("fifoQueue", "fifoTopic", "kmsMasterKeyId"),
        *("messageRetentionPeriod", "sqsManagedSseEnabled"),
    }
)


class Names(NamedTuple):
    """What the facts call a consumer, its stream's table, and its function."""

    consumer: str
    table: str
    function: str


class Tree:
    """All constructs of an app, each before those within it, as they were at one moment."""

    def __init__(self, root: IConstruct) -> None:
        self.constructs = root.node.find_all()
        self._places = {each: place for place, each in enumerate(self.constructs)}

    def after(self, construct: IConstruct) -> Iterator[IConstruct]:
        """Yield what stands behind a construct: first what it is made of, then all others."""
        for place in range(self._places[construct] + 1, len(self.constructs)):
            yield self.constructs[place]


def look(consumer: StreamConsumer, tree: Tree) -> Seen:
    """Collect the properties of what stands behind a consumer."""
    resources = list(_resources(underlying(consumer)))
    policies, role = resources, None
    if not any(isinstance(each, iam.CfnRole) for each in resources):
        role = consumer.function.role
        policies = list(_resources(role))
    failures = consumer.failures
    given = None if failures.is_ours else failures.bucket or failures.topic or failures.queue
    receiver = list(_resources(given))
    return {
        "mapping": _properties(consumer.event_source_mapping),
        "table": _table(consumer.table, tree),
        "function": _first(resources, (lambda_.CfnFunction,)),
        "has_role": role is not None or policies is resources,
        "invoked": _all(resources, (lambda_.CfnEventInvokeConfig,)),
        "statements": _all(policies, (iam.CfnPolicy,)),
        "receiver": _first(receiver, _RECEIVERS),
        "guards": _all(receiver, _GUARDS),
    }


def underlying(consumer: StreamConsumer) -> lambda_.IFunction | lambda_.FunctionBase:
    """Return the function itself where the consumer has an alias or a version of it."""
    function = consumer.function
    if isinstance(function, (lambda_.Alias, lambda_.Version)):
        return function.lambda_
    return function


def facts(consumer: StreamConsumer, seen: Seen, names: Names) -> Consumer:
    """Make facts of what was seen and resolved."""
    mapping = _plain(seen["mapping"])
    settings, faults = _resource_facts.settings(mapping)
    return Consumer(
        name=names.consumer,
        settings=settings,
        faults=faults,
        source=_source(seen, names.table),
        function=_function(consumer, seen, names),
        destination=_destination(consumer, seen),
        # The constructs let the mapping wait for every right that they grant.
        waits_for_policy=True,
        lag_alarm=seen["lag_alarm"],
        failure_alarm=seen["failure_alarm"],
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


def _source(seen: Seen, name: str) -> Source:
    arn = seen["mapping"].get("eventSourceArn")
    locked = isinstance(arn, Mapping) and "Fn::ImportValue" in arn
    if seen.get("table") is None:
        return Source(name=name, is_export_locked=locked)
    return replace(_resource_facts.table(name, _plain(seen["table"])), is_export_locked=locked)


def _function(consumer: StreamConsumer, seen: Seen, names: Names) -> Function:
    if seen.get("function") is None:
        return Function(name=names.function, has_role=seen["has_role"])
    found = _resource_facts.function(names.function, _plain(seen["function"]))
    by_config = any("destinationConfig" in each for each in seen["invoked"])
    return replace(
        found,
        writes_to=frozenset({names.table}) if _writes_table(consumer, seen) else frozenset(),
        has_async_dead_letter=found.has_async_dead_letter or by_config,
        has_role=seen["has_role"],
        uses_runtime=isinstance(underlying(consumer), StreamFunction) or None,
    )


def _writes_table(consumer: StreamConsumer, seen: Seen) -> bool:
    statements = [each for policy in seen["statements"] for each in _statements(policy)]
    if not any(_resource_facts.allows_writes(each) for each in statements):
        return False
    arn = Stack.of(consumer).resolve(consumer.table.table_arn)
    return _resource_facts.may_write(statements, arn)


def _destination(consumer: StreamConsumer, seen: Seen) -> Destination | None:
    failures = consumer.failures
    if failures.arn is None:
        return None
    if failures.is_ours:
        # Made safe by the constructs; Node is not asked for it again.
        kind: Literal["queue", "bucket"] = "queue" if failures.bucket is None else "bucket"
        return Destination(kind=kind, is_fifo=False, is_encrypted=True, is_tls_only=True)
    known = seen.get("receiver") is not None
    held = _plain(seen.get("receiver") or {})
    guards = [each for policy in seen["guards"] for each in _statements(policy)]
    if failures.bucket is not None:
        return _resource_facts.bucket(guards) if known else Destination(kind="bucket")
    if failures.topic is not None:
        return _resource_facts.topic(held, guards) if known else Destination(kind="topic")
    return _resource_facts.queue(held, guards) if known else Destination(kind="queue")


def _statements(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = (policy.get("policyDocument") or {}).get("Statement") or []
    return found if isinstance(found, list) else [found]


def _resources(construct: IConstruct | None) -> Iterator[CfnResource]:
    """Find the resources that a construct is made of; none for one that is imported."""
    for each in construct.node.find_all() if construct is not None else ():
        if isinstance(each, CfnResource):
            yield each


def _table(table: IConstruct, tree: Tree) -> dict[str, Any] | None:
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
    held: Mapping[str, Any] = resource._cfn_properties  # noqa: SLF001 -- protected in CDK, open to subclasses
    return held
