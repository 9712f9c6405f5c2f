"""`cdk-streams local`: an app on this machine, its consumers driven as Lambda drives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

__all__ = ["local"]


@click.command()
@click.option(
    "--app",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Folder with the app's cdk.json.  [default: the current one]",
)
@click.option("--cdk", default="cdk", show_default=True, help="What starts the cdk command.")
@click.option("--region", default="us-east-1", show_default=True, help="Region of the local AWS.")
@click.option(
    "--run",
    "command",
    help="Run this shell command against the app, wait until every consumer has caught up, and "
    "end with its exit code.",
)
@click.option("--keep", is_flag=True, help="With --run: stay up afterwards, until Ctrl-C.")
@click.option("--calls", is_flag=True, help="Print a line for each call, not only for failures.")
@click.option(
    "--timeline",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Leave a picture of the run in this HTML file.",
)
def local(**options: Any) -> None:
    """Deploy the app to a local AWS and run its stream consumers as Lambda would.

    Batches, retries, bisects, partial responses, record ages, filters, windows and failure
    records follow the poller that the simulator runs. A changed source file is picked up by the
    next call. Ctrl-C stops everything; nothing is left running or on disk.
    """
    # boto3 and rich are paid for by this command only, and not by its --help.
    from cdk_streams.cli.local_session import Asked, hold  # noqa: PLC0415

    raise SystemExit(hold(Asked(**options)))
