"""One `cdk-streams local`: deploy, show, take over changed source, run a command, stop."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sqlite3
import subprocess
import threading
import time
from dataclasses import replace
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.live import Live

from cdk_streams._signals import exit_on_signals, ignore_signals
from cdk_streams.cli._command import CommandError
from cdk_streams.cli._local.live_view import LiveView
from cdk_streams.cli._local.local_options import LocalOptions
from cdk_streams.cli._local.step_lines import StepLines
from cdk_streams.errors import StreamsError
from cdk_streams.local import (
    LocalApp,
    LocalRun,
    SourceWatcher,
    Step,
    connection_variables,
    environment,
    local_run,
)
from cdk_streams.simulator import timeline_html, timeline_trace

__all__ = ["exit_code", "run"]

_LOOK_EVERY_S = 0.25
_CTRL_C = 130
# With one of these set, the AWS CLI and boto3 ask for a profile that the local AWS does not have.
_PROFILES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
# Lines in a pipe or a file are not wrapped at 80 columns.
_PIPE_WIDTH = 160


def run(options: LocalOptions) -> int:
    """Run the app until Ctrl-C, or until its command has ended; return the exit code."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPE_WIDTH)
    view = LiveView(console, every_call=options.calls)
    try:
        try:
            with exit_on_signals():
                return _run(console, view, options)
        finally:
            _write_timeline(console, view, options)
    except SystemExit as stop:
        # Ctrl-C is how a run without a command, or one that is kept, ends.
        code = stop.code if isinstance(stop.code, int) else 1
        return 0 if code == _CTRL_C and (options.command is None or options.keep) else code
    except (OSError, sqlite3.Error) as error:
        raise CommandError(f"this machine does not let it run: {error}") from error


def _run(console: Console, view: LiveView, options: LocalOptions) -> int:
    steps = StepLines(console)
    app = LocalApp(
        options.folder,
        options.cdk,
        options.region,
        on_step=_nothing if options.quiet else steps.take,
        time_scale=options.time_scale,
        retries=options.retries,
    )
    _echo(console, "deploying to a local AWS …")
    with (
        SourceWatcher(options.folder) as watcher,
        contextlib.closing(steps),
        local_run(app, observer=view) as run,
    ):
        steps.close()
        _introduce(console, run, options)
        view.introduce(run.consumers)
        code = 0
        if options.command is not None:
            code = _attend(console, view, run, watcher, options)
        if options.command is None or options.keep:
            _attend(console, view, run, watcher, replace(options, command=None))
        if options.command is not None and view.discarded:
            _echo(console, f"records discarded: {view.discarded}; --allow-failures allows them")
        return exit_code(code, discarded=view.discarded, options=options)


def exit_code(code: int, *, discarded: int, options: LocalOptions) -> int:
    """Return the command's exit code; instead of 0 a 1 when records were discarded."""
    is_failed = options.command is not None and discarded and not options.allow_failures
    return 1 if is_failed and code == 0 else code


def _nothing(_step: Step) -> None:
    pass


def _introduce(console: Console, run: LocalRun, options: LocalOptions) -> None:
    """Print how to reach the local AWS, and which consumers do not run."""
    _echo(console, f"\nThe local AWS is {run.aws.endpoint_url}. To use it:\n")
    for name, value in sorted(connection_variables(run.aws).items()):
        _echo(console, f"  export {name}={shlex.quote(value)}")
    for name in _PROFILES:
        if name in os.environ:
            _echo(console, f"  unset {name}")
    for stack, outputs in run.outputs.items():
        _echo(console, f"\n{stack}:")
        for name, value in outputs.items():
            _echo(console, f"  {name} = {value}")
    for sentence in run.skipped:
        _echo(console, f"\nskipped: {sentence}")
    for sentence in run.warnings:
        _echo(console, f"\nwarning: {sentence}", style="yellow")
    if options.time_scale > 1:
        scale = f"{options.time_scale:g}"
        _echo(console, f"\nWaits before retries and maximum record ages are divided by {scale}.")
    if options.retries is not None:
        _echo(console, f"\nRetries of a batch, at most: {options.retries:,}.")
    _echo(console, "\nCtrl-C stops everything.\n")


def _attend(
    console: Console,
    view: LiveView,
    run: LocalRun,
    watcher: SourceWatcher,
    options: LocalOptions,
) -> int:
    """Show the run until the command has ended and all is settled; without one, for ever."""
    names = {each.name for each in run.consumers if each.mapping.settings.enabled}
    command = options.command
    shown = Live(view.table(), console=console, refresh_per_second=4)
    with (
        contextlib.nullcontext() if command is None else _Command(command, run) as process,
        contextlib.nullcontext() if options.quiet else shown,
    ):
        while True:
            time.sleep(_LOOK_EVERY_S)
            run.check()
            shown.update(view.table())
            if watcher.take_change():
                _refresh(console, run)
            ended_ms = None if process is None else process.ended_ms
            if ended_ms is not None and view.caught_up(names, ended_ms):
                break
        shown.update(view.table())
    if options.quiet:
        console.print(view.table())
    elif not console.is_terminal:
        console.print()  # The table that goes into a file or a pipe has no end of line.
    _echo(console, "every consumer has caught up")
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
    except (StreamsError, ClientError, BotoCoreError) as error:
        # A half-written file is no reason to end; the next change tries again.
        _echo(console, "the changed source was not taken over:", style="red")
        _echo(console, str(error))
        return
    what = "the stack was deployed again" if deployed else "the next call runs the new code"
    _echo(console, f"the source has changed: {what}", style="bold green")


def _write_timeline(console: Console, view: LiveView, options: LocalOptions) -> None:
    if options.timeline is None:
        return
    left_out = view.recorder.left_out
    title = f"cdk-streams local: {left_out}" if left_out else "cdk-streams local"
    draw = timeline_trace if options.timeline.suffix == ".json" else timeline_html
    try:
        text = draw(view.recorder, title=title)
        options.timeline.write_text(text, encoding="utf-8")
    except OSError as error:
        _echo(console, f"the timeline could not be written: {error}", style="red")
        return
    _echo(console, f"timeline: {options.timeline}")
    if left_out:
        _echo(console, left_out, style="yellow")


def _echo(console: Console, text: str, *, style: str | None = None) -> None:
    """Print text as it is: names, values and messages of others are no markup of ours."""
    shown = "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)
    console.print(shown, style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)
