"""`explain`: what a mapping does in each situation, and which alarms go off when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from cdk_streams.analysis._alarm_moments import Alarm, alarms_of
from cdk_streams.analysis._outage_at_rate import OutageAtRate, in_outage_at_rate
from cdk_streams.analysis._runnable import RunnableMapping, runnable_mappings
from cdk_streams.analysis._situations import (
    Outage,
    Poison,
    SlowHandler,
    in_outage,
    with_poison,
    with_slow_handler,
)
from cdk_streams.errors import SettingsError
from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import TimelineEvent
from cdk_streams.template import StackTemplate

__all__ = ["AlarmMoments", "Explanation", "explain", "explain_mapping", "proposed"]

OUTAGE: Final = timedelta(hours=1)
SLOW: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMoments:
    """When an alarm goes off, since the first failed invocation; None: it stays OK."""

    alarm: Alarm
    poison: timedelta | None
    outage: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a mapping does with a poison record, an outage of an hour and a handler of 10 s.

    `at_rate` is the outage at a rate of writes, None where no rate was given, or for a mapping with
    a tumbling window.
    """

    mapping: RunnableMapping
    poison: Poison
    outage: Outage
    slow: SlowHandler
    alarms: Sequence[AlarmMoments]
    at_rate: OutageAtRate | None = None


def explain(stack: StackTemplate) -> tuple[tuple[Explanation, ...], Mapping[str, str]]:
    """Return an explanation of each mapping, and why others could not be explained, by name.

    `stack` is what `cdk_streams.template.read` returns; the names are logical ids.
    """
    found = runnable_mappings(stack)
    return tuple(explain_mapping(each, stack) for each in found.mappings), found.left_out


def explain_mapping(
    mapping: RunnableMapping, stack: StackTemplate, *, writes_per_second: float | None = None
) -> Explanation:
    """Run a mapping of the template in the simulator, once for each situation.

    With `writes_per_second`, that of the whole table, an outage at this rate is worked out too.
    """
    has_rate = writes_per_second is not None and mapping.settings.tumbling_window is None
    poison, outage = with_poison(mapping), in_outage(mapping, OUTAGE)
    return Explanation(
        mapping=mapping,
        poison=poison,
        outage=outage,
        slow=with_slow_handler(mapping, SLOW),
        alarms=[
            AlarmMoments(
                alarm=each,
                poison=_since_failure(each.goes_off(poison.timeline), poison.timeline),
                outage=_since_failure(each.goes_off(outage.timeline), outage.timeline),
            )
            for each in alarms_of(mapping, stack)
        ],
        at_rate=in_outage_at_rate(mapping, writes_per_second or 0, OUTAGE) if has_rate else None,
    )


def proposed(mapping: RunnableMapping, changes: Mapping[str, Any]) -> RunnableMapping:
    """Return the mapping with other settings: `{"batch_size": 500}`.

    A setting goes by its name or by that of its property, such as `BatchSize`.

    Raises:
        SettingsError: There is no such setting, or Lambda refuses the value.

    """
    names = MappingSettings.property_names()
    by_property = {prop: name for name, prop in names.items()}
    wanted = {by_property.get(name, name): value for name, value in changes.items()}
    if unknown := sorted(wanted.keys() - names.keys()):
        raise SettingsError(
            f"a setting must be one of {', '.join(names)}, got {', '.join(unknown)}"
        )
    return replace(mapping, settings=replace(mapping.settings, **wanted))


def _since_failure(at: timedelta | None, timeline: Sequence[TimelineEvent]) -> timedelta | None:
    failed = (each.at_ms for each in timeline if each.kind in ("failed", "partial", "timeout"))
    first = timedelta(milliseconds=next(failed, 0))
    return None if at is None else max(at - first, timedelta(0))
