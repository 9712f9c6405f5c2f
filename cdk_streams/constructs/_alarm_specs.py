"""What an alarm of a consumer is: its metric, its threshold, when it applies, what it says.

Each option of `Alarms` declares one. The dashboard also names `IteratorAgeAlarm`, for its line.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final, Literal, NamedTuple

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from cdk_streams._documentation import page
from cdk_streams.constructs._consumer_view import ConsumerView, function_behind
from cdk_streams.constructs.metrics import ConsumerMetrics
from cdk_streams.mapping import LAMBDA_DEFAULT_TIMEOUT, STREAM_RETENTION

__all__ = [
    "FIVE_MINUTES",
    "MILLISECOND",
    "MINUTE",
    "NEEDS_DESTINATION",
    "NEEDS_EVENT_COUNT",
    "NEEDS_QUEUE",
    "NEEDS_REJECTS",
    "NEEDS_TIMEOUT",
    "SECOND",
    "AlarmSpec",
    "delivered_events",
    "duration",
    "event_count",
    "failure_destination",
    "failure_queue",
    "failure_queue_age",
    "iterator_age",
    "one",
    "polls",
    "reject_queue",
    "silence",
    "timeout_ms",
]

MILLISECOND: Final = timedelta(milliseconds=1)
SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
# A failed invocation is retried and says little; five minutes of them in a row are an outage.
FIVE_MINUTES: Final = 5

NEEDS_QUEUE: Final = "the consumer has no failure queue; on_failure= creates one"
NEEDS_REJECTS: Final = "the consumer has no reject queue; rejects=OnFailure.QUEUE creates one"
NEEDS_DESTINATION: Final = "the consumer has no failure destination; on_failure= chooses one"
NEEDS_TIMEOUT: Final = "the function's timeout is not known here; alarm on metric_duration()"
NEEDS_EVENT_COUNT: Final = 'its metric is off; pass metrics=["EventCount"] to the consumer'

# A sixth leaves most of the records' time for people to act: 3 of 18 hours.
_AGE_SHARE: Final = 6
# The stream records are trimmed already; the alarm still comes within the hour.
_TRIMMED: Final = timedelta(hours=1)
_KEPT_IN_BUCKET: Final = timedelta(days=1)
_TIMEOUT_SHARE: Final = 0.9
_SILENCE: Final = timedelta(minutes=15)


class AlarmSpec(NamedTuple):
    """One alarm.

    `threshold` is what the settings of a consumer give, in `unit` (None: a count), or None where
    the alarm does not apply, for which `needs` says the reason. The alarm goes off when the
    threshold is reached in each of `minutes` consecutive minutes; with `on_missing_data`, when the
    metric is missing for as many minutes as the threshold has. `look` and `command` say what to
    look at and what to run. `covers` is what the checks count it as.
    """

    id: str
    metric: Callable[[ConsumerView], cloudwatch.Metric]
    threshold: Callable[[ConsumerView], float | None]
    description: str
    needs: str = ""
    unit: timedelta | None = None
    minutes: int = 1
    on_missing_data: bool = False
    look: str = ""
    command: str = ""
    covers: Literal["lag", "failures", ""] = ""

    @property
    def anchor(self) -> str:
        """The place of its entry in the runbook."""
        return page("alarms", self.id)

    def text(self, stack: str) -> str:
        """Return what the alarm of a consumer in that stack says to who is called by it."""
        command = self.command.format(stack=stack)
        return f"{self.description} {self.look} Run: {command}. Runbook: {self.anchor}"

    def as_metadata(self) -> dict[str, AlarmSpec]:
        """Return the metadata of the option of `Alarms` that creates this alarm."""
        return {"spec": self}


def one(_: ConsumerView) -> float:
    """Return the threshold of an alarm that goes off at the first."""
    return 1


def iterator_age(consumer: ConsumerView) -> float:
    """Return a sixth of the age at which records are discarded, in ms."""
    return _record_age(consumer) / _AGE_SHARE / MILLISECOND


def failure_queue(consumer: ConsumerView) -> float | None:
    """Return 1, where there is a failure queue."""
    return None if consumer.failures.queue is None else 1


def reject_queue(consumer: ConsumerView) -> float | None:
    """Return 1, where there is a reject queue."""
    return None if consumer.rejects is None else 1


def failure_queue_age(consumer: ConsumerView) -> float | None:
    """Return half of the time in which failed records can be read back, in s."""
    if consumer.failures.queue is None:
        return None
    if consumer.failures.bucket is not None:
        # The messages name objects of the bucket, which does not lose them after a day.
        return _KEPT_IN_BUCKET / SECOND
    left = STREAM_RETENTION - _record_age(consumer)
    return (left / 2 or _TRIMMED) / SECOND


def duration(consumer: ConsumerView) -> float | None:
    """Return nine tenths of the function's timeout, in ms, where it is defined in this app."""
    timeout = timeout_ms(consumer)
    return timeout and timeout * _TIMEOUT_SHARE


def timeout_ms(consumer: ConsumerView) -> float | None:
    """Return the function's timeout, in ms, where it is defined in this app."""
    function = function_behind(consumer.function)
    if not isinstance(function, lambda_.Function):
        return None
    timeout = function.timeout
    seconds = LAMBDA_DEFAULT_TIMEOUT / SECOND if timeout is None else timeout.to_seconds()
    return seconds * SECOND / MILLISECOND


def failure_destination(consumer: ConsumerView) -> float | None:
    """Return 1, where there is a failure destination."""
    return None if consumer.settings.on_failure is None else 1


def event_count(consumer: ConsumerView) -> float | None:
    """Return 1, where Lambda publishes the mapping's own metrics."""
    return 1 if "EventCount" in consumer.settings.metrics else None


def delivered_events(consumer: ConsumerView) -> float | None:
    """Return 1, where Lambda counts what it delivers to the failure destination."""
    return event_count(consumer) and failure_destination(consumer)


def silence(consumer: ConsumerView) -> float | None:
    """Return the minutes without a poll, where polls are counted."""
    return _SILENCE / MINUTE if event_count(consumer) else None


def polls(consumer: ConsumerView) -> cloudwatch.Metric:
    """Return the number of polls: each is one sample of the records read."""
    return ConsumerMetrics.metric_polled_events(consumer, statistic="SampleCount")


def _record_age(consumer: ConsumerView) -> timedelta:
    return min(consumer.settings.max_record_age or STREAM_RETENTION, STREAM_RETENTION)
