"""A long time worked out from parts of it: batch by batch where something changes, else in leaps.

Where the writes change, and where lanes begin or cease to be busy all the time, the model goes
batch by batch. Once a part has shown what a rate leads to, the rest of that rate is passed over:
records go on being taken as they were, and the backlog grows or shrinks as it did.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from cdk_streams.capacity._shard_model import ShardModel
from cdk_streams.capacity._workload import ConsumerSize, Workload
from cdk_streams.capacity._write_rate import Arrivals
from cdk_streams.mapping import STREAM_RETENTION

__all__ = ["run_day"]

_MINUTE_MS: Final = 60_000
# So short a time is quickly worked out as it is.
_SHORT_S: Final = 600
# Lanes that are occupied for this share of the time never wait for records.
_OCCUPIED: Final = 0.97
_FULL: Final = 0.97
# A backlog that grows by more than this share of the writes goes on growing.
_GROWING: Final = 0.05
_SETTLE_CYCLES: Final = 3
_MEASURE_CYCLES: Final = 8
_LEAST_MS: Final = 2000
_MEASURE_MS: Final = 60_000
# Throttled calls wait for up to a minute, so that it takes long to see what they lead to.
_LONGER_WITH_THROTTLES: Final = 15
# Rates this close, by their logarithm, lead to the same.
_SAME_RATE: Final = 0.05
_ALIKE: Final = 2
# A backlog this many times what comes and goes keeps lanes busy for a while.
_LARGE_BACKLOG: Final = 5
_LEAST_RATE: Final = 1e-9
_MOST_PARTS: Final = 60
_MOST_STEPS: Final = 60
# What is rare has to be waited for.
_LONGER_WITH_FAILURES: Final = 10
# Of a backlog that shrinks, how much is passed over before looking again.
_DRAINED: Final = 0.9
_RETENTION_MS: Final = STREAM_RETENTION.total_seconds() * 1000


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of the time showed.

    `advance` records of a shard were settled in a millisecond, its backlog grew by `drift`;
    `grown` is what the totals grew by for each of these records, `lag_ms` the largest lag.
    """

    advance: float
    drift: float
    grown: dict[str, float]
    lag_ms: float
    saturated: bool = False


@dataclass(slots=True)
class _Known:
    """What rates led to without a backlog, by their bucket, and the last that was run.

    `outage_failures` are the failed calls of the outage, which are over; `saturated` is what lanes
    do that never wait for records, whatever the rate.
    """

    parts: dict[int, _Part]
    outage_failures: float
    saturated: _Part | None = None
    settled: int | None = None


def run_day(
    model: ShardModel, arrivals: Arrivals, workload: Workload, size: ConsumerSize, *, leaps: bool
) -> None:
    """Run a model to the end of the writes; without `leaps` batch by batch."""
    ends = [start * 1000 for start, _ in workload.writes.steps[1:]]
    ends.append(workload.writes.seconds * 1000)
    if not leaps or workload.writes.seconds <= _SHORT_S:
        model.run(ends[-1])
        return
    # What an outage leads to lasts as long as the outage, and not longer.
    model.run(min(ends[-1], workload.outage.total_seconds() * 1000))
    cycle_ms = _cycle_ms(workload, size)
    age = size.settings.max_record_age
    age_ms = _RETENTION_MS if age is None else age.total_seconds() * 1000
    known = _Known({}, model.totals.failed_calls)
    for end_ms in (each for each in ends if each > model.now_ms):
        _run_rate(
            model,
            arrivals,
            end_ms=end_ms,
            cycle_ms=cycle_ms,
            age_ms=min(age_ms, _RETENTION_MS),
            known=known,
        )


def _cycle_ms(workload: Workload, size: ConsumerSize) -> float:
    """Return how long a lane takes at most from one batch to the next."""
    records = min(size.settings.batch_size, workload.most_records_of_a_call)
    window_ms = size.settings.max_batching_window.total_seconds() * 1000
    return max(250.0, window_ms + min(workload.call_length_ms(records), 60_000))


def _run_rate(
    model: ShardModel,
    arrivals: Arrivals,
    *,
    end_ms: float,
    cycle_ms: float,
    age_ms: float,
    known: _Known,
) -> None:
    """Run to the end of one rate."""
    settle_ms = max(_LEAST_MS, _SETTLE_CYCLES * cycle_ms)
    least_ms = max(_MEASURE_MS, _MEASURE_CYCLES * cycle_ms)
    if model.totals.failed_calls > known.outage_failures:
        least_ms *= _LONGER_WITH_FAILURES
    per_ms = (arrivals.count(end_ms) - arrivals.count(model.now_ms)) / (end_ms - model.now_ms)
    bucket = round(math.log(max(per_ms, _LEAST_RATE)) / _SAME_RATE)
    # After a rate much like it there is nothing to settle.
    settled = known.settled is not None and abs(bucket - known.settled) <= _ALIKE
    swing = per_ms * cycle_ms + _swing(model)
    for _ in range(_MOST_PARTS):
        if model.now_ms + settle_ms * 2 >= end_ms:
            break
        part = _while_saturated(
            model, known, per_ms=per_ms, swing=swing, age_ms=age_ms, settle_ms=settle_ms
        )
        if part is None and not (settled and bucket in known.parts):
            model.run(model.now_ms + settle_ms)
            known.settled = bucket
        settled = False
        calm = model.backlog / len(model.shards) <= swing
        part = part or (known.parts.get(bucket) if calm else None)
        part = part or _measure(model, arrivals, end_ms, least_ms, swing)
        if part is None:
            continue
        if part.drift == 0:
            known.parts[bucket] = part
        elif part.saturated:
            known.saturated = part
        length_ms = _length_of_leap(model, part, end_ms, age_ms)
        if length_ms > settle_ms:
            for step_ms in _steps(length_ms, part):
                _leap(model, arrivals, part, step_ms)
    model.run(end_ms)


def _while_saturated(
    model: ShardModel,
    known: _Known,
    *,
    per_ms: float,
    swing: float,
    age_ms: float,
    settle_ms: float,
) -> _Part | None:
    """Return what lanes that never wait for records do at a rate; None where they may wait."""
    part = known.saturated
    backlog = model.backlog / len(model.shards)
    if part is None or backlog < _LARGE_BACKLOG * swing or model.oldest_age_ms() >= age_ms:
        return None
    # Counting whole batches of a minute would be off by the one that it ends in.
    advance = model.most_per_ms
    drift = per_ms - advance
    if drift < 0 and _DRAINED * backlog / -drift <= settle_ms:
        return None  # So short a time is run, and not passed over.
    return replace(part, advance=advance, drift=drift)


def _swing(model: ShardModel) -> int:
    """Return how many records of a shard come and go between two batches of its lanes."""
    return model.batch_records * len(model.shards[0].lanes)


def _measure(
    model: ShardModel, arrivals: Arrivals, end_ms: float, least_ms: float, swing: float
) -> _Part | None:
    """Run on until there were enough calls to go by; None: what they showed does not last."""
    shards = len(model.shards)
    lanes = sum(len(shard.lanes) for shard in model.shards)
    totals, began_ms = model.totals, model.now_ms
    before, backlog = totals.rates(), model.backlog
    written = arrivals.count(began_ms)
    if before["throttles"]:
        least_ms *= _LONGER_WITH_THROTTLES
    model.run(min(end_ms, model.now_ms + least_ms))
    length_ms = model.now_ms - began_ms
    now = totals.rates()
    grown = {name: now[name] - count for name, count in before.items()}
    written = arrivals.count(model.now_ms) - written
    change = (model.backlog - backlog) / shards
    occupied = (grown["called_ms"] + grown["waited_ms"]) / length_ms / lanes
    settled = written - change
    if settled <= 0:
        return None
    drift = change / length_ms
    # Lanes that are always occupied with batches that are not full could take more.
    full = grown["handled"] >= _FULL * grown["invocations"] * model.batch_records
    if occupied < _OCCUPIED or not full:
        if change < -swing:
            return None  # A backlog was there at first only.
        if change <= max(swing, _GROWING * written):
            drift, settled = 0.0, written - change
    lag_ms = max(
        (lag for minute, lag in totals.lags.items() if minute >= began_ms / _MINUTE_MS),
        default=0.0,
    )
    grown = {name: count / settled for name, count in grown.items()}
    other = grown["age_exceeded"] + grown["trimmed"] + grown["throttles"] + grown["failed_calls"]
    saturated = full and occupied >= _OCCUPIED and not other
    return _Part(settled / length_ms, drift, grown, lag_ms, saturated)


def _length_of_leap(model: ShardModel, part: _Part, end_ms: float, age_ms: float) -> int:
    """Return how long goes on what a part showed."""
    length_ms = end_ms - model.now_ms
    if part.drift < 0:
        backlog = model.backlog / len(model.shards)
        length_ms = min(length_ms, _DRAINED * backlog / -part.drift)
    elif part.drift > 0:
        grows = part.drift / (part.advance + part.drift)
        left_ms = age_ms - model.oldest_age_ms()
        if left_ms > 0:
            length_ms = min(length_ms, left_ms / grows)
    return math.floor(length_ms)


def _steps(length_ms: int, part: _Part) -> list[int]:
    """Return the parts of a leap: while a backlog changes, its lag follows no straight line."""
    if part.drift == 0:
        return [length_ms]
    count = min(_MOST_STEPS, 1 + length_ms // _MINUTE_MS)
    return [length_ms // count] * count


def _leap(model: ShardModel, arrivals: Arrivals, part: _Part, length_ms: float) -> None:
    """Pass over a length of time, and note the lags on the way."""
    totals = model.totals
    began_ms, until_ms = model.now_ms, model.now_ms + length_ms
    written = arrivals.count(until_ms) - arrivals.count(began_ms)
    unread = arrivals.count(began_ms) - model.shards[0].after
    advance = written if part.drift == 0 else round(part.advance * length_ms)
    advance = min(advance, written + unread)
    from_ms = model.oldest_age_ms() if part.drift else part.lag_ms
    model.leap(length_ms, advance)
    to_ms = model.oldest_age_ms() if part.drift else part.lag_ms
    handled, lag_sum_ms = totals.handled, totals.lag_sum_ms
    totals.grow(part.grown, advance)
    if part.drift:
        mean_ms = (from_ms + to_ms) / 2
        totals.lag_sum_ms = lag_sum_ms + (totals.handled - handled) * mean_ms
        totals.aged(to_ms)
        totals.lagged(until_ms, to_ms)
    for each in range(int(began_ms // _MINUTE_MS) + 1, int(until_ms // _MINUTE_MS) + 1):
        at_ms = each * _MINUTE_MS
        totals.lagged(at_ms, from_ms + (to_ms - from_ms) * (at_ms - began_ms) / length_ms)
