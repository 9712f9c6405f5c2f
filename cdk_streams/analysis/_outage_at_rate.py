"""An outage at the rate of a day, worked out from counts: too many records for the simulator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from cdk_streams.analysis._runnable import RunnableMapping
from cdk_streams.capacity import ConsumerSize, Workload, WriteRate, forecast

__all__ = ["OutageAtRate", "in_outage_at_rate"]

_DAY: Final = timedelta(hours=24)
# A record handled this soon after its write is not late.
_IN_TIME_S: Final = 10
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageAtRate:
    """What becomes of the records of a day that begins with an outage; calls take no time.

    Args:
        length: How long every invocation fails.
        writes_per_second: Of the whole table.
        shards: Those that so many writes of 1 kB need at least.
        written: Records written in the day.
        discarded: Those whose retries were used up.
        age_exceeded: Those that reached their maximum age, or were trimmed.
        most_age: The largest iterator age.
        caught_up: From the end of the outage until records are handled within 10 s of their write,
            in whole minutes; None: they are not at the end of the day.

    """

    length: timedelta
    writes_per_second: float
    shards: int
    written: int
    discarded: int
    age_exceeded: int
    most_age: timedelta
    caught_up: timedelta | None


def in_outage_at_rate(
    mapping: RunnableMapping, writes_per_second: float, length: timedelta
) -> OutageAtRate:
    """Write at a rate for a day, during whose beginning every invocation fails.

    `writes_per_second` is the rate of changes, `length` how long the outage lasts.

    Raises:
        SettingsError: The mapping has a tumbling window, which is not modelled.

    """
    settings = replace(
        mapping.settings, filters=(), filter_encryption_key=None, starting_position="TRIM_HORIZON"
    )
    workload = Workload(writes=WriteRate.constant(writes_per_second), outage=length)
    size = ConsumerSize(
        settings=settings,
        timeout=mapping.timeout,
        reserved_concurrency=mapping.reserved_concurrency,
    )
    found = forecast(workload, size)
    late = max((minute for minute, lag_s in found.lags if lag_s > _IN_TIME_S), default=-1)
    since = (late + 1) * _MINUTE - length
    is_late_at_the_end = found.lag_at_end.total_seconds() > _IN_TIME_S
    return OutageAtRate(
        length=length,
        writes_per_second=writes_per_second,
        shards=found.shards,
        written=round(writes_per_second * _DAY.total_seconds()),
        discarded=found.discarded,
        age_exceeded=found.age_exceeded,
        most_age=found.iterator_age,
        caught_up=None if is_late_at_the_end else max(since, timedelta(0)),
    )
