"""What the demo shows: a line for each step done, and the consumers' table while it waits.

Without a terminal, in a log or a pipe, plain lines come meanwhile, one a second.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cdk_streams.cli import LiveView

__all__ = ["step", "verdict", "watching", "wide"]

_DRAWS_A_SECOND = 8
_PLAIN_LINE_EVERY_S = 1.0
_PIPE_WIDTH = 120


@contextlib.contextmanager
def step(console: Console, doing: str, done: str) -> Iterator[Callable[[str], None]]:
    """Show `doing` with what is said meanwhile, then `done` and the seconds it took."""
    began = time.monotonic()
    if console.is_terminal:
        with console.status(f"{doing} …") as status:
            yield lambda detail: status.update(f"{doing} …  [dim]{escape(detail)}[/]")
    else:
        yield lambda _detail: None
    took = time.monotonic() - began
    console.print(f"[green]{_mark(console)}[/] {done:<68}[dim]{took:6.1f} s[/]", highlight=False)


@contextlib.contextmanager
def watching(console: Console, view: LiveView, total: int) -> Iterator[Callable[[int], None]]:
    """Show the view's table while the block runs; the function given takes the writes so far.

    The table of the end stays. In a log a line a second says how many of `total` are written.
    """
    last = float("-inf")

    def show(written: int) -> None:
        nonlocal last
        if not console.is_terminal and time.monotonic() - last >= _PLAIN_LINE_EVERY_S:
            last = time.monotonic()
            summary = f"; {view.summary()}" if view.summary() else ""
            console.print(f"{written} of {total} written{summary}", highlight=False)

    if not console.is_terminal:
        yield show
        wide(console).print(view.table())
        return
    with Live(get_renderable=view.table, console=console, refresh_per_second=_DRAWS_A_SECOND):
        yield show


def wide(console: Console) -> Console:
    """Return the console; for a pipe or a file one whose lines are not wrapped at 80 columns."""
    return console if console.is_terminal else Console(file=console.file, width=_PIPE_WIDTH)


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
