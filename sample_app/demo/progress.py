"""How far each consumer is behind the writes, as a value, and as a person reads it."""

from __future__ import annotations

from dataclasses import dataclass

from rich.progress_bar import ProgressBar
from rich.table import Table

__all__ = ["Consumer", "Progress", "line_of", "table_of"]


@dataclass(frozen=True, slots=True)
class Consumer:
    """One consumer at one moment.

    Attributes:
        name: Its construct's id in the stack, in lower case.
        due: Changes written so far that its filters let through.
        handled: Those whose effect can be seen.
        behind_s: Age in seconds of the oldest change not handled yet; 0.0 when there is none.
        did: What came of it, in the words of its trade.
    """

    name: str
    due: int
    handled: int
    behind_s: float
    did: str

    @property
    def waiting(self) -> int:
        """Changes written and not handled yet."""
        return max(0, self.due - self.handled)


@dataclass(frozen=True, slots=True)
class Progress:
    """The whole demo at one moment."""

    written: int
    to_write: int
    consumers: tuple[Consumer, ...]

    @property
    def done(self) -> bool:
        """Whether everything is written and handled."""
        return self.written == self.to_write and not any(one.waiting for one in self.consumers)


def table_of(progress: Progress) -> Table:
    """The picture for a terminal, drawn anew a few times a second."""
    table = Table(box=None, padding=(0, 3, 0, 0), show_edge=False)
    table.add_column("", style="bold", min_width=12)
    table.add_column("", width=24)
    for heading in ("for it", "handled", "waiting", "behind"):
        table.add_column(heading, justify="right", min_width=7)
    table.add_column("what came of it")
    table.add_row(
        "writes",
        ProgressBar(total=progress.to_write, completed=progress.written),
        f"{progress.written:,}",
        "",
        "",
        "",
        f"of {progress.to_write:,} to the Orders table",
    )
    for one in progress.consumers:
        caught_up = not one.waiting
        table.add_row(
            one.name,
            ProgressBar(total=max(1, one.due), completed=one.handled),
            f"{one.due:,}",
            f"{one.handled:,}",
            f"[green]{one.waiting:,}[/]" if caught_up else f"[yellow]{one.waiting:,}[/]",
            f"{one.behind_s:.1f} s",
            one.did,
        )
    return table


def line_of(progress: Progress) -> str:
    """The same in one line, for a log: `487 of 487 written; inventory 384 of 384 handled; ...`."""
    parts = [f"{progress.written} of {progress.to_write} written"]
    parts += [
        f"{one.name} handled {one.handled} of {one.due}, {one.behind_s:.1f} s behind ({one.did})"
        for one in progress.consumers
    ]
    return "; ".join(parts)
