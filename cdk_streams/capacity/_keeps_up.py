"""A line for a test: these settings keep up with this rate."""

from __future__ import annotations

from datetime import timedelta
from math import inf

from cdk_streams._argument_checks import number
from cdk_streams.capacity._forecast import Forecast, forecast
from cdk_streams.capacity._proposal import Proposal, propose
from cdk_streams.capacity._workload import ConsumerSize, Workload
from cdk_streams.capacity._write_rate import WriteRate
from cdk_streams.errors import SourceError
from cdk_streams.mapping import LAMBDA_DEFAULT_MEMORY_MB, MappingSettings, ViewType

__all__ = ["assert_keeps_up", "sentences_about"]

_TIMEOUT = timedelta(seconds=60)
_TARGET = timedelta(seconds=10)


def assert_keeps_up(
    settings: MappingSettings,
    *,
    rate: float | WriteRate,
    record_ms: float,
    call_ms: float = 0.0,
    target_lag: timedelta | float = _TARGET,
    item_bytes: int = 1000,
    shards: int | None = None,
    failure_share: float = 0.0,
    matched_share: float = 1.0,
    view_type: ViewType = "NEW_AND_OLD_IMAGES",
    timeout: timedelta | float = _TIMEOUT,
    memory_mb: int = LAMBDA_DEFAULT_MEMORY_MB,
    reserved_concurrency: int | None = None,
) -> Forecast:
    """Fail a test whose mapping falls behind its table, and say what would keep up.

        assert_keeps_up(MappingSettings(parallelization_factor=10), rate=1000, record_ms=5)

    Args:
        settings: The mapping's.
        rate: Writes a second of the whole table, for an hour; or a `WriteRate`.
        record_ms: What a call takes for each record, in milliseconds.
        call_ms: What a call takes beside its records, in milliseconds.
        target_lag: From a record's write to the end of the call that handled it, at most; a
            `timedelta` or seconds.
        item_bytes: Size of an item.
        shards: Shards of the stream; None: as many as the rate needs partitions at least.
        failure_share: Share of the calls that fail, 0 up to 1.
        matched_share: Share of the records that a filter lets through, above 0 to 1.
        view_type: What the records carry.
        timeout: The function's; a `timedelta` or seconds.
        memory_mb: The function's.
        reserved_concurrency: The function's; None: no limit of its own.

    Raises:
        AssertionError: A record waits for longer, or is discarded for its age.
        SourceError: A value out of its range, or of another kind.
        SettingsError: The mapping has a tumbling window, which is not modelled.

    """
    if isinstance(rate, WriteRate):
        writes = rate
    else:
        writes = WriteRate.constant(number("rate", rate, 0, inf), hours=1)
    workload = Workload(
        writes=writes,
        item_bytes=item_bytes,
        record_ms=record_ms,
        call_ms=call_ms,
        shards=shards,
        failure_share=failure_share,
        matched_share=matched_share,
        view_type=view_type,
    )
    size = ConsumerSize(
        settings=settings,
        memory_mb=memory_mb,
        timeout=_length("timeout", timeout),
        reserved_concurrency=reserved_concurrency,
    )
    found, target = forecast(workload, size), _length("target_lag", target_lag)
    if found.keeps_up(target):
        return found
    proposal = propose(workload, target, current=size)
    raise AssertionError(
        f"the settings must keep every record's lag under {target.total_seconds():g} s at "
        f"{writes.peak:g} writes a second, got {_got(found)}; {sentences_about(proposal)}"
    )


def sentences_about(proposal: Proposal) -> str:
    """Return what would keep up, for a message.

    The settings with timeout and memory that a proposal found, or, where there are none, what each
    alone would be enough: shards, milliseconds a record, a longer target.
    """
    if (found := proposal.proposed) is not None:
        settings = found.size.settings
        return (
            f"batch_size={settings.batch_size}, "
            f"max_batching_window={settings.max_batching_window.total_seconds():g} s, "
            f"parallelization_factor={settings.parallelization_factor} with a timeout of "
            f"{found.size.timeout.total_seconds():g} s and {found.size.memory_mb} MB keep it at "
            f"{found.lag.total_seconds():.1f} s"
        )
    short = proposal.shortage
    ways = []
    if short is not None and short.shards is not None:
        ways.append(f"{short.shards} shards")
    if short is not None and short.record_ms is not None:
        ways.append(f"{short.record_ms:g} ms a record")
    if short is not None and short.least_lag is not None:
        ways.append(f"a target of {short.least_lag.total_seconds():g} s")
    if not ways:
        return "no settings keep up, nor more shards, nor quicker records; shorten each call"
    return f"no settings keep up; what would, each alone: {', '.join(ways)}"


def _got(found: Forecast) -> str:
    behind = max(found.lag, found.lag_at_end)
    got = f"{behind.total_seconds():,.1f} s"
    return (
        f"{got} and {found.age_exceeded:,} records discarded for their age"
        if found.age_exceeded
        else got
    )


def _length(name: str, value: timedelta | float) -> timedelta:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 < seconds < inf:
        raise SourceError(
            f"{name} must be a timedelta or a number of seconds above 0, got {value!r}"
        )
    return timedelta(seconds=seconds)
