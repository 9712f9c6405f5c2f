"""Findings about the consumers of an app, added as CDK warnings when it is synthesized.

The facts are read when CDK validates the tree, after every aspect and grant, so that what a later
line of the app changed counts. Readers of a stream are counted over the whole app, those that CDK's
own constructs create too. A property that is overridden in the template alone
(`add_property_override`) is not seen here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import jsii
from aws_cdk import Stack, Stage
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import IValidation

from cdk_streams.checks import Consumer, Finding, Function, Source, check
from cdk_streams.constructs._consumer_view import ConsumerView
from cdk_streams.constructs._registry import Placement, Registry, placement_of
from cdk_streams.constructs._validation import alarm_coverage, construct_facts
from cdk_streams.constructs._validation.construct_facts import (
    ConstructTree,
    Labels,
    ResourceProperties,
)
from cdk_streams.constructs._validation.last_template import last_resources
from cdk_streams.constructs._validation.other_readers import OtherReader, other_readers
from cdk_streams.constructs._validation.stream_identity import StreamId, StreamIdentities
from cdk_streams.constructs._validation.warnings import add_warning

__all__ = ["validate_at_synthesis"]

_OF_THIS_APP: Final = (dynamodb.Table, dynamodb.TableV2)


class _Readers(NamedTuple):
    """All readers of the app: consumers, and others of their streams, each with its stream."""

    consumers: dict[ConsumerView, StreamId]
    others: dict[OtherReader, StreamId]


@jsii.implements(IValidation)
class _StageValidation:
    """Adds the warnings about the consumers of one stage when CDK validates it."""

    def __init__(self, placement: Placement, stage: Stage) -> None:
        self._root = placement.root
        self._registry = placement.registry
        self._stage = stage

    def validate(self) -> list[str]:
        """Add the warnings; return no error."""
        for consumer, finding in self._findings():
            add_warning(consumer.event_source_mapping, finding.id, str(finding))
        return []

    def _findings(self) -> list[tuple[ConsumerView, Finding]]:
        tree = ConstructTree(self._root)
        readers = _readers(tree, self._registry)
        resources = self._resources(tree)
        if not check(_facts(readers, resources, _numbers(readers))):
            return []
        # Node is asked for paths only when there is something to say.
        names = _paths(readers)
        by_path = {names.consumers[each].consumer: each for each in readers.consumers}
        return [
            (by_path[found.consumer], found)
            for found in check(_facts(readers, resources, names))
            if by_path.get(found.consumer) in resources
        ]

    def _resources(self, tree: ConstructTree) -> dict[ConsumerView, ResourceProperties]:
        """Resolve the resources behind the stage's consumers, each stack's in one call."""
        by_stack: dict[Stack, list[ConsumerView]] = {}
        for consumer, placement in self._registry.consumers.items():
            if placement.stage is self._stage:
                by_stack.setdefault(placement.stack, []).append(consumer)
        resolved: dict[ConsumerView, ResourceProperties] = {}
        for stack, consumers in by_stack.items():
            collected = [construct_facts.collect(each, tree) for each in consumers]
            last = _last(stack, tree)
            for each, properties in zip(consumers, stack.resolve(collected), strict=True):
                coverage = alarm_coverage.of_consumer(tree.constructs, each)
                resolved[each] = {**properties, **coverage, **last}
                if last["last"]:
                    resolved[each]["id"] = stack.resolve(each.event_source_mapping.logical_id)
        return resolved


def _last(stack: Stack, tree: ConstructTree) -> dict[str, Any]:
    """Return the resources of the stack's last template, and the mappings' logical ids of today."""
    last = last_resources(placement_of(stack).last_template)
    mappings = [
        each
        for each in (tree.constructs if last else ())
        if isinstance(each, lambda_.CfnEventSourceMapping) and each.stack is stack
    ]
    return {"last": last, "ids": frozenset(stack.resolve([each.logical_id for each in mappings]))}


def validate_at_synthesis(placement: Placement) -> None:
    """Have the consumers of a stage checked when it is synthesized."""
    stage, registry = placement.stage, placement.registry
    if stage is None or stage in registry.validated:
        return  # A tree without an App is never synthesized.
    registry.validated.add(stage)
    stage.node.add_validation(_StageValidation(placement, stage))


def _readers(tree: ConstructTree, registry: Registry) -> _Readers:
    """Return all readers of the consumers' streams."""
    others = [*other_readers(registry.consumers, tree.constructs)]
    direct = {each.stream_arn for each in registry.consumers}
    if all(isinstance(each.table, _OF_THIS_APP) for each in registry.consumers) and all(
        each.stream_arn in direct for each in others
    ):
        # The usual app: one table is one ARN, and Node need not be asked for names.
        return _Readers(
            {each: (each.stream_arn,) for each in registry.consumers},
            {each: (each.stream_arn,) for each in others},
        )
    streams = StreamIdentities(tree.constructs, registry)
    ours = {
        each: streams.of_table(each.table, each.stream_arn, placement)
        for each, placement in registry.consumers.items()
    }
    found = {each: streams.of_arn(each.stream_arn, placement_of(each.resource)) for each in others}
    read = {*ours.values()}
    return _Readers(ours, {each: its for each, its in found.items() if its in read})


class _Names(NamedTuple):
    """The names of consumers and of other readers in the facts."""

    consumers: dict[ConsumerView, Labels]
    others: dict[OtherReader, Labels]


def _facts(
    readers: _Readers, resources: Mapping[ConsumerView, ResourceProperties], names: _Names
) -> list[Consumer]:
    """Return facts of every reader; of one in another stage, no more than that it is there.

    Others come first: where a stream has too many readers, the warning is about one of ours then.
    """
    return [
        *(_reader(names.others[each]) for each in readers.others),
        *(
            construct_facts.facts_of(each, resources[each], names.consumers[each])
            if each in resources
            else _reader(names.consumers[each])
            for each in readers.consumers
        ),
    ]


def _reader(labels: Labels) -> Consumer:
    function = Function(name=labels.function) if labels.function else None
    source = Source(name=labels.table)
    return Consumer(name=labels.consumer, settings=None, source=source, function=function)


def _numbers(readers: _Readers) -> _Names:
    """Tell readers, streams and functions apart without asking Node for paths."""
    functions = _functions(readers)
    return _Names(
        {
            each: Labels(f"{number}", repr(stream), functions[each.function_arn])
            for number, (each, stream) in enumerate(readers.consumers.items())
        },
        {
            each: Labels(f"other {number}", repr(stream), functions.get(each.function or "", ""))
            for number, (each, stream) in enumerate(readers.others.items())
        },
    )


def _paths(readers: _Readers) -> _Names:
    # Two references to one table are one stream; it has the name of the first.
    tables: dict[StreamId, str] = {}
    functions = _functions(readers)
    paths: dict[str, str] = {}
    for each, stream in readers.consumers.items():
        tables.setdefault(stream, each.table.node.path)
        paths.setdefault(functions[each.function_arn], each.function.node.path)
    return _Names(
        {
            each: Labels(each.node.path, tables[stream], paths[functions[each.function_arn]])
            for each, stream in readers.consumers.items()
        },
        {
            each: Labels(
                each.resource.node.path,
                tables[stream],
                paths.get(functions.get(each.function or "", ""), ""),
            )
            for each, stream in readers.others.items()
        },
    )


def _functions(readers: _Readers) -> dict[str, str]:
    """Return one text for each function, by each way to refer to it: its ARN and its name."""
    found: dict[str, str] = {}
    for each in readers.consumers:
        found.setdefault(each.function_arn, each.function_arn)
        if readers.others:
            found[each.function.function_name] = found[each.function_arn]
    return found
