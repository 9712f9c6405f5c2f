"""What the checks know of a consumer, read from the finished construct tree.

Reading has two steps, because each call to Node takes its time: `look` collects the properties of
the resources behind a consumer as CDK holds them; resolved together, stack by stack, `facts` makes
plain values of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

from cdk_streams.checks import Consumer, Destination, Function, Source, properties
from cdk_streams.constructs.functions import StreamFunction

if TYPE_CHECKING:
    from cdk_streams.constructs.consumers import StreamConsumer

__all__ = ["Names", "Seen", "facts", "look", "underlying"]

Seen: TypeAlias = dict[str, Any]
"""Properties by what they are of, as CDK holds them or, later, as the template has them."""

_POLICIES: Final = (sqs.CfnQueuePolicy, sns.CfnTopicPolicy, s3.CfnBucketPolicy)


class Names(NamedTuple):
    """What the facts call a consumer, its stream's table, and its function."""

    consumer: str
    table: str
    function: str


def look(consumer: StreamConsumer) -> Seen:
    """Collect the properties of what stands behind a consumer."""
    function = underlying(consumer)
    resources = list(_resources(function))
    policies = resources
    role = None
    if not any(isinstance(each, iam.CfnRole) for each in resources):
        role = consumer.function.role
        policies = list(_resources(role)) if role is not None else []
    failures = consumer.failures
    receiver = failures.bucket or failures.topic or failures.queue
    return {
        "mapping": _held(consumer.event_source_mapping),
        "table": [_held(each) for each in _default_child(consumer.table)],
        "table_arn": consumer.table.table_arn,
        "function": [_held(each) for each in resources if isinstance(each, lambda_.CfnFunction)],
        "has_role": role is not None or policies is resources,
        "invoked": [
            _held(each) for each in resources if isinstance(each, lambda_.CfnEventInvokeConfig)
        ],
        "statements": [_held(each) for each in policies if isinstance(each, iam.CfnPolicy)],
        "receiver": [_held(each) for each in _default_child(receiver)],
        "guards": [_held(each) for each in _resources(receiver) if isinstance(each, _POLICIES)],
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
    settings, faults = properties.settings(mapping)
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
    for held in seen["table"]:
        found = properties.table(name, _plain(held))
        return Source(
            name=name,
            has_stream=found.has_stream,
            view_type=found.view_type,
            replicas=found.replicas,
            is_export_locked=locked,
        )
    return Source(name=name, is_export_locked=locked)


def _function(consumer: StreamConsumer, seen: Seen, names: Names) -> Function:
    name = names.function
    if not seen["function"]:
        return Function(name=name, has_role=seen["has_role"])
    found = properties.function(name, _plain(seen["function"][0]))
    statements = [each for policy in seen["statements"] for each in _statements(policy)]
    writes = properties.may_write(statements, seen["table_arn"])
    return Function(
        name=name,
        timeout=found.timeout,
        memory_mb=found.memory_mb,
        reserved_concurrency=found.reserved_concurrency,
        writes_to=frozenset({names.table}) if writes else frozenset(),
        has_async_dead_letter=found.has_async_dead_letter
        or any("destinationConfig" in each for each in seen["invoked"]),
        has_role=seen["has_role"],
        uses_runtime=isinstance(underlying(consumer), StreamFunction) or None,
    )


def _destination(consumer: StreamConsumer, seen: Seen) -> Destination | None:
    failures = consumer.failures
    if failures.arn is None:
        return None
    known = bool(seen["receiver"])
    held = _plain(seen["receiver"][0]) if known else {}
    guards = [each for policy in seen["guards"] for each in _statements(policy)]
    if failures.bucket is not None:
        return properties.bucket(guards) if known else Destination(kind="bucket")
    if failures.topic is not None:
        return properties.topic(held, guards) if known else Destination(kind="topic")
    return properties.queue(held, guards) if known else Destination(kind="queue")


def _statements(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = (policy.get("policyDocument") or {}).get("Statement") or []
    return found if isinstance(found, list) else [found]


def _resources(construct: IConstruct | None) -> Iterator[CfnResource]:
    """Find the resources that a construct is made of; none for one that is imported."""
    for each in construct.node.find_all() if construct is not None else ():
        if isinstance(each, CfnResource):
            yield each


def _default_child(construct: IConstruct | None) -> Iterator[CfnResource]:
    child = construct.node.default_child if construct is not None else None
    if isinstance(child, CfnResource):
        yield child


def _held(resource: CfnResource) -> Any:
    # The one way to all properties of a resource at once, whatever its type.
    return resource._cfn_properties  # noqa: SLF001 -- protected in CDK, open to subclasses
