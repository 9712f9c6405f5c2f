"""An explanation as JSON: lengths in seconds, null for what there is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cdk_streams.cli._printed_numbers import seconds_or_none

if TYPE_CHECKING:
    from cdk_streams.analysis import Explanation, Outage, OutageAtRate, Poison

__all__ = ["explained_json"]


def explained_json(found: Explanation) -> dict[str, Any]:
    """Return the numbers of one mapping, times in seconds."""
    mapping = found.mapping
    return {
        "mapping": mapping.logical_id,
        "place": mapping.place,
        "function": mapping.function,
        "settings": mapping.settings.to_template(),
        "poison": _poison(found.poison),
        "outage": _outage(found.outage),
        "outage_at_rate": _outage_at_rate(found.at_rate),
        "slow_handler": {
            "length_s": found.slow.length.total_seconds(),
            "times_out": found.slow.times_out,
            "records_per_second_per_shard": found.slow.per_second,
        },
        "alarms": [
            {
                "alarm": each.alarm.logical_id,
                "metric": each.alarm.metric,
                "poison_after_s": seconds_or_none(each.poison),
                "outage_after_s": seconds_or_none(each.outage),
            }
            for each in found.alarms
        ],
    }


def _poison(poison: Poison) -> dict[str, Any]:
    return {
        "blocked_s": poison.blocked.total_seconds(),
        "invocations": poison.calls,
        "discarded": poison.discarded,
        "delivered": poison.delivered,
        "lost": poison.lost,
        "trimmed": poison.trimmed,
        "readable_s": seconds_or_none(poison.readable),
    }


def _outage(outage: Outage) -> dict[str, Any]:
    return {
        "length_s": outage.length.total_seconds(),
        "written": outage.written,
        "discarded": outage.discarded,
        "delivered": outage.delivered,
        "lost": outage.lost,
        "trimmed": outage.trimmed,
        "caught_up_s": outage.caught_up.total_seconds(),
        "iterator_age_s": outage.most_age.total_seconds(),
    }


def _outage_at_rate(rate: OutageAtRate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {
        "length_s": rate.length.total_seconds(),
        "writes_per_second": rate.writes_per_second,
        "shards": rate.shards,
        "written": rate.written,
        "discarded": rate.discarded,
        "age_exceeded": rate.age_exceeded,
        "iterator_age_s": rate.most_age.total_seconds(),
        "caught_up_s": seconds_or_none(rate.caught_up),
    }
