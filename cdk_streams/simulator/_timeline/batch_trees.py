"""The batches that failed, as trees: a batch, its attempts, and the parts it was bisected into.

#1-#4 (4)   x
#1-#2 (2)   x
#1          o
#2          x x        the poison record, alone
#3-#4 (2)   o
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cdk_streams.simulator._timeline.events import EVENT_KINDS, TimelineEvent

__all__ = ["BatchNode", "batch_trees"]

# A batch after one of these comes again, whole or in part.
_COMES_AGAIN = {"failed", "timeout", "throttled", "partial", "duplicate"}


@dataclass(slots=True)
class BatchNode:
    """One batch: the places of its calls on the timeline, and of its failure record."""

    numbers: tuple[str, ...]
    attempts: list[int] = field(default_factory=list)
    parts: list[BatchNode] = field(default_factory=list)
    failure: int | None = None


def batch_trees(events: Sequence[TimelineEvent]) -> list[BatchNode]:
    """Return the batches that were called more than once, or whose records were discarded.

    A call belongs to the newest unsuccessful batch of its consumer and shard that holds all of its
    records: the same ones are a retry, fewer a part of a bisected or partly handled batch.
    """
    roots: list[BatchNode] = []
    # Each batch that may come again, by consumer, table and shard.
    open_ones: dict[tuple[str, str, str], list[BatchNode]] = {}
    for place, each in enumerate(events):
        key = (each.consumer, each.table, each.shard_id)
        if each.kind in {"sent", "lost"} and each.sequence_numbers:
            node = _node_of(open_ones.get(key, []), each.sequence_numbers, exact=True)
            if node is not None:
                node.failure = place
        if EVENT_KINDS[each.kind].group != "call" or not each.sequence_numbers:
            continue
        node = _take(roots, open_ones.setdefault(key, []), each.sequence_numbers)
        node.attempts.append(place)
        if each.kind not in _COMES_AGAIN:
            open_ones[key].remove(node)
    return [each for each in roots if len(each.attempts) > 1 or each.parts or each.failure]


def _take(roots: list[BatchNode], nodes: list[BatchNode], numbers: tuple[str, ...]) -> BatchNode:
    """Return the batch that a call is an attempt of; a new one when it repeats none."""
    parent = _node_of(nodes, numbers)
    if parent is not None and parent.numbers == numbers:
        return parent
    node = BatchNode(numbers)
    (roots if parent is None else parent.parts).append(node)
    nodes.append(node)
    # Records that are called in another batch are done with in the older ones.
    last = int(numbers[0])
    nodes[:] = [each for each in nodes if int(each.numbers[-1]) >= last]
    return node


def _node_of(
    nodes: Sequence[BatchNode], numbers: tuple[str, ...], *, exact: bool = False
) -> BatchNode | None:
    for node in reversed(nodes):
        if node.numbers == numbers or (not exact and set(numbers) <= set(node.numbers)):
            return node
    return None
