"""What `cdk-streams size` prints: a table of today and proposed, the lag over the day, JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cdk_streams.capacity import Forecast, Prices, Proposal, Workload, sentences_about
from cdk_streams.cli._printed_numbers import seconds_or_none
from cdk_streams.mapping import MappingSettings

__all__ = ["as_json", "show"]

_MONTH_DAYS: Final = 30
_DAY_S: Final = 86_400
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_MOST_COLUMNS: Final = 72
_MARGIN: Final = 8
_WHOLE_FROM: Final = 100


def show(workload: Workload, proposal: Proposal, prices: Prices) -> None:
    """Print a proposal for people."""
    console = Console(highlight=False)
    console.print(_asked(workload, proposal), soft_wrap=True)
    console.print()
    console.print(_table(workload, proposal))
    console.print()
    for name, found in (("today", proposal.current), ("proposed", proposal.proposed)):
        if found is not None:
            for line in _picture(name, found, console.width):
                console.print(line, soft_wrap=True)
    if proposal.proposed is None:
        sentence = sentences_about(proposal)
        console.print(f"{sentence[0].upper()}{sentence[1:]}.", soft_wrap=True)
    else:
        console.print("To paste:\n")
        console.print(Text(paste(proposal.proposed)), soft_wrap=True)
    console.print(f"\n{_assumed(prices)}", soft_wrap=True)


def _asked(workload: Workload, proposal: Proposal) -> str:
    writes = workload.writes
    shards = "1 shard" if workload.shard_count == 1 else f"{workload.shard_count:,} shards"
    known = "" if workload.shards else " (the least for that rate; --shards says how many)"
    return (
        f"{writes.total:,.0f} writes in {_length(writes.seconds)}, at most {_rate(writes.peak)} a "
        f"second, to {shards}{known}; lag under {_length(proposal.target_lag)}"
    )


def _table(workload: Workload, proposal: Proposal) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    columns = [("today", proposal.current), ("proposed", proposal.proposed)]
    found = [(name, each) for name, each in columns if each is not None]
    for name, _ in found:
        table.add_column(name, justify="right")
    times = _MONTH_DAYS * _DAY_S / workload.writes.seconds
    for label, cell in _rows(proposal.target_lag, times):
        table.add_row(label, *(cell(each) for _, each in found))
    return table


def _rows(target: timedelta, times: float) -> Sequence[tuple[str, Callable[[Forecast], str]]]:
    """Return each row's label, and what it says of a forecast."""
    return (
        ("batch_size", lambda each: f"{each.size.settings.batch_size:,}"),
        ("max_batching_window", lambda each: _length(each.size.settings.max_batching_window)),
        ("parallelization_factor", lambda each: f"{each.size.settings.parallelization_factor}"),
        ("memory", lambda each: f"{each.size.memory_mb:,} MB"),
        ("timeout", lambda each: _length(each.size.timeout)),
        ("reserved concurrency", lambda each: _or_none(each.size.reserved_concurrency)),
        ("keeps up", lambda each: "yes" if each.keeps_up(target) else "no"),
        ("lag, at most", lambda each: _length(max(each.lag, each.lag_at_end))),
        ("lag, on average", lambda each: _length(each.mean_lag)),
        ("iterator age, at most", lambda each: _length(each.iterator_age)),
        ("waiting at the end", lambda each: f"{each.waiting:,} records"),
        ("discarded or too old", lambda each: f"{each.discarded + each.age_exceeded:,} records"),
        ("invocations", lambda each: f"{each.invocations:,}"),
        ("records an invocation", lambda each: f"{each.records_per_invocation:,.1f}"),
        ("concurrency, at most", lambda each: f"{each.concurrency:,}"),
        ("concurrency, on average", lambda each: f"{each.mean_concurrency:,.1f}"),
        ("throttles", lambda each: f"{each.throttles:,}"),
        ("GB-seconds", lambda each: f"{each.gb_seconds:,.0f}"),
        ("stream reads", lambda each: f"{each.reads:,}"),
        ("cost", lambda each: f"${each.cost:,.2f}"),
        ("cost in 30 days", lambda each: f"${each.cost * times:,.2f}"),
    )


def _picture(name: str, found: Forecast, width: int) -> Sequence[str]:
    """Draw the largest lag of each part of the time as a line of blocks."""
    lags = [lag for _, lag in found.lags]
    if not lags:
        return []
    columns = max(10, min(_MOST_COLUMNS, width - _MARGIN, len(lags)))
    edges = [len(lags) * place // columns for place in range(columns + 1)]
    parts = [max(lags[low : max(high, low + 1)], default=0.0) for low, high in pairwise(edges)]
    most = max(parts) or 1.0
    blocks = "".join(_BLOCKS[min(7, int(part / most * 8))] for part in parts)
    minutes = found.lags[-1][0] + 1
    until = _length(timedelta(minutes=minutes))
    return [f"lag, {name}: up to {_length(most)} over {until}", f"  {blocks}", ""]


def paste(found: Forecast) -> str:
    """Return the lines of a stack and of a test with these settings."""
    settings = found.size.settings
    window_s = settings.max_batching_window.total_seconds()
    return "\n".join(
        [
            "StreamFunction(",
            "    …,",
            f"    memory_size={found.size.memory_mb},",
            f"    timeout=Duration.seconds({found.size.timeout.total_seconds():.0f}),",
            f"    reserved_concurrent_executions={found.size.reserved_concurrency},",
            ")",
            "StreamConsumer(",
            "    …,",
            f"    batch_size={settings.batch_size},",
            f"    max_batching_window=Duration.seconds({window_s:.0f}),",
            f"    parallelization_factor={settings.parallelization_factor},",
            ")",
            "",
            _settings_line(settings),
        ]
    )


def _settings_line(settings: MappingSettings) -> str:
    window_s = settings.max_batching_window.total_seconds()
    return (
        f"MappingSettings(batch_size={settings.batch_size}, max_batching_window={window_s:.0f}, "
        f"parallelization_factor={settings.parallelization_factor})"
    )


def _assumed(prices: Prices) -> str:
    return (
        f"Prices: ${prices.per_million_requests:.2f} for a million invocations and "
        f"${prices.per_gb_second:.10f} for a GB-second ({prices.region}, {prices.as_of}), without "
        "free tier. Shards are taken to get the same writes."
    )


def as_json(workload: Workload, proposal: Proposal, prices: Prices) -> dict[str, Any]:
    """Return a proposal as the JSON object that docs/cli.md describes."""
    short = proposal.shortage
    return {
        "target_lag_s": proposal.target_lag.total_seconds(),
        "seconds": workload.writes.seconds,
        "writes": round(workload.writes.total),
        "peak_writes_per_second": workload.writes.peak,
        "shards": workload.shard_count,
        "prices": {
            "per_million_requests_usd": prices.per_million_requests,
            "per_gb_second_usd": prices.per_gb_second,
            "region": prices.region,
            "as_of": prices.as_of.isoformat(),
        },
        "current": _forecast_json(proposal.current, proposal.target_lag),
        "proposed": _forecast_json(proposal.proposed, proposal.target_lag),
        "shortage": None
        if short is None
        else {
            "shards": short.shards,
            "record_ms": short.record_ms,
            "target_lag_s": seconds_or_none(short.least_lag),
        },
    }


def _forecast_json(found: Forecast | None, target: timedelta) -> dict[str, Any] | None:
    if found is None:
        return None
    settings = found.size.settings
    return {
        "batch_size": settings.batch_size,
        "max_batching_window_s": settings.max_batching_window.total_seconds(),
        "parallelization_factor": settings.parallelization_factor,
        "memory_mb": found.size.memory_mb,
        "timeout_s": found.size.timeout.total_seconds(),
        "reserved_concurrency": found.size.reserved_concurrency,
        "settings": settings.to_template(),
        "keeps_up": found.keeps_up(target),
        "lag_s": found.lag.total_seconds(),
        "mean_lag_s": found.mean_lag.total_seconds(),
        "iterator_age_s": found.iterator_age.total_seconds(),
        "lag_at_end_s": found.lag_at_end.total_seconds(),
        "waiting": found.waiting,
        "handled": found.handled,
        "discarded": found.discarded,
        "age_exceeded": found.age_exceeded,
        "invocations": found.invocations,
        "failed_invocations": found.failed_invocations,
        "throttles": found.throttles,
        "records_per_invocation": found.records_per_invocation,
        "concurrency": found.concurrency,
        "mean_concurrency": found.mean_concurrency,
        "longest_invocation_s": found.longest_invocation.total_seconds(),
        "gb_seconds": found.gb_seconds,
        "reads": found.reads,
        "utilization": found.utilization,
        "cost_usd": found.cost,
        "lags": [[minute, lag] for minute, lag in found.lags],
    }


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}" if per_second >= _WHOLE_FROM else f"{per_second:.3g}"


def _or_none(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"


def _length(length: timedelta | float) -> str:
    """Return a length of time in the unit that suits it: `0.47 s`, `13.9 min`, `24 h`."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{round(seconds / unit, 1):g} {name}"
    return f"{seconds:.3g} s"
