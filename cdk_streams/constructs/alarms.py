"""`Alarms`: which CloudWatch alarms a consumer gets, each option with its alarm.

Two are on by default: an alarm has a price, and these two say that records are about to be lost.
docs/alarms.md shows every alarm, the defaults and what they cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, Final, Protocol, Self, TypeAlias

from aws_cdk import Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_streams.constructs import _alarm_specs as specs
from cdk_streams.constructs._alarm_specs import AlarmSpec
from cdk_streams.constructs.metrics import ConsumerMetrics
from cdk_streams.errors import SettingsError
from cdk_streams.mapping import Seconds, in_seconds

__all__ = ["DEFAULT", "AlarmAction", "Alarms", "shown", "spec_of"]

Count: TypeAlias = int | bool | None
Length: TypeAlias = "Seconds | bool | None"


class _AlarmAction(Protocol):
    """An `IAlarmAction`, whatever its class calls the parameters: pyright minds their names."""

    def bind(
        self, scope: Construct, alarm: cloudwatch.IAlarm, /
    ) -> cloudwatch.AlarmActionConfig: ...


# CDK's classes fit its interfaces in mypy, but not in pyright, so a topic's is named too.
AlarmAction: TypeAlias = sns.ITopic | sns.TopicBase | _AlarmAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Which alarms a consumer gets and at which thresholds.

    True creates the alarm with a threshold derived from the consumer's settings, wherever it
    applies; a count or a duration (in seconds where it is a number) is the threshold; False or
    None leaves it out.

        Alarms(iterator_age=Duration.minutes(10), errors=True, actions=[topic])

    Args:
        iterator_age: Age of the last record of a batch; True: a sixth of `max_record_age`.
        failure_queue_depth: Messages in the failure queue; True: 1.
        failure_queue_age: Age of the oldest of them; True: half of the time in which the stream
            records it names can be read back, or a day where a bucket keeps them.
        reject_queue_depth: Messages in the reject queue; True: 1.
        delivery_failures: Failure records per minute that could not be delivered; True: 1.
        errors: Failed invocations in each of five consecutive minutes; True: 1.
        throttles: Throttled invocations in each of five consecutive minutes; True: 1.
        duration: Duration of an invocation; True: nine tenths of the function's timeout.
        failed_events: Failed records in each of five consecutive minutes; True: 1. This and the
            options below need `metrics=["EventCount"]` on the consumer.
        dropped_events: Records per minute that were discarded and are lost; True: 1.
        delivered_events: Records per minute that were discarded and delivered to the failure
            destination; True: 1.
        not_polling: Time without a poll, up to a day; True: 15 minutes.
        actions: SNS topics to notify, or other alarm actions of CDK.

    Raises:
        SettingsError: A threshold that is no positive number, a duration where a count is due, an
            action that is none; all of them in one error.

    """

    iterator_age: Length = field(
        default=True,
        metadata=AlarmSpec(
            "IteratorAgeAlarm",
            ConsumerMetrics.metric_iterator_age,
            specs.iterator_age,
            "The consumer is falling behind its stream; records that get much older will be "
            "trimmed before they are processed.",
            unit=specs.MILLISECOND,
            covers="lag",
            look="Look at errors, throttles and duration: a batch that fails, too little "
            "concurrency, or a function that is too slow.",
            command="cdk-streams status {stack}",
        ).as_metadata(),
    )
    failure_queue_depth: Count = field(
        default=True,
        metadata=AlarmSpec(
            "FailureQueueAlarm",
            ConsumerMetrics.metric_failure_queue_depth,
            specs.failure_queue,
            "Records were discarded after their retries or maximum age and are named in the "
            "failure queue; DynamoDB keeps them for 24 hours after they were written.",
            needs=specs.NEEDS_QUEUE,
            covers="failures",
            look="Look for `stream record failed` in the function's log, correct the cause, then "
            "redrive.",
            command="cdk-streams redrive --stack {stack}",
        ).as_metadata(),
    )
    failure_queue_age: Length = field(
        default=False,
        metadata=AlarmSpec(
            "FailureQueueAgeAlarm",
            ConsumerMetrics.metric_failure_queue_age,
            specs.failure_queue_age,
            "Failure records are not being processed; the stream records they refer to will soon "
            "be trimmed.",
            needs=specs.NEEDS_QUEUE,
            unit=specs.SECOND,
            covers="failures",
            look="Look at what is in the queue and redrive it before the records are trimmed.",
            command="cdk-streams redrive --stack {stack}",
        ).as_metadata(),
    )
    reject_queue_depth: Count = field(
        default=True,
        metadata=AlarmSpec(
            "RejectQueueAlarm",
            ConsumerMetrics.metric_reject_queue_depth,
            specs.reject_queue,
            "A handler rejected records, which are in the reject queue, whole; nothing else will "
            "handle them.",
            needs=specs.NEEDS_REJECTS,
            look="Look at the `reason` of each message in the reject queue, and at the handler "
            "that gave it.",
            command="cdk-streams redrive --rejects --queue URL",
        ).as_metadata(),
    )
    delivery_failures: Count = field(
        default=False,
        metadata=AlarmSpec(
            "DeliveryFailuresAlarm",
            ConsumerMetrics.metric_delivery_failures,
            specs.failure_destination,
            "Lambda could not deliver failure records to their destination, so they are lost; "
            "check the permissions of the function's role.",
            needs=specs.NEEDS_DESTINATION,
            look="Look at the policies of the role, the destination and its key.",
            command="cdk-streams status {stack}",
        ).as_metadata(),
    )
    errors: Count = field(
        default=False,
        metadata=AlarmSpec(
            "ErrorsAlarm",
            ConsumerMetrics.metric_errors,
            specs.one,
            "Invocations have failed for five consecutive minutes; the affected shards make no "
            "progress.",
            minutes=specs.FIVE_MINUTES,
            look="Look at the function's log for what it raises, and for timeouts.",
            command="cdk-streams status {stack}",
        ).as_metadata(),
    )
    throttles: Count = field(
        default=False,
        metadata=AlarmSpec(
            "ThrottlesAlarm",
            ConsumerMetrics.metric_throttles,
            specs.one,
            "Invocations have been throttled for five consecutive minutes; the consumer is falling "
            "behind.",
            minutes=specs.FIVE_MINUTES,
            look="Look at the function's reserved concurrency and at the account's.",
            command="aws lambda get-account-settings",
        ).as_metadata(),
    )
    duration: Length = field(
        default=False,
        metadata=AlarmSpec(
            "DurationAlarm",
            ConsumerMetrics.metric_duration,
            specs.duration,
            "An invocation took nearly as long as the function's timeout; one that times out fails "
            "its whole batch.",
            needs=specs.NEEDS_TIMEOUT,
            unit=specs.MILLISECOND,
            look="Look at what the function waits for, at its timeout and its batch size.",
            command="cdk-streams status {stack}",
        ).as_metadata(),
    )
    failed_events: Count = field(
        default=False,
        metadata=AlarmSpec(
            "FailedEventsAlarm",
            ConsumerMetrics.metric_failed_events,
            specs.event_count,
            "Records have failed for five consecutive minutes, single records of a batch included.",
            needs=specs.NEEDS_EVENT_COUNT,
            minutes=specs.FIVE_MINUTES,
            look="Look for `stream record failed` in the function's log.",
            command="cdk-streams status {stack}",
        ).as_metadata(),
    )
    dropped_events: Count = field(
        default=False,
        metadata=AlarmSpec(
            "DroppedEventsAlarm",
            ConsumerMetrics.metric_dropped_events,
            specs.event_count,
            "Records were discarded after their retries or maximum age and not delivered to a "
            "failure destination; they are lost.",
            needs=specs.NEEDS_EVENT_COUNT,
            look="Look at the table for what was written at that time, and give the consumer "
            "on_failure=.",
            command="cdk-streams status {stack}",
        ).as_metadata(),
    )
    delivered_events: Count = field(
        default=False,
        metadata=AlarmSpec(
            "DeliveredEventsAlarm",
            ConsumerMetrics.metric_delivered_events,
            specs.delivered_events,
            "Records were discarded after their retries or maximum age and delivered to the "
            "failure destination.",
            needs=specs.NEEDS_EVENT_COUNT,
            covers="failures",
            look="Look at the failure destination, correct the cause, then redrive.",
            command="cdk-streams redrive --stack {stack}",
        ).as_metadata(),
    )
    not_polling: Length = field(
        default=False,
        metadata=AlarmSpec(
            "NotPollingAlarm",
            specs.polls,
            specs.silence,
            "Lambda is not polling the stream: the mapping is disabled, or the function's role "
            "lacks permissions.",
            needs=specs.NEEDS_EVENT_COUNT,
            unit=specs.MINUTE,
            on_missing_data=True,
            look="Look at the mapping's state and its last result.",
            command="cdk-streams status {stack}",
        ).as_metadata(),
    )
    actions: Sequence[AlarmAction] = ()

    def __post_init__(self) -> None:
        """Refuse what is no threshold and no action."""
        if isinstance(self.actions, Iterator):
            # Looking at its members would use them up, and nobody would be notified.
            object.__setattr__(self, "actions", tuple(self.actions))
        faults = [*_action_faults(self.actions)]
        for option in fields(Alarms):
            spec, value = spec_of(option), getattr(self, option.name)
            if spec is None or isinstance(value, bool | None):
                continue
            if spec.unit is None and not (isinstance(value, int) and value > 0):
                faults.append(
                    f"{option.name} must be a whole number from 1, True or False, got "
                    f"{shown(value)}"
                )
            elif not _is_threshold(value):
                faults.append(
                    f"{option.name} must be a duration or a number of seconds above 0, True or "
                    f"False, got {shown(value)}"
                )
        if faults:
            raise SettingsError(*faults)

    @classmethod
    def every(cls, **chosen: Any) -> Self:
        """Return every alarm that applies; the `chosen` options take precedence."""
        return cls(**dict.fromkeys(_options(), True) | chosen)


def spec_of(option: Field[Any]) -> AlarmSpec | None:
    """Return the alarm of an option; None for `actions`."""
    spec: AlarmSpec | None = option.metadata.get("spec")
    return spec


def shown(value: Any) -> str:
    """Return a threshold as an error shows it."""
    # CDK's own process ends when it is asked for NaN or infinity.
    if isinstance(value, float) and math.isfinite(value) and Token.is_unresolved(value):
        return "a CDK token (known only at deploy time); pass a plain value"
    return f"{in_seconds(value)} s" if hasattr(value, "to_seconds") else repr(value)


def _action_faults(actions: Any) -> Iterator[str]:
    """Yield what is wrong with the actions."""
    if isinstance(actions, (str, Construct)) or not isinstance(actions, Iterable):
        yield f"actions must be a list of topics or actions, got {_named(actions)}; pass a list"
        return
    for index, action in enumerate(actions):
        if isinstance(action, str):
            yield (
                f"actions[{index}] must be a topic or an action of CDK, got {action!r}; "
                "import the topic with aws_sns.Topic.from_topic_arn"
            )
        elif not isinstance(action, sns.TopicBase) and not hasattr(action, "bind"):
            yield (
                f"actions[{index}] must be a topic or an action of CDK, got {_named(action)}; "
                "wrap it in an action of aws_cloudwatch_actions, or pass a topic that notifies it"
            )


def _named(value: Any) -> str:
    return repr(value) if isinstance(value, str) else type(value).__name__


def _options() -> list[str]:
    return [each.name for each in fields(Alarms) if spec_of(each)]


def _is_threshold(value: Any) -> bool:
    seconds = in_seconds(value)
    # A number that CDK knows only at deploy time is far below 0 until then.
    return isinstance(seconds, (int, float)) and 0 < seconds < math.inf


DEFAULT: Final = Alarms()
