"""The table of alarms: what each watches, when it applies, its threshold, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from cdk_streams.constructs import metrics
from cdk_streams.errors import SourceError
from cdk_streams.mapping import LAMBDA_DEFAULT_TIMEOUT, STREAM_RETENTION

if TYPE_CHECKING:
    from cdk_streams.constructs.consumer import StreamConsumer

__all__ = ["ROWS", "Row"]

_MILLISECOND: Final = timedelta(milliseconds=1)
_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)

# A sixth leaves most of the records' time for people to act: 3 of 18 hours.
_AGE_SHARE: Final = 6
# Nothing can be read back any more: told within the hour, all the same.
_LATE: Final = timedelta(hours=1)
_KEPT_DATA: Final = timedelta(days=1)
_TIMEOUT_SHARE: Final = 0.9
# A failed call is tried again and says little; five minutes of them are an outage.
_ON_END: Final = 5
_SILENCE: Final = timedelta(minutes=15)


class Row(NamedTuple):
    """One alarm.

    `derived` is its threshold as the settings give it, in `unit` (None: a count), or None where
    the alarm does not apply, for which `needs` says the reason. It rings when the threshold is
    reached in each of `minutes` in a row; with `rings_on_silence`, when the metric is missing for
    as many minutes as the threshold has.
    """

    id: str
    option: str
    metric: Callable[[StreamConsumer], cloudwatch.Metric]
    derived: Callable[[StreamConsumer], float | None]
    says: str
    needs: str = ""
    unit: timedelta | None = None
    minutes: int = 1
    rings_on_silence: bool = False


def _iterator_age(consumer: StreamConsumer) -> float:
    return _record_age(consumer) / _AGE_SHARE / _MILLISECOND


def _queue_depth(consumer: StreamConsumer) -> int | None:
    return 1 if _has_queue(consumer) else None


def _queue_age(consumer: StreamConsumer) -> float | None:
    if not _has_queue(consumer):
        return None
    with suppress(SourceError):
        # Its messages name objects of a bucket, which does not lose them after a day.
        _ = consumer.failure_bucket
        return _KEPT_DATA / _SECOND
    left = STREAM_RETENTION - _record_age(consumer)
    return (left / 2 or _LATE) / _SECOND


def _duration(consumer: StreamConsumer) -> float | None:
    function = consumer.function
    if isinstance(function, (lambda_.Alias, lambda_.Version)):
        function = function.lambda_
    if not isinstance(function, lambda_.Function):
        return None
    timeout = function.timeout
    seconds = LAMBDA_DEFAULT_TIMEOUT / _SECOND if timeout is None else timeout.to_seconds()
    return seconds * _TIMEOUT_SHARE * _SECOND / _MILLISECOND


def _destination(consumer: StreamConsumer) -> int | None:
    return None if consumer.settings.on_failure is None else 1


def _counted(consumer: StreamConsumer) -> int | None:
    return 1 if "EventCount" in consumer.settings.metrics else None


def _delivered(consumer: StreamConsumer) -> int | None:
    return _counted(consumer) and _destination(consumer)


def _silence(consumer: StreamConsumer) -> float | None:
    return _SILENCE / _MINUTE if _counted(consumer) else None


def _polls(consumer: StreamConsumer) -> cloudwatch.Metric:
    return metrics.polled_events(consumer, statistic="SampleCount")


def _record_age(consumer: StreamConsumer) -> timedelta:
    return min(consumer.settings.max_record_age or STREAM_RETENTION, STREAM_RETENTION)


def _has_queue(consumer: StreamConsumer) -> bool:
    with suppress(SourceError):
        return consumer.failure_queue is not None
    return False


_NEEDS_QUEUE: Final = "the consumer has no failure queue; on_failure= makes one"
_NEEDS_DESTINATION: Final = "the consumer has no failure destination; on_failure= chooses one"
_NEEDS_TIMEOUT: Final = "the function's timeout is not known here; alarm on metric_duration()"
_NEEDS_COUNTS: Final = 'its metric is off; pass metrics=["EventCount"] to the consumer'

ROWS: Final = (
    Row(
        "IteratorAgeAlarm",
        "iterator_age",
        metrics.iterator_age,
        _iterator_age,
        "The consumer is behind its stream; records this old are on their way to being dropped.",
        unit=_MILLISECOND,
    ),
    Row(
        "FailureQueueAlarm",
        "failure_queue_depth",
        metrics.failure_queue_depth,
        _queue_depth,
        "Records failed for good; DynamoDB keeps them for 24 hours after they were written.",
        _NEEDS_QUEUE,
    ),
    Row(
        "FailureQueueAgeAlarm",
        "failure_queue_age",
        metrics.failure_queue_age,
        _queue_age,
        "Failures wait unattended; what they name can be read back for little longer.",
        _NEEDS_QUEUE,
        unit=_SECOND,
    ),
    Row(
        "DeliveryFailuresAlarm",
        "delivery_failures",
        metrics.delivery_failures,
        _destination,
        "Failure records did not reach their destination and are lost; look at the role's rights.",
        _NEEDS_DESTINATION,
    ),
    Row(
        "ErrorsAlarm",
        "errors",
        metrics.errors,
        lambda _: 1,
        "Calls of the function have failed for five minutes on end; its shards stand still.",
        minutes=_ON_END,
    ),
    Row(
        "ThrottlesAlarm",
        "throttles",
        metrics.throttles,
        lambda _: 1,
        "Calls have found no concurrency for five minutes on end; the consumer falls behind.",
        minutes=_ON_END,
    ),
    Row(
        "DurationAlarm",
        "duration",
        metrics.duration,
        _duration,
        "A call took nearly as long as the function may; one that is cut off fails its batch.",
        _NEEDS_TIMEOUT,
        unit=_MILLISECOND,
    ),
    Row(
        "FailedEventsAlarm",
        "failed_events",
        metrics.failed_events,
        _counted,
        "Records have failed for five minutes on end, single ones of a batch too.",
        _NEEDS_COUNTS,
        minutes=_ON_END,
    ),
    Row(
        "DroppedEventsAlarm",
        "dropped_events",
        metrics.dropped_events,
        _counted,
        "Records failed for good and reached no destination; they are lost.",
        _NEEDS_COUNTS,
    ),
    Row(
        "DeliveredFailuresAlarm",
        "delivered_failures",
        metrics.delivered_failures,
        _delivered,
        "Records failed for good and are at the failure destination.",
        _NEEDS_COUNTS,
    ),
    Row(
        "NotPollingAlarm",
        "not_polling",
        _polls,
        _silence,
        "Lambda does not read the stream: the mapping is disabled or has lost its rights.",
        _NEEDS_COUNTS,
        unit=_MINUTE,
        rings_on_silence=True,
    ),
)
