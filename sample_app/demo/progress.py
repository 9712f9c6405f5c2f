"""How far each consumer is behind the writes, as a value, and as a person reads it."""

from __future__ import annotations

from dataclasses import dataclass

from rich.progress_bar import ProgressBar
from rich.table import Table

__all__ = ["Consumer", "Progress", "line_of", "table_of"]

_BAR = 10


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
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False)
    table.add_column("", style="bold", no_wrap=True)
    table.add_column("", width=_BAR)
    for heading in ("writes", "handled", "left", "behind"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("what came of it", no_wrap=True)
    table.add_row(
        "the shop",
        ProgressBar(total=progress.to_write, completed=progress.written, width=_BAR),
        f"{progress.written:,}",
        "",
        "",
        "",
        f"of {progress.to_write:,} planned",
    )
    for one in progress.consumers:
        color = "yellow" if one.waiting else "green"
        table.add_row(
            one.name,
            ProgressBar(total=max(1, one.due), completed=one.handled, width=_BAR),
            f"{one.due:,}",
            f"{one.handled:,}",
            f"[{color}]{one.waiting:,}[/]",
            f"{one.behind_s:.1f} s",
            one.did,
        )
    return table


def line_of(progress: Progress) -> str:
    """The same in one line, for a log: `487 of 487 written; audit handled 480 of 487, …`."""
    parts = [f"{progress.written} of {progress.to_write} written"]
    parts += [
        f"{one.name} handled {one.handled} of {one.due}, {one.behind_s:.1f} s behind ({one.did})"
        for one in progress.consumers
    ]
    return "; ".join(parts)
