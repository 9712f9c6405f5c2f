"""CloudWatch alarms of a template on a mapping, and when a run would have set them off."""

from __future__ import annotations

import operator
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias

from cdk_streams.analysis._runnable import RunnableMapping
from cdk_streams.arns import Arn, is_service
from cdk_streams.mapping import STREAM_RETENTION
from cdk_streams.simulator import TimelineEvent
from cdk_streams.template import StackTemplate

__all__ = ["Alarm", "alarms_of"]

Series: TypeAlias = "list[tuple[float, float]]"

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_LAG: Final = "IteratorAge"
_DEPTH: Final = "ApproximateNumberOfMessagesVisible"
_AGE: Final = "ApproximateAgeOfOldestMessage"
_MINUTE_S: Final = 60
_DAY_S: Final = STREAM_RETENTION.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm on the iterator age of a mapping's function, or on its failure queue.

    Args:
        logical_id: Its name in the template.
        metric: `IteratorAge` (milliseconds), `ApproximateNumberOfMessagesVisible` (messages) or
            `ApproximateAgeOfOldestMessage` (seconds).
        threshold: In the metric's unit.
        comparison: CloudWatch's word: `GreaterThanThreshold`.
        period_s: Length of a period in seconds.
        periods: Periods that are looked at.
        datapoints: Periods among them that must breach.

    """

    logical_id: str
    metric: str
    threshold: float
    comparison: str
    period_s: int
    periods: int
    datapoints: int

    def goes_off(self, timeline: Sequence[TimelineEvent]) -> timedelta | None:
        """Return when a run sets the alarm off, since its start; None: it stays OK for a day.

        A period counts by its maximum; one without data does not breach.
        """
        breaches = _COMPARE[self.comparison]
        worst: dict[int, float] = {}
        for at_s, value in _series(self.metric, timeline, self.period_s):
            period = int(at_s // self.period_s)
            worst[period] = max(worst.get(period, value), value)
        bad = sorted(period for period, value in worst.items() if breaches(value, self.threshold))
        for place in range(self.datapoints - 1, len(bad)):
            if bad[place] - bad[place - self.datapoints + 1] < self.periods:
                return timedelta(seconds=(bad[place] + 1) * self.period_s)
        return None


def alarms_of(mapping: RunnableMapping, stack: StackTemplate) -> tuple[Alarm, ...]:
    """Return the alarms of the template that can be worked out; metric math is left out."""
    function = stack.functions.get(mapping.function)
    destination = mapping.settings.on_failure
    names = {_LAG: function.name if function is not None else mapping.function}
    if isinstance(destination, str) and is_service(destination, "sqs"):
        names |= dict.fromkeys((_DEPTH, _AGE), Arn.parse(destination).resource)
    return tuple(_alarms(stack, names))


def _alarms(stack: StackTemplate, names: Mapping[str, str]) -> Iterator[Alarm]:
    for each in stack.resources("AWS::CloudWatch::Alarm"):
        given = each.properties
        name = names.get(str(given.get("MetricName")))
        if name is None or name not in _values(given.get("Dimensions")):
            continue
        if given.get("ComparisonOperator") not in _COMPARE:
            continue
        try:
            periods = int(given.get("EvaluationPeriods", 1))
            yield Alarm(
                logical_id=each.logical_id,
                metric=given["MetricName"],
                threshold=float(given["Threshold"]),
                comparison=given["ComparisonOperator"],
                period_s=int(given["Period"]),
                periods=periods,
                datapoints=int(given.get("DatapointsToAlarm", periods)),
            )
        except (KeyError, TypeError, ValueError):
            continue  # A value that only a deployment knows.


def _values(dimensions: Any) -> list[Any]:
    found = dimensions if isinstance(dimensions, list) else []
    return [each.get("Value") for each in found if isinstance(each, Mapping)]


def _series(metric: str, timeline: Sequence[TimelineEvent], period_s: int) -> Series:
    """Return the points of a metric: (seconds since the start, value)."""
    if metric == _LAG:
        return [
            ((each.at_ms - each.took_ms) / 1000, float(each.age_ms))
            for each in timeline
            if each.age_ms is not None
        ]
    sent = [each.at_ms / 1000 for each in timeline if each.kind == "sent"]
    if not sent:
        return []
    step = min(period_s, _MINUTE_S)
    moments = [sent[0] + number * step for number in range(int(_DAY_S // step))]
    if metric == _AGE:
        return [(at_s, at_s - sent[0]) for at_s in moments]
    return [(at_s, float(bisect_right(sent, at_s))) for at_s in moments]
