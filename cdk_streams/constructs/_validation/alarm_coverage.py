"""Detect whether a CloudWatch alarm of the app covers a consumer's lag and its failures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import IConstruct

from cdk_streams.constructs._consumer_view import ConsumerView, function_behind
from cdk_streams.constructs.alarms import Alarms, spec_of

__all__ = ["of_consumer"]

_LAG_METRICS: Final = frozenset({"IteratorAge"})
_QUEUE_METRICS: Final = frozenset(
    {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
)


def of_consumer(tree: Iterable[IConstruct], consumer: ConsumerView) -> dict[str, bool | None]:
    """Return whether any alarm of the tree covers lag and failures of a consumer."""
    queue, topic = consumer.failures.queue, consumer.failures.topic
    specs = filter(None, map(spec_of, fields(Alarms)))
    ours = {spec.covers for spec in specs if spec.id in consumer.alarms}
    return {
        "lag_alarm": "lag" in ours
        or _has_alarm(tree, _LAG_METRICS, function_behind(consumer.function).function_name),
        "failure_alarm": "failures" in ours
        or (queue is not None and _has_alarm(tree, _QUEUE_METRICS, queue.queue_name))
        or (topic is not None and _has_subscription(tree, topic)),
    }


def _has_subscription(tree: Iterable[IConstruct], topic: sns.ITopic) -> bool | None:
    """Whether a topic notifies somebody; None for one that another app defines."""
    resource = topic.node.default_child
    if not isinstance(resource, sns.CfnTopic):
        return None
    return resource.subscription is not None or any(
        isinstance(each, sns.CfnSubscription) and each.topic_arn == topic.topic_arn for each in tree
    )


def _has_alarm(tree: Iterable[IConstruct], names: frozenset[str], dimension: str) -> bool:
    """Whether an alarm is on one of these metrics with a dimension of that value."""
    for alarm in tree:
        if isinstance(alarm, cloudwatch.CfnAlarm):
            # The name of a resource in another stack reads alike only in one stack's words.
            properties, value = Stack.of(alarm).resolve([alarm._cfn_properties, dimension])  # noqa: SLF001 - the one way to all of them
            for metric in _metrics(properties):
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
