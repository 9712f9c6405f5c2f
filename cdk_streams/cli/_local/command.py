"""`cdk-streams local`: an app on this machine, its consumers driven as Lambda drives them."""

from __future__ import annotations

import os
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from cdk_streams._extras import EXTRA_OF, install_sentence
from cdk_streams.cli._command import CommandError, command
from cdk_streams.cli._local.local_options import LocalOptions
from cdk_streams.cli._options import FiniteRange

__all__ = ["local"]

_IS_WINDOWS = os.name == "nt"


def _words(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    """Split a command as a shell would."""
    try:
        words = tuple(shlex.split(value))
    except ValueError as error:
        raise click.BadParameter(f"it must be a command, got {value!r}: {error}") from None
    if not words:
        raise click.BadParameter(f"it must be a command, got {value!r}")
    return words


def _file(_context: click.Context, _option: click.Parameter, value: Path | None) -> Path | None:
    """Refuse a file that cannot be written now, before the run whose result it is to hold."""
    if value is not None:
        try:
            value.open("a").close()
        except OSError as error:
            raise click.BadParameter(f"it cannot be written: {error}") from None
    return value


@command(short_help="Run an app's stream consumers on a local AWS.")
@click.option(
    "--app",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default="the current folder",
    help="Folder with the app's cdk.json.",
)
@click.option(
    "--cdk",
    default="cdk",
    show_default=True,
    callback=_words,
    help="What starts the cdk command; split as a shell would.",
)
@click.option("--region", default="us-east-1", show_default=True, help="Region of the local AWS.")
@click.option(
    "--run",
    "command",
    help="Run this shell command against the app, with the stacks' outputs as environment "
    "variables; wait until every consumer has caught up and every failure record is sent; end with "
    "the command's exit code, or with 1 when records were discarded.",
)
@click.option("--keep", is_flag=True, help="With --run: stay up afterwards, until Ctrl-C.")
@click.option(
    "--allow-failures",
    is_flag=True,
    help="With --run: end with the command's exit code also when records were discarded.",
)
@click.option(
    "--calls", is_flag=True, help="Print a line for each call, not only for those that fail."
)
@click.option(
    "--timeline",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_file,
    help="Write a timeline of the run into this HTML file, one lane a shard, or as Chrome trace "
    "JSON into one that ends with .json; a file that cannot be written is refused before the run.",
)
@click.option(
    "--time-scale",
    type=FiniteRange(1, 1_000),
    metavar="N",
    default=1,
    show_default=True,
    help="Divide the waits before retries, and the maximum record age, by N.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 10_000),
    metavar="N",
    show_default="as deployed",
    help="Discard a batch after N retries, where its mapping has more.",
)
@click.option("--quiet", is_flag=True, help="Show no steps and no table until the end.")
def local(**options: Any) -> None:
    """Deploy the app to a local AWS and run its stream consumers as Lambda would.

    Batches, retries, bisects, partial responses, record ages, filters, windows and failure
    records follow the poller that the simulator runs. A changed source file is picked up by the
    next call. Ten retries take minutes, as on Lambda; --time-scale and --retries shorten that.
    Ctrl-C stops everything; nothing is left running or on disk.
    """
    if _IS_WINDOWS:
        raise CommandError(
            "cdk-streams local must run on Linux or macOS, got Windows; run it in WSL, the Windows "
            "Subsystem for Linux"
        )
    folder = options["folder"]
    if not (folder / "cdk.json").is_file() and len(options["cdk"]) == 1:
        raise click.UsageError(
            f"the app's folder must have a cdk.json, got none in {folder.resolve()}; name the "
            "folder with --app"
        )
    for needed, extra in EXTRA_OF.items():
        # Told here, before a thread of the session would.
        if extra == "local" and find_spec(needed) is None:
            raise CommandError(install_sentence("cdk-streams local", needed))
    # boto3 and rich are paid for by this command only, and not by its --help.
    from cdk_streams.cli._local.local_session import run  # noqa: PLC0415 - boto3 is imported on use

    raise SystemExit(run(LocalOptions(**options)))
