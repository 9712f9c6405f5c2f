"""What `cdk-streams local` does: deploy, show, take over changed source, stop."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Self

import click
from rich.console import Console
from rich.live import Live

from cdk_streams._signals import exit_on_signals, ignore_signals
from cdk_streams.cli._live_view import LiveView
from cdk_streams.cli._options import LocalOptions
from cdk_streams.errors import StreamsError
from cdk_streams.local import LocalApp, LocalRun, connection_variables, environment, local_run
from cdk_streams.local._local_app import source_state
from cdk_streams.simulator._timeline.html import timeline_html

__all__ = ["run"]

_LOOK_EVERY_S = 0.25
_CTRL_C = 130
# Lines in a pipe or a file are not wrapped at 80 columns.
_PIPE_WIDTH = 160


def run(options: LocalOptions) -> int:
    """Run the app until it is told to stop; return the exit code."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPE_WIDTH)
    view = LiveView(console, every_call=options.calls)
    try:
        with exit_on_signals():
            return _run(console, view, options)
    except SystemExit as stop:
        # Ctrl-C is how a run without a command, or one that is kept, ends.
        code = stop.code if isinstance(stop.code, int) else 1
        return 0 if code == _CTRL_C and (options.command is None or options.keep) else code
    except StreamsError as error:
        raise click.ClickException(str(error)) from error
    finally:
        if options.timeline is not None:
            page = timeline_html(view.recorder, title="cdk-streams local")
            options.timeline.write_text(page, encoding="utf-8")
            console.print(f"timeline: {options.timeline}", soft_wrap=True)


def _run(console: Console, view: LiveView, options: LocalOptions) -> int:
    app = LocalApp(options.folder, options.cdk, options.region)
    console.print("deploying to a local AWS …")
    with local_run(app, observer=view) as run:
        _introduce(console, run)
        code = 0
        if options.command is not None:
            code = _attend(console, view, run, options.folder, options.command)
        if options.command is None or options.keep:
            _attend(console, view, run, options.folder)
        return code


def _introduce(console: Console, run: LocalRun) -> None:
    """Print how to reach the local AWS."""
    console.print(f"\nThe local AWS is {run.aws.endpoint_url}. To use it:\n", highlight=False)
    for name, value in sorted(connection_variables(run.aws).items()):
        console.print(f"  export {name}={shlex.quote(value)}", highlight=False, soft_wrap=True)
    for stack, outputs in run.outputs.items():
        console.print(f"\n{stack}:")
        for name, value in outputs.items():
            console.print(f"  {name} = {value}", highlight=False, soft_wrap=True)
    console.print("\nCtrl-C stops everything.\n")


def _attend(
    console: Console, view: LiveView, run: LocalRun, folder: Path, command: str | None = None
) -> int:
    """Show the run until the command has ended and all is dealt with; without one, for ever."""
    before = source_state(folder)
    names = {each.name for each in run.consumers if each.mapping.settings.enabled}
    with (
        contextlib.nullcontext() if command is None else _Command(command, run) as process,
        Live(view.table(), console=console, refresh_per_second=4) as live,
    ):
        while True:
            time.sleep(_LOOK_EVERY_S)
            run.check()
            live.update(view.table())
            if (now := source_state(folder)) != before:
                before = now
                _refresh(console, run)
            ended_ms = None if process is None else process.ended_ms
            if ended_ms is not None and view.caught_up(names, ended_ms):
                break
    if not console.is_terminal:
        console.print()  # The table that goes into a file or a pipe has no end of line.
    console.print("every consumer has dealt with what was written")
    return 0 if process is None else process.code


class _Command:
    """A shell command that runs beside the consumers, with the local AWS as its AWS.

    The outputs of the stacks are variables of its environment, so that it knows the tables' names.
    """

    def __init__(self, command: str, run: LocalRun) -> None:
        self.code = 0
        self.ended_ms: int | None = None
        outputs = {name: value for each in run.outputs.values() for name, value in each.items()}
        self._process = subprocess.Popen(  # noqa: S602 - the user's own shell command
            command,
            shell=True,
            env={**environment(run.aws), **outputs},
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._wait)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with ignore_signals():
            if self.ended_ms is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._thread.join()

    def _wait(self) -> None:
        self.code = self._process.wait()
        self.ended_ms = time.time_ns() // 1_000_000


def _refresh(console: Console, run: LocalRun) -> None:
    try:
        deployed = run.refresh()
    except StreamsError as error:
        # A half-written file is no reason to end; the next change tries again.
        console.print("[red]the changed source was not taken over:[/]")
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return
    what = "the stack was deployed again" if deployed else "the next call runs the new code"
    console.print(f"[bold green]the source has changed: {what}[/]")
