"""The progress bar of commands that read or write for long: on standard error, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(total: int, unit: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar with the time left; yields what counts so many more, such as 25 `unit`s.

    A `total` of 0 is one that nobody knows: the bar goes when the block ends. Nothing is shown
    with `quiet`, in a file or a pipe. What is printed meanwhile goes to standard output all the
    same.
    """
    from rich.console import Console  # noqa: PLC0415 - not for --help
    from rich.progress import (  # noqa: PLC0415 - the same
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{unit}, left:" if total else unit),
        *([TimeRemainingColumn()] if total else []),
    )
    console = Console(stderr=True)
    is_shown = console.is_terminal and not quiet
    with Progress(
        *columns, console=console, disable=not is_shown, redirect_stdout=False, transient=not total
    ) as progress:
        task = progress.add_task("", total=total or None)
        yield lambda count: progress.advance(task, count)
