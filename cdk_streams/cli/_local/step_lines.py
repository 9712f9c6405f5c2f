"""What `cdk-streams local` does until the consumers run: a line for each step, with its seconds."""

from __future__ import annotations

from rich.console import Console
from rich.status import Status
from rich.text import Text

from cdk_streams.local import Step

__all__ = ["StepLines"]


class StepLines:
    """Prints each step that has ended; on a terminal also the one under way, until `close`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._is_open = console.is_terminal

    def close(self) -> None:
        """Show no more steps under way, only those that have ended: a table may take that place."""
        self._stop()
        self._is_open = False

    def take(self, step: Step) -> None:
        """Show a step that begins, or print one that has ended."""
        self._stop()
        if step.took_s is not None:
            line = Text.assemble((f"{step.took_s:6.1f} s  ", "dim"), step.what)
            self._console.print(line, highlight=False, soft_wrap=True)
        elif self._is_open:
            self._status = self._console.status(Text(f"{step.what} …"))
            self._status.start()

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
