"""The table of all consumers: what each has done, how far it lags, what it waits for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from cdk_streams.live import Progress

__all__ = ["ConsumerTable"]

_FIRST = "consumer"
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
    _Column("discarded", lambda progress, _: f"{progress.discarded:,}"),
    _Column("calls", lambda progress, _: f"{progress.calls:,}", 6),
    _Column("failed calls", lambda progress, _: f"{progress.errors:,}"),
    _Column("partial", lambda progress, _: f"{progress.partial:,}", 2),
    _Column("retries", lambda progress, _: f"{progress.retries:,}", 4),
    _Column("sub-batches", lambda progress, _: f"{progress.splits:,}", 1),
    _Column("failure records", _failure_records, 7),
    _Column("lag", _lag, width=len("100.0 s")),
    _Column("waiting", _waiting, width=len("51 s after a throttle")),
)


class ConsumerTable:
    """The table of consumers by name; columns that do not fit are left out when it is printed."""

    def __init__(self, rows: Sequence[tuple[str, Progress]], now_ms: int) -> None:
        self._names = [name for name, _ in rows]
        # Taken now: the counts go on while a table waits to be drawn.
        self._cells = {
            column: [column.cell(progress, now_ms) for _, progress in rows] for column in _COLUMNS
        }

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table in the width that there is."""
        widths = {
            column: max(column.width, *map(len, [column.heading, *cells]))
            for column, cells in self._cells.items()
        }
        room = options.max_width - max(map(len, [_FIRST, *self._names]))
        for column in sorted((each for each in widths if each.rank), key=lambda each: each.rank):
            if sum(_GAP + width for width in widths.values()) <= room:
                break
            del widths[column]
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(_FIRST)
        for column, width in widths.items():
            table.add_column(column.heading, justify="right", min_width=width)
        for number, name in enumerate(self._names):
            table.add_row(Text(name), *(self._cells[column][number] for column in widths))
        yield table
