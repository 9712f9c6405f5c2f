"""Alarms created for a consumer, and their actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, cast

from aws_cdk import Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_streams.constructs._alarm_specs import AlarmSpec
from cdk_streams.constructs._consumer_view import ConsumerView
from cdk_streams.constructs.alarms import AlarmAction, Alarms, shown, spec_of
from cdk_streams.errors import SettingsError
from cdk_streams.mapping import in_seconds

__all__ = ["alarm_action", "check_alarms", "create_alarms"]

_OPERATOR: Final = cloudwatch.ComparisonOperator
_MISSING: Final = cloudwatch.TreatMissingData


def check_alarms(wanted: Any) -> None:
    """Refuse what is no `Alarms`, before anything is created."""
    if not isinstance(wanted, Alarms | None):
        raise SettingsError(
            f"alarms must be an Alarms or None, got {wanted!r}; pass None for no alarms, "
            "Alarms(errors=True), or Alarms.every() for all that apply"
        )


def create_alarms(
    scope: Construct, consumer: ConsumerView, wanted: Alarms | None
) -> dict[str, cloudwatch.Alarm]:
    """Create in the scope the alarms that are wanted and apply; return them by their id.

    Raises:
        SettingsError: A threshold for an alarm that does not apply; all of them in one error.

    """
    if wanted is None:
        return {}
    created = {
        spec.id: _create(scope, spec, spec.metric(consumer), threshold)
        for spec, threshold in _thresholds(consumer, wanted).items()
    }
    for action in map(alarm_action, wanted.actions if created else ()):
        for alarm in created.values():
            alarm.add_alarm_action(action)
    return created


def _thresholds(consumer: ConsumerView, wanted: Alarms) -> Mapping[AlarmSpec, float]:
    """Return the threshold of each alarm to create."""
    chosen: dict[AlarmSpec, float] = {}
    faults: list[str] = []
    for option in fields(Alarms):
        spec, given = spec_of(option), getattr(wanted, option.name)
        if spec is None or given is None or given is False:
            continue
        derived = spec.threshold(consumer)
        if derived is not None:
            chosen[spec] = derived if given is True else _in_unit(given, spec)
        elif given is not True:
            faults.append(
                f"the alarm {option.name} must be left out, got {shown(given)}: {spec.needs}"
            )
    if faults:
        raise SettingsError(*faults)
    return chosen


def _create(
    scope: Construct, spec: AlarmSpec, metric: cloudwatch.Metric, threshold: float
) -> cloudwatch.Alarm:
    name = Stack.of(scope).stack_name
    description = spec.text("STACK" if Token.is_unresolved(name) else name)
    if spec.on_missing_data:
        return metric.create_alarm(
            scope,
            spec.id,
            threshold=1,
            evaluation_periods=int(threshold),
            comparison_operator=_OPERATOR.LESS_THAN_THRESHOLD,
            treat_missing_data=_MISSING.BREACHING,
            alarm_description=description,
        )
    return metric.create_alarm(
        scope,
        spec.id,
        threshold=threshold,
        evaluation_periods=spec.minutes,
        comparison_operator=_OPERATOR.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=_MISSING.NOT_BREACHING,
        alarm_description=description,
    )


def alarm_action(action: AlarmAction) -> cloudwatch.IAlarmAction:
    """Turn a topic into an action, and let CloudWatch use the topic's key."""
    if not isinstance(action, sns.TopicBase):
        return cast("cloudwatch.IAlarmAction", action)
    # Many services stand behind this module; it is loaded where a topic is notified.
    from aws_cdk import aws_cloudwatch_actions as actions  # noqa: PLC0415 - see above

    if action.master_key is not None:
        # Without it alarms go off and nobody is notified: SNS refuses CloudWatch's message.
        cloudwatch_service = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        action.master_key.grant(cloudwatch_service, "kms:Decrypt", "kms:GenerateDataKey*")
    return actions.SnsAction(action)


def _in_unit(given: Any, spec: AlarmSpec) -> float:
    seconds: float = in_seconds(given)
    return seconds if spec.unit is None else seconds / spec.unit.total_seconds()
