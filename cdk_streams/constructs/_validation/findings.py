"""Checks at synthesis: what is unwise about an app's consumers, shown as warnings of CDK.

The facts are read when CDK validates the tree, after every aspect and grant, so that what a later
line of the app changed counts. Readers of a stream are counted over the whole app, those of CDK's
own making too. A property that is overridden in the template alone (`add_property_override`) is
not seen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import Stack, Stage, Validations
from constructs import Construct, IConstruct, IValidation

from cdk_streams.checks import Consumer, Finding, Source, check
from cdk_streams.constructs._scopes import root_of, stack_of, stage_of
from cdk_streams.constructs._validation import alarm_coverage, construct_facts, other_readers
from cdk_streams.constructs._validation.construct_facts import Names, Tree

if TYPE_CHECKING:
    from cdk_streams.constructs._validation.construct_facts import Seen
    from cdk_streams.constructs.consumer import StreamConsumer

__all__ = ["advise"]


@jsii.implements(IValidation)
class _Advisor:
    """Speaks about the consumers of one stage when CDK validates it."""

    def __init__(self, root: IConstruct) -> None:
        self.root = root
        self.consumers: dict[StreamConsumer, Stack] = {}

    def validate(self) -> list[str]:
        """Add the warnings; nothing is an error by now."""
        for consumer, finding in _findings(self):
            # On the mapping, so that an acknowledgement on the consumer stands above: aws-cdk-lib
            # 2.257 passes over one on the very construct that is warned about.
            mapping = Validations.of(consumer.event_source_mapping)
            mapping.add_warning(finding.id, str(finding))
        return []


# By root and stage: an app has several stages, and a test run several apps.
_ADVISORS: Final = WeakKeyDictionary[IConstruct, dict[Stage, _Advisor]]()


def advise(consumer: StreamConsumer, scope: Construct) -> None:
    """Have the consumer checked when the stage of its scope is synthesized."""
    stage = stage_of(scope)
    if stage is None:
        return  # A tree without an App is never synthesized.
    root = root_of(stage)
    of_root = _ADVISORS.setdefault(root, {})
    if stage not in of_root:
        of_root[stage] = _Advisor(root)
        stage.node.add_validation(of_root[stage])
    of_root[stage].consumers[consumer] = stack_of(scope)


class _Every(NamedTuple):
    """All readers of the app: ours, and the stream of each other one that reads one of ours."""

    ours: list[StreamConsumer]
    others: list[str]


def _findings(advisor: _Advisor) -> list[tuple[StreamConsumer, Finding]]:
    tree = Tree(advisor.root)
    ours = [each for one in _ADVISORS[advisor.root].values() for each in one.consumers]
    every = _Every(ours, other_readers.beside(ours, tree.constructs))
    seen = _look(advisor, tree)
    if not check(_facts(every, seen, _numbers(every))):
        return []
    # Paths are asked of Node only when there is something to say.
    names = _paths(every)
    by_path = {its.consumer: each for each, its in zip(ours, names, strict=True)}
    return [
        (by_path[found.consumer], found)
        for found in check(_facts(every, seen, names))
        if by_path.get(found.consumer) in seen
    ]


def _look(advisor: _Advisor, tree: Tree) -> dict[StreamConsumer, Seen]:
    """Read what stands behind the stage's consumers, each stack's in one go."""
    found: dict[StreamConsumer, Seen] = {}
    for stack in dict.fromkeys(advisor.consumers.values()):
        here = [each for each, its in advisor.consumers.items() if its is stack]
        held = [construct_facts.look(each, tree) for each in here]
        for each, seen in zip(here, stack.resolve(held), strict=True):
            found[each] = {**seen, **alarm_coverage.by_alarms(tree.constructs, each)}
    return found


def _facts(
    every: _Every, seen: dict[StreamConsumer, Seen], names: Sequence[Names]
) -> list[Consumer]:
    """Return facts of every reader; one that was not seen, in another stage, is no more than that.

    Others come first: where a stream has too many readers, the warning then stands at ours.
    """
    tables = {each.stream_arn: its.table for each, its in zip(every.ours, names, strict=True)}
    return [
        *(_reader(f"{number} beside", tables[arn]) for number, arn in enumerate(every.others)),
        *(
            construct_facts.facts(each, seen[each], its)
            if each in seen
            else _reader(its.consumer, its.table)
            for each, its in zip(every.ours, names, strict=True)
        ),
    ]


def _reader(name: str, table: str) -> Consumer:
    return Consumer(name=name, settings=None, source=Source(name=table))


def _numbers(every: _Every) -> list[Names]:
    """Tell consumers, streams and functions apart without asking Node."""
    return [
        Names(f"{number}", each.stream_arn, f"{id(each.function)}")
        for number, each in enumerate(every.ours)
    ]


def _paths(every: _Every) -> list[Names]:
    # Two imports of one table are one stream; it has the name of the first.
    tables: dict[str, str] = {}
    for each in every.ours:
        tables.setdefault(each.stream_arn, each.table.node.path)
    return [
        Names(each.node.path, tables[each.stream_arn], each.function.node.path)
        for each in every.ours
    ]
