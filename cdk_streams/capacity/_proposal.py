"""The cheapest size that keeps the lag under a target, or what else would be needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from math import inf
from typing import Final, NamedTuple

from cdk_streams._argument_checks import check_instance, number
from cdk_streams.capacity._forecast import Forecast, forecast
from cdk_streams.capacity._prices import PRICES, Prices
from cdk_streams.capacity._workload import ConsumerSize, Workload
from cdk_streams.capacity._write_rate import WriteRate
from cdk_streams.mapping import FULL_CPU_MEMORY_MB, LAMBDA_DEFAULT_MEMORY_MB, MappingSettings
from cdk_streams.mapping.presets import SAFE

__all__ = ["Proposal", "Shortage", "propose"]

_BATCHES: Final = (1, 5, 10, 25, 50, 100, 200, 300, 500, 1000, 2000, 3000, 5000, 10_000)
_WINDOWS_S: Final = (0, 1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 300)
_MOST_LANES: Final = 10
_DEFAULT_BATCH: Final = MappingSettings().batch_size
_MEMORIES_MB: Final = (128, 256, 512, 1024, FULL_CPU_MEMORY_MB)
# A timeout is this many times what a full batch takes, so that a slow day is no failed batch.
_TIMES_THE_BATCH: Final = 3
_MOST_TIMEOUT_S: Final = 900
_LEAST_TIMEOUT_S: Final = 10
# Lanes that would be busy for longer than this have no room to catch up after a failure.
_BUSY: Final = 0.8
_TRIED: Final = 10
_POLL_S: Final = 0.25
# Decoded, a batch takes several times its JSON, beside what the runtime and boto3 take.
_RUNTIME_MB: Final = 100
_TIMES_THE_PAYLOAD: Final = 8
_PEAK_S: Final = 120.0
# From here on 128 MB are a finding of the checks.
_LARGE_BATCH: Final = 1000
_LAGS_S: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """What would keep up where no setting does; each alone is enough.

    Attributes:
        shards: So many shards; None: more shards do not shorten the lag enough.
        record_ms: So many milliseconds a record, rounded down; None: not even 0 is enough.
        least_lag: The shortest lag that was found; None: none keeps up at all.

    """

    shards: int | None
    record_ms: float | None
    least_lag: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The result of `propose`: `proposed` where some settings keep up, else `shortage`.

    Attributes:
        target_lag: The lag that was asked for.
        proposed: The cheapest size that keeps up, and what it does.
        current: What today's size does, where one was given.
        shortage: What would keep up.

    """

    target_lag: timedelta
    proposed: Forecast | None
    current: Forecast | None
    shortage: Shortage | None


class _Search(NamedTuple):
    """What the candidates have in common."""

    target: timedelta
    settings: MappingSettings
    measured_mb: int | None
    cpu_share: float
    prices: Prices


class _Candidate(NamedTuple):
    """A size with its estimated cost a second and lag."""

    cost: float
    lag_s: float
    size: ConsumerSize
    workload: Workload


def propose(
    workload: Workload,
    target_lag: timedelta,
    *,
    current: ConsumerSize | None = None,
    memory_mb: int | None = None,
    cpu_share: float = 0.0,
    prices: Prices = PRICES,
) -> Proposal:
    """Find the cheapest size that keeps every record's lag under a target.

    Args:
        workload: What has to be done.
        target_lag: From a record's write to the end of the call that handled it, at most.
        current: Today's size, which is shown beside; what is not sized is taken from it.
        memory_mb: The memory with which `record_ms` and `call_ms` were measured; left out, that of
            `current`, else the least that holds a batch.
        cpu_share: The part of these times that is computing, 0 to 1: it shrinks with more memory.
        prices: What the cost is worked out from.

    Raises:
        SourceError: A target that is no length of time above 0, or a share that is none.
        SettingsError: The mapping of `current` has a tumbling window, which is not modelled.

    """
    check_instance("target_lag", target_lag, timedelta, "write timedelta(seconds=10)")
    number("target_lag in seconds", target_lag.total_seconds(), 0.001, inf)
    number("cpu_share", cpu_share, 0, 1)
    measured_mb = memory_mb or (current.memory_mb if current else None)
    before = None if current is None else forecast(workload, current, prices=prices)
    settings = MappingSettings(**SAFE) if current is None else current.settings
    search = _Search(target_lag, settings, measured_mb, cpu_share, prices)
    found = _cheapest(workload, search)
    return Proposal(
        target_lag=target_lag,
        proposed=found,
        current=before,
        shortage=_shortage(workload, search) if found is None else None,
    )


def _cheapest(workload: Workload, search: _Search, tried: int = _TRIED) -> Forecast | None:
    """Return the cheapest of the candidates that keep up over the whole time."""
    found: list[tuple[float, int, _Candidate]] = []
    for each in sorted(_candidates(workload, search), key=_by_cost):
        at_peak = forecast(_at_peak(each.workload), each.size, prices=search.prices)
        if at_peak.keeps_up(search.target):
            found.append((at_peak.cost, len(found), each))
            if len(found) == tried:
                break
    for _, _, each in sorted(found):
        whole = forecast(each.workload, each.size, prices=search.prices)
        if whole.keeps_up(search.target):
            return whole
    return None


def _by_cost(candidate: _Candidate) -> tuple[float, int, float, int]:
    """Return the order in which candidates are tried; of equals, the nearest to the defaults."""
    settings = candidate.size.settings
    return (
        candidate.cost,
        settings.parallelization_factor,
        settings.max_batching_window.total_seconds(),
        abs(settings.batch_size - _DEFAULT_BATCH),
    )


def _at_peak(workload: Workload) -> Workload:
    """Return some minutes of the highest rate."""
    seconds = min(_PEAK_S, workload.writes.seconds)
    writes = WriteRate([(0, workload.writes.peak)], seconds)
    return replace(workload, writes=writes, shards=workload.shard_count)


def _candidates(workload: Workload, search: _Search) -> Iterator[_Candidate]:
    """Yield the sizes that may keep up, with estimates."""
    target_s = search.target.total_seconds()
    sizes = [each for each in _BATCHES if each < workload.most_records_of_a_call]
    # A larger batch is cut to what a call holds.
    sizes += _BATCHES[len(sizes) : len(sizes) + 1]
    for batch_size in sizes:
        for memory_mb in _memories(workload, batch_size, search):
            work = _with_memory(workload, memory_mb, search)
            longest_s = work.call_length_ms(_fits(work, batch_size)) / 1000
            timeout_s = max(_LEAST_TIMEOUT_S, math.ceil(longest_s * _TIMES_THE_BATCH))
            if timeout_s > _MOST_TIMEOUT_S or longest_s > target_s:
                continue
            for window_s in _WINDOWS_S:
                if window_s > 0 and window_s >= target_s:
                    break
                # More lanes than are needed make batches smaller and cost more.
                sized = (
                    _sized(
                        batch_size=batch_size,
                        window_s=window_s,
                        factor=factor,
                        memory_mb=memory_mb,
                        timeout_s=timeout_s,
                        workload=work,
                        search=search,
                    )
                    for factor in range(1, _MOST_LANES + 1)
                )
                fitting = (_estimated(work, size, search.prices) for size in sized)
                for found in fitting:
                    if found is not None and found.lag_s <= target_s:
                        yield found
                        break


def _sized(
    *,
    batch_size: int,
    window_s: int,
    factor: int,
    memory_mb: int,
    timeout_s: int,
    workload: Workload,
    search: _Search,
) -> ConsumerSize:
    return ConsumerSize(
        settings=replace(
            search.settings,
            batch_size=batch_size,
            max_batching_window=timedelta(seconds=window_s),
            parallelization_factor=factor,
        ),
        memory_mb=memory_mb,
        timeout=timedelta(seconds=max(timeout_s, window_s)),
        reserved_concurrency=factor * workload.shard_count,
    )


def _fits(workload: Workload, batch_size: int) -> int:
    return min(batch_size, workload.most_records_of_a_call)


def _estimated(workload: Workload, size: ConsumerSize, prices: Prices) -> _Candidate | None:
    """Estimate cost and lag at the highest rate; None for lanes that would be busy all the time."""
    settings = size.settings
    lanes = workload.shard_count * settings.parallelization_factor
    rate = workload.writes.peak * workload.matched_share / lanes
    most = _fits(workload, settings.batch_size)
    window_s = settings.max_batching_window.total_seconds()
    full_s = (workload.call_ms + most * workload.record_ms) / 1000
    good = 1 - workload.failure_share
    if rate * full_s / most / good > _BUSY:
        return None
    records = max(1.0, min(most, rate * max(_POLL_S, window_s)))
    call_s = (workload.call_ms + records * workload.record_ms) / 1000
    if rate * call_s > records * good:
        records, call_s = most, full_s
    calls = workload.writes.peak * workload.matched_share / records / good
    cost = prices.cost(calls, calls * call_s * size.memory_mb / 1024)
    gathered_s = min(window_s, most / rate) if rate else window_s
    return _Candidate(cost, gathered_s + call_s, size, workload)


def _memories(workload: Workload, batch_size: int, search: _Search) -> list[int]:
    """Return the memories that hold a batch; more than that is of use to computing alone."""
    payload_mb = _fits(workload, batch_size) * workload.payload_bytes / 1024**2
    least = max(LAMBDA_DEFAULT_MEMORY_MB, _RUNTIME_MB + _TIMES_THE_PAYLOAD * payload_mb)
    if batch_size >= _LARGE_BATCH:
        least = max(least, 2 * LAMBDA_DEFAULT_MEMORY_MB)
    enough = [each for each in _MEMORIES_MB if each >= least]
    if search.cpu_share > 0:
        return enough
    return [max(enough[0], search.measured_mb or 0)]


def _with_memory(workload: Workload, memory_mb: int, search: _Search) -> Workload:
    """Return the workload with the times that another memory leads to."""
    measured_mb = search.measured_mb or LAMBDA_DEFAULT_MEMORY_MB
    speed = min(memory_mb, FULL_CPU_MEMORY_MB) / min(measured_mb, FULL_CPU_MEMORY_MB)
    times = 1 - search.cpu_share + search.cpu_share / speed
    return replace(workload, record_ms=workload.record_ms * times, call_ms=workload.call_ms * times)


def _shortage(workload: Workload, search: _Search) -> Shortage:
    """Return what would keep up where no setting does."""
    peak = _at_peak(workload)

    def keeps_up(shards: int, record_ms: float) -> bool:
        work = replace(peak, shards=shards, record_ms=record_ms)
        return _cheapest(work, search, tried=1) is not None

    return Shortage(
        shards=_enough_shards(peak, keeps_up),
        record_ms=_fast_enough(peak, keeps_up),
        least_lag=_least_lag(peak, search),
    )


def _enough_shards(workload: Workload, keeps_up: Callable[[int, float], bool]) -> int | None:
    """Return how many shards would do, of up to 256 times as many."""
    low = workload.shard_count
    for _ in range(8):
        high = low * 2
        if keeps_up(high, workload.record_ms):
            break
        low = high
    else:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps_up(middle, workload.record_ms) else (middle, high)
    return high


def _fast_enough(workload: Workload, keeps_up: Callable[[int, float], bool]) -> float | None:
    """Return how few milliseconds a record would do, rounded down to two digits."""
    shards = workload.shard_count
    if workload.record_ms == 0 or not keeps_up(shards, 0):
        return None
    low, high = 0.0, workload.record_ms
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if keeps_up(shards, middle) else (low, middle)
    digits = 1 - math.floor(math.log10(low)) if low else 0
    scale = float(10**digits)
    return math.floor(low * scale) / scale


def _least_lag(workload: Workload, search: _Search) -> timedelta | None:
    """Return a lag that settings keep at the highest rate; None when none keeps up."""
    targets = (timedelta(seconds=each) for each in _LAGS_S)
    return next(
        (
            each
            for each in targets
            if each > search.target
            and _cheapest(workload, search._replace(target=each), tried=1) is not None
        ),
        None,
    )
