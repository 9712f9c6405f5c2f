"""The table of all consumers: what each has done, how far it lags, what it waits for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from cdk_streams.live import Progress

__all__ = ["consumer_table"]

_GAP = 2


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its heading, its cell at a moment in milliseconds.

    `rank` is the order in which columns are left out where the table does not fit; 0: never.
    `width` is the least number of characters, so that columns do not come and go with each cell.
    """

    heading: str
    cell: Callable[[Progress, int], str]
    rank: int = 0
    width: int = 0


def _failure_records(progress: Progress, _now_ms: int) -> str:
    lost = f" ({progress.refused:,} lost)" if progress.refused else ""
    return f"{progress.sent:,}{lost}"


def _lag(progress: Progress, now_ms: int) -> str:
    return f"{progress.lag_ms(now_ms) / 1000:.1f} s" if progress.waiting else "0 s"


def _waiting(progress: Progress, now_ms: int) -> str:
    """Return what the soonest of the lanes waits for: `51 s for retry 9`."""
    if (wait := progress.retry_wait) is None:
        return ""
    left_s = math.ceil(max(0, wait.until_ms - now_ms) / 1000)
    return f"{left_s} s for retry {wait.retry}" if wait.retry else f"{left_s} s after a throttle"


_COLUMNS = (
    _Column("read", lambda progress, _: f"{progress.read:,}", 5),
    _Column("handled", lambda progress, _: f"{progress.handled:,}"),
    _Column("filtered", lambda progress, _: f"{progress.filtered:,}", 3),
    _Column("discarded", lambda progress, _: f"{progress.given_up:,}"),
    _Column("calls", lambda progress, _: f"{progress.calls:,}", 6),
    _Column("failed calls", lambda progress, _: f"{progress.errors:,}"),
    _Column("partial", lambda progress, _: f"{progress.partial:,}", 2),
    _Column("retries", lambda progress, _: f"{progress.retries:,}", 4),
    _Column("sub-batches", lambda progress, _: f"{progress.splits:,}", 1),
    _Column("failure records", _failure_records, 7),
    _Column("lag", _lag, width=len("100.0 s")),
    _Column("waiting", _waiting, width=len("51 s after a throttle")),
)


def consumer_table(rows: Sequence[tuple[str, Progress]], now_ms: int, width: int) -> Table:
    """Return the table of consumers by name; columns that do not fit `width` are left out."""
    names = ["consumer", *(name for name, _ in rows)]
    columns = {
        each: [each.heading, *(each.cell(progress, now_ms) for _, progress in rows)]
        for each in _COLUMNS
    }
    widths = {each: max(each.width, *map(len, cells)) for each, cells in columns.items()}
    room = width - max(map(len, names))
    for column in sorted((each for each in columns if each.rank), key=lambda each: each.rank):
        if sum(_GAP + each for each in widths.values()) <= room:
            break
        del columns[column], widths[column]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("consumer")
    for column in columns:
        table.add_column(column.heading, justify="right", min_width=widths[column])
    for number, name in enumerate(names[1:], 1):
        table.add_row(Text(name), *(cells[number] for cells in columns.values()))
    return table
