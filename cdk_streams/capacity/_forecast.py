"""What a consumer of a size does with a workload: its lag, its invocations, its cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cdk_streams.capacity._day import run_day
from cdk_streams.capacity._prices import PRICES, Prices
from cdk_streams.capacity._shard_model import ShardModel
from cdk_streams.capacity._totals import Totals
from cdk_streams.capacity._workload import ConsumerSize, Workload
from cdk_streams.capacity._write_rate import Arrivals
from cdk_streams.errors import SettingsError

__all__ = ["Forecast", "forecast"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a consumer does with a workload.

    Attributes:
        size: The mapping and its function.
        shards: Shards that were counted with.
        lag: From a record's write to the end of the call that handled it, at most.
        mean_lag: The same on average.
        iterator_age: The largest age of a batch's last record when it was sent.
        lags: The largest lag of each minute in seconds: `[(minute, seconds), …]`.
        lag_at_end: The age of the oldest record not yet settled when the writes end.
        waiting: Records not settled then.
        handled: Records of calls that succeeded.
        discarded: Records whose retries were used up.
        age_exceeded: Records older than `max_record_age`, or trimmed from the stream, unhandled.
        invocations: Calls of the function.
        failed_invocations: Those that failed.
        throttles: Calls that were not accepted, for want of concurrency.
        records_per_invocation: On average.
        concurrency: Calls at once, at most.
        mean_concurrency: The same on average.
        longest_invocation: The longest call.
        gb_seconds: Duration times memory.
        reads: GetRecords calls that found records.
        cost: In US dollars, for the whole time.
        utilization: Share of the time in which a lane is busy or waits to try again.

    """

    size: ConsumerSize
    shards: int
    lag: timedelta
    mean_lag: timedelta
    iterator_age: timedelta
    lags: Sequence[tuple[int, float]]
    lag_at_end: timedelta
    waiting: int
    handled: int
    discarded: int
    age_exceeded: int
    invocations: int
    failed_invocations: int
    throttles: int
    records_per_invocation: float
    concurrency: int
    mean_concurrency: float
    longest_invocation: timedelta
    gb_seconds: float
    reads: int
    cost: float
    utilization: float

    def keeps_up(self, target_lag: timedelta) -> bool:
        """Whether no record waits for longer, and none is discarded for its age."""
        return self.lag <= target_lag and self.lag_at_end <= target_lag and not self.age_exceeded


def forecast(
    workload: Workload, size: ConsumerSize, *, prices: Prices = PRICES, leaps: bool = True
) -> Forecast:
    """Work out what a consumer does with a workload.

    Args:
        workload: What it has to do.
        size: The mapping and its function.
        prices: What the cost is worked out from.
        leaps: Whether time in which nothing changes is passed over; without, batch by batch.

    Raises:
        SettingsError: The mapping has a tumbling window, which is not modelled.

    """
    if size.settings.tumbling_window is not None:
        raise SettingsError(
            "the settings must have no tumbling_window to be sized, got "
            f"{size.settings.tumbling_window.total_seconds():g} s; run them in the simulator"
        )
    shards = workload.shard_count
    arrivals = Arrivals(workload.writes.scaled(1 / shards))
    factor, slots = size.settings.parallelization_factor, size.reserved_concurrency
    # Shards are alike, so that one stands for all, unless they take slots from each other.
    modelled = 1 if slots is None or slots >= shards * factor else shards
    model = ShardModel(
        arrivals, workload, size, shards=modelled, slots=slots if modelled > 1 else None
    )
    if shards == 1 and slots is not None and slots < factor:
        model = ShardModel(arrivals, workload, size, slots=slots)
    run_day(model, arrivals, workload, size, leaps=leaps)
    return _result(workload, size, model, shards / modelled, prices)


def _result(
    workload: Workload, size: ConsumerSize, model: ShardModel, times: float, prices: Prices
) -> Forecast:
    totals: Totals = model.totals
    seconds = workload.writes.seconds
    called_s = totals.called_ms * times / 1000
    invocations = round(totals.invocations * times)
    gb_seconds = called_s * size.memory_mb / 1024
    lanes = workload.shard_count * size.settings.parallelization_factor
    waited_s = totals.waited_ms * times / 1000
    records = totals.handled + totals.discarded
    return Forecast(
        size=size,
        shards=workload.shard_count,
        lag=timedelta(milliseconds=totals.most_lag_ms),
        mean_lag=timedelta(milliseconds=totals.lag_sum_ms / max(1, totals.handled)),
        iterator_age=timedelta(milliseconds=totals.most_age_ms),
        lags=[(minute, lag / 1000) for minute, lag in sorted(totals.lags.items())],
        lag_at_end=timedelta(milliseconds=model.oldest_age_ms()),
        waiting=round(model.backlog * times),
        handled=round(totals.handled * times),
        discarded=round(totals.discarded * times),
        age_exceeded=round((totals.age_exceeded + totals.trimmed) * times),
        invocations=invocations,
        failed_invocations=round(totals.failed_calls * times),
        throttles=round(totals.throttles * times),
        records_per_invocation=records / totals.invocations if totals.invocations else 0.0,
        concurrency=round(totals.most_at_once * times),
        mean_concurrency=called_s / seconds,
        longest_invocation=timedelta(
            milliseconds=min(
                workload.call_length_ms(totals.most_records), size.timeout.total_seconds() * 1000
            )
        ),
        gb_seconds=gb_seconds,
        reads=round(totals.reads * times),
        cost=prices.cost(invocations, gb_seconds),
        utilization=min(1.0, (called_s + waited_s) / seconds / lanes),
    )
