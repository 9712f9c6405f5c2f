"""The alarms of a consumer, one row each; thresholds follow from its settings.

Two are made unless told otherwise: an alarm has a price, and these two tell that records are about
to be lost. docs/alarms.md shows every row, the defaults and what they cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeAlias, cast

from aws_cdk import Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_streams.constructs._alarm_specs import ROWS, Row
from cdk_streams.errors import SettingsError
from cdk_streams.mapping._validation import in_seconds

if TYPE_CHECKING:
    from cdk_streams.constructs.consumer import StreamConsumer
    from cdk_streams.mapping._validation import Seconds

__all__ = ["DEFAULT", "Alarms", "add_alarms", "check"]

Count: TypeAlias = int | None
Length: TypeAlias = "Seconds | None"


class _AlarmAction(Protocol):
    """An `IAlarmAction`, whatever its class calls the parameters: pyright minds their names."""

    def bind(
        self, scope: Construct, alarm: cloudwatch.IAlarm, /
    ) -> cloudwatch.AlarmActionConfig: ...


# CDK's classes fit its interfaces in mypy, but not in pyright, so a topic's is named too.
Action: TypeAlias = sns.ITopic | sns.TopicBase | _AlarmAction

_OPERATOR: Final = cloudwatch.ComparisonOperator
_MISSING: Final = cloudwatch.TreatMissingData


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Which alarms a consumer gets and when they ring.

    True makes the alarm with a threshold that follows from the consumer's settings, wherever it
    applies; a number or a length of time is the threshold; False or None leaves it out.

        Alarms(iterator_age=Duration.minutes(10), errors=True, actions=[topic])

    Args:
        iterator_age: Age of the last record handled; True: a sixth of `max_record_age`.
        failure_queue_depth: Messages in the failure queue; True: 1.
        failure_queue_age: Age of the oldest of them; True: half of the time in which the records
            it names can still be read back, or a day where the queue's bucket keeps them.
        delivery_failures: Failure records a minute that did not reach their destination; True: 1.
        errors: Failed calls in each of five minutes; True: 1.
        throttles: Throttled calls in each of five minutes; True: 1.
        duration: Length of a call; True: nine tenths of the function's timeout.
        failed_events: Records of failed calls in each of five minutes; True: 1. This and the
            options below need `metrics=["EventCount"]` on the consumer.
        dropped_events: Records a minute that failed for good and are lost; True: 1.
        delivered_failures: Records a minute that failed for good and were delivered; True: 1.
        not_polling: Time without a poll, up to a day; True: 15 minutes.
        actions: Topics that are told, or other alarm actions.

    Raises:
        SettingsError: A threshold that is no positive number; all of them in one error.

    """

    iterator_age: Length = True
    failure_queue_depth: Count = True
    failure_queue_age: Length = False
    delivery_failures: Count = False
    errors: Count = False
    throttles: Count = False
    duration: Length = False
    failed_events: Count = False
    dropped_events: Count = False
    delivered_failures: Count = False
    not_polling: Length = False
    actions: Sequence[Action] = ()

    def __post_init__(self) -> None:
        """Refuse what is no threshold."""
        faults = [
            f"{name} must be a number or length of time above 0, True or False, got {_shown(value)}"
            for name in _options()
            if not isinstance(value := getattr(self, name), bool | None)
            and not _is_threshold(value)
        ]
        if faults:
            raise SettingsError(*faults)

    @classmethod
    def every(cls, **chosen: Any) -> Self:
        """Return every alarm that applies; what is `chosen` goes before, as in `Alarms(...)`."""
        return cls(**dict.fromkeys(_options(), True) | chosen)


def _options() -> list[str]:
    return [each.name for each in fields(Alarms) if each.name != "actions"]


DEFAULT: Final = Alarms()


def check(wanted: Any) -> None:
    """Refuse what chooses no alarms, before anything is made."""
    if not isinstance(wanted, Alarms | None):
        raise SettingsError(
            f"alarms must be an Alarms or None, got {wanted!r}; pass Alarms(errors=True), "
            "or Alarms.every() for all that apply"
        )


def add_alarms(consumer: StreamConsumer, wanted: Alarms | None) -> Mapping[str, cloudwatch.Alarm]:
    """Create the alarms that are wanted and apply, by their id.

    Raises:
        SettingsError: A threshold for an alarm that does not apply; all of them in one error.

    """
    chosen: list[tuple[Row, float]] = []
    faults: list[str] = []
    for row in ROWS if wanted else ():
        option = getattr(wanted, row.option)
        if option is None or option is False:
            continue
        derived = row.derived(consumer)
        if derived is not None:
            chosen.append((row, derived if option is True else _in_unit(option, row)))
        elif option is not True:
            faults.append(
                f"the alarm {row.option} must be left out, got {_shown(option)}: {row.needs}"
            )
    if faults:
        raise SettingsError(*faults)
    made = {row.id: _alarm(consumer, row, threshold) for row, threshold in chosen}
    for action in map(_action, wanted.actions if wanted and made else ()):
        for alarm in made.values():
            alarm.add_alarm_action(action)
    return made


def _alarm(consumer: StreamConsumer, row: Row, threshold: float) -> cloudwatch.Alarm:
    metric = row.metric(consumer)
    if row.rings_on_silence:
        return metric.create_alarm(
            consumer,
            row.id,
            threshold=1,
            evaluation_periods=int(threshold),
            comparison_operator=_OPERATOR.LESS_THAN_THRESHOLD,
            treat_missing_data=_MISSING.BREACHING,
            alarm_description=row.says,
        )
    return metric.create_alarm(
        consumer,
        row.id,
        threshold=threshold,
        evaluation_periods=row.minutes,
        comparison_operator=_OPERATOR.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=_MISSING.NOT_BREACHING,
        alarm_description=row.says,
    )


def _action(action: Action) -> cloudwatch.IAlarmAction:
    """Turn a topic into an action, and let CloudWatch use the topic's key."""
    if not isinstance(action, sns.TopicBase):
        return cast("cloudwatch.IAlarmAction", action)
    # Many services stand behind this module; it is loaded where a topic is told.
    from aws_cdk import aws_cloudwatch_actions as actions  # noqa: PLC0415 -- see above

    if action.master_key is not None:
        # Without it alarms ring and nobody hears them: SNS refuses CloudWatch's message.
        watcher = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        action.master_key.grant(watcher, "kms:Decrypt", "kms:GenerateDataKey*")
    return actions.SnsAction(action)


def _in_unit(option: Any, row: Row) -> float:
    seconds: float = in_seconds(option)
    return seconds if row.unit is None else seconds / row.unit.total_seconds()


def _is_threshold(value: Any) -> bool:
    seconds = in_seconds(value)
    # A number that CDK knows only at deploy time is far below 0 until then.
    return isinstance(seconds, (int, float)) and seconds > 0


def _shown(value: Any) -> str:
    if isinstance(value, float) and Token.is_unresolved(value):
        return "a CDK token (known only at deploy time); pass a plain value"
    return f"{in_seconds(value)} s" if hasattr(value, "to_seconds") else repr(value)
