"""Whether alarms watch a consumer: ours, or any other of the app."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import IConstruct

from cdk_streams.constructs._validation.construct_facts import underlying

if TYPE_CHECKING:
    from cdk_streams.constructs.consumer import StreamConsumer

__all__ = ["by_alarms"]

_OURS: Final = frozenset({"FailureQueueAlarm", "FailureQueueAgeAlarm", "DeliveredFailuresAlarm"})
_LAG: Final = frozenset({"IteratorAge"})
_FAILURES: Final = frozenset(
    {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
)


def by_alarms(tree: Iterable[IConstruct], consumer: StreamConsumer) -> dict[str, bool | None]:
    """Return whether lag and failures of a consumer are watched by any alarm of the tree."""
    queue, topic = consumer.failures.queue, consumer.failures.topic
    return {
        "lag_alarm": "IteratorAgeAlarm" in consumer.alarms
        or _is_watched(tree, _LAG, underlying(consumer).function_name),
        # Whoever subscribes to a topic is told by the topic.
        "failure_alarm": None
        if topic
        else bool(_OURS & {*consumer.alarms})
        or (queue is not None and _is_watched(tree, _FAILURES, queue.queue_name)),
    }


def _is_watched(tree: Iterable[IConstruct], names: frozenset[str], of: str) -> bool:
    """Whether an alarm is on one of these metrics with a dimension of that value."""
    for alarm in tree:
        if isinstance(alarm, cloudwatch.CfnAlarm):
            # The name of a resource in another stack reads alike only in one stack's words.
            held, value = Stack.of(alarm).resolve([alarm._cfn_properties, of])  # noqa: SLF001 -- the one way to all of them
            for metric in _metrics(held):
                dimensions = metric.get("dimensions") or ()
                if metric["metricName"] in names and value in [
                    each["value"] for each in dimensions
                ]:
                    return True
    return False


def _metrics(held: Any) -> Iterator[Mapping[str, Any]]:
    """Find the metrics of an alarm: its own, or those inside of metric math."""
    if isinstance(held, Mapping):
        if "metricName" in held:
            yield held
        for each in held.values():
            yield from _metrics(each)
    elif isinstance(held, list):
        for each in held:
            yield from _metrics(each)
