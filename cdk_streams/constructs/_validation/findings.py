"""Findings about the consumers of an app, added as CDK warnings when it is synthesized.

The facts are read when CDK validates the tree, after every aspect and grant, so that what a later
line of the app changed counts. Readers of a stream are counted over the whole app, those that CDK's
own constructs create too. A property that is overridden in the template alone
(`add_property_override`) is not seen here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jsii
from aws_cdk import Stack, Stage
from constructs import IValidation

from cdk_streams.checks import Consumer, Finding, Source, check
from cdk_streams.constructs._consumer_view import ConsumerView
from cdk_streams.constructs._registry import Placement
from cdk_streams.constructs._validation import alarm_coverage, construct_facts, other_readers
from cdk_streams.constructs._validation.construct_facts import (
    ConstructTree,
    Labels,
    ResourceProperties,
)
from cdk_streams.constructs._validation.warnings import add_warning

__all__ = ["validate_at_synthesis"]


class _Readers(NamedTuple):
    """All readers of the app: consumers, and the stream ARN of each other reader of theirs."""

    consumers: list[ConsumerView]
    others: list[str]


@jsii.implements(IValidation)
class _StageValidation:
    """Adds the warnings about the consumers of one stage when CDK validates it."""

    def __init__(self, placement: Placement, stage: Stage) -> None:
        self._root = placement.root
        self._consumers = placement.registry.consumers
        self._stage = stage

    def validate(self) -> list[str]:
        """Add the warnings; return no error."""
        for consumer, finding in self._findings():
            add_warning(consumer.event_source_mapping, finding.id, str(finding))
        return []

    def _findings(self) -> list[tuple[ConsumerView, Finding]]:
        tree = ConstructTree(self._root)
        ours = [*self._consumers]
        readers = _Readers(ours, other_readers.stream_arns(ours, tree.constructs))
        resources = self._resources(tree)
        if not check(_facts(readers, resources, _numbers(readers))):
            return []
        # Node is asked for paths only when there is something to say.
        labels = _paths(readers)
        by_path = {its.consumer: each for each, its in zip(ours, labels, strict=True)}
        return [
            (by_path[found.consumer], found)
            for found in check(_facts(readers, resources, labels))
            if by_path.get(found.consumer) in resources
        ]

    def _resources(self, tree: ConstructTree) -> dict[ConsumerView, ResourceProperties]:
        """Resolve the resources behind the stage's consumers, each stack's in one call."""
        by_stack: dict[Stack, list[ConsumerView]] = {}
        for consumer, placement in self._consumers.items():
            if placement.stage is self._stage:
                by_stack.setdefault(placement.stack, []).append(consumer)
        resolved: dict[ConsumerView, ResourceProperties] = {}
        for stack, consumers in by_stack.items():
            collected = [construct_facts.collect(each, tree) for each in consumers]
            for each, properties in zip(consumers, stack.resolve(collected), strict=True):
                coverage = alarm_coverage.of_consumer(tree.constructs, each)
                resolved[each] = {**properties, **coverage}
        return resolved


def validate_at_synthesis(placement: Placement) -> None:
    """Have the consumers of a stage checked when it is synthesized."""
    stage, registry = placement.stage, placement.registry
    if stage is None or stage in registry.validated:
        return  # A tree without an App is never synthesized.
    registry.validated.add(stage)
    stage.node.add_validation(_StageValidation(placement, stage))


def _facts(
    readers: _Readers,
    resources: Mapping[ConsumerView, ResourceProperties],
    labels: Sequence[Labels],
) -> list[Consumer]:
    """Return facts of every reader; of one in another stage, no more than that it is there.

    Others come first: where a stream has too many readers, the warning is about one of ours then.
    """
    tables = {
        each.stream_arn: its.table for each, its in zip(readers.consumers, labels, strict=True)
    }
    return [
        *(_reader(f"other reader {n}", tables[arn]) for n, arn in enumerate(readers.others)),
        *(
            construct_facts.facts_of(each, resources[each], its)
            if each in resources
            else _reader(its.consumer, its.table)
            for each, its in zip(readers.consumers, labels, strict=True)
        ),
    ]


def _reader(name: str, table: str) -> Consumer:
    return Consumer(name=name, settings=None, source=Source(name=table))


def _numbers(readers: _Readers) -> list[Labels]:
    """Tell consumers, streams and functions apart without asking Node."""
    return [
        Labels(f"{number}", each.stream_arn, f"{id(each.function)}")
        for number, each in enumerate(readers.consumers)
    ]


def _paths(readers: _Readers) -> list[Labels]:
    # Two imports of one table are one stream; it has the name of the first.
    tables: dict[str, str] = {}
    for each in readers.consumers:
        tables.setdefault(each.stream_arn, each.table.node.path)
    return [
        Labels(each.node.path, tables[each.stream_arn], each.function.node.path)
        for each in readers.consumers
    ]
