"""The alarms of a consumer, one row each; thresholds follow from its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_streams.mapping import STREAM_RETENTION, MappingSettings

__all__ = ["ROWS", "Watched", "add_alarms", "iterator_age"]

_PERIOD_S: Final = 60
# A sixth leaves most of the records' time for people to act: 3 of 18 hours.
_AGE_SHARE: Final = 6


@dataclass(frozen=True, slots=True)
class Watched:
    """What the alarms of one consumer look at."""

    settings: MappingSettings
    function: lambda_.IFunction | lambda_.FunctionBase
    failure_queue: sqs.IQueue | None


@dataclass(frozen=True, slots=True)
class Row:
    """One alarm: its construct id, its metric (None: does not apply), when it rings, and why."""

    id: str
    metric: Callable[[Watched], cloudwatch.IMetric | None]
    threshold: Callable[[MappingSettings], float]
    says: str


def iterator_age(function: lambda_.IFunction | lambda_.FunctionBase) -> cloudwatch.Metric:
    """Return the age in milliseconds of the last record of each batch, the oldest a minute."""
    return function.metric("IteratorAge", statistic="Maximum", period=Duration.seconds(_PERIOD_S))


def _queue_depth(watched: Watched) -> cloudwatch.IMetric | None:
    if watched.failure_queue is None:
        return None
    return watched.failure_queue.metric_approximate_number_of_messages_visible(
        statistic="Maximum", period=Duration.seconds(_PERIOD_S)
    )


def _age_limit_ms(settings: MappingSettings) -> float:
    age = min(settings.max_record_age or STREAM_RETENTION, STREAM_RETENTION)
    return age / _AGE_SHARE / timedelta(milliseconds=1)


ROWS: Final = (
    Row(
        "IteratorAgeAlarm",
        lambda watched: iterator_age(watched.function),
        _age_limit_ms,
        "The consumer is behind its stream; records this old are on their way to being dropped.",
    ),
    Row(
        "FailureQueueAlarm",
        _queue_depth,
        lambda _: 1,
        "Records failed for good; DynamoDB keeps them for 24 hours after they were written.",
    ),
)


def add_alarms(scope: Construct, watched: Watched) -> dict[str, cloudwatch.Alarm]:
    """Create the alarms that apply, by their id."""
    return {
        row.id: cloudwatch.Alarm(
            scope,
            row.id,
            metric=metric,
            threshold=row.threshold(watched.settings),
            evaluation_periods=1,
            comparison_operator=(cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=row.says,
        )
        for row in ROWS
        if (metric := row.metric(watched)) is not None
    }
