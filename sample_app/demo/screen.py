"""What the demo shows: a line for each step done, and a table that moves while it waits.

Without a terminal, in a log or a pipe, the same facts come as plain lines, one a second.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from rich.live import Live

from sample_app.demo.progress import line_of, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from sample_app.demo.progress import Progress

__all__ = ["step", "verdict", "watching"]

_DRAWS_A_SECOND = 8
_PLAIN_LINE_EVERY_S = 1.0


@contextlib.contextmanager
def step(console: Console, doing: str, done: str) -> Iterator[Callable[[str], None]]:
    """Show `doing` with what is said meanwhile, then `done` and the seconds it took."""
    began = time.monotonic()
    if console.is_terminal:
        with console.status(f"{doing} …") as status:
            yield lambda detail: status.update(f"{doing} …  [dim]{detail}[/]")
    else:
        yield lambda _detail: None
    took = time.monotonic() - began
    console.print(f"[green]{_mark(console)}[/] {done:<68}[dim]{took:6.1f} s[/]", highlight=False)


@contextlib.contextmanager
def watching(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Show each progress that the function given is called with; the last one stays."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=_DRAWS_A_SECOND) as live:
            yield lambda progress: live.update(table_of(progress))
        return
    last = float("-inf")

    def show(progress: Progress) -> None:
        nonlocal last
        if progress.done or time.monotonic() - last >= _PLAIN_LINE_EVERY_S:
            last = time.monotonic()
            console.print(line_of(progress), highlight=False, soft_wrap=True)

    yield show


def verdict(console: Console, good: str, faults: list[str]) -> None:
    """Show that a check held, or what it found."""
    if not faults:
        console.print(f"[green]{_mark(console)}[/] {good}", highlight=False)
        return
    console.print(f"[red]wrong: {len(faults)}[/]", highlight=False)
    for fault in faults[:10]:
        console.print(f"  {fault}", markup=False, highlight=False, soft_wrap=True)


def _mark(console: Console) -> str:
    return "✓" if console.encoding.startswith("utf") else "ok"
