"""`cdk-streams redrive`: failure records back to their function, planned first."""

from __future__ import annotations

from typing import Any

import click

from cdk_streams.cli._command import command
from cdk_streams.cli._failure_options import (
    check_failure_options,
    check_ids,
    failure_options,
)
from cdk_streams.cli._options import aws_options, quiet_option
from cdk_streams.cli._redrive.redrive_options import RedriveOptions

__all__ = ["redrive"]


@command(short_help="Call functions again with the records that failed.")
@failure_options
@click.option(
    "--only",
    multiple=True,
    metavar="ID",
    callback=check_ids,
    help="The failure record with this ID only, as `cdk-streams failures list` shows it; may be "
    "given several times.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Call the functions and delete what they have handled; without it the plan is shown, and "
    "a terminal is asked.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Take at most this many messages or objects; the others can be received again at once. "
    "With --only all are looked at.",
)
@click.option(
    "--incomplete",
    is_flag=True,
    help="Call also when some records have left the stream; that failure record is kept.",
)
@click.option("--show-data", is_flag=True, help="Print the records with their items.")
@quiet_option
@aws_options
def redrive(**options: Any) -> None:
    """Call functions again with the records that failed.

    Failure records are read from a queue, and from the bucket that a queue's message names. Shows
    for each what it names, what of it can be had and what would be done. Nothing is called or
    deleted without --yes, unless the user of a terminal says so. A failure record is deleted after
    its function has handled all of its records. Ends with 1 when a record cannot be had or was not
    handled.
    """
    check_failure_options(options)
    # boto3 is paid for by this command only, and not by its --help.
    from cdk_streams.cli import _aws  # noqa: PLC0415 - boto3 is imported on use
    from cdk_streams.cli._redrive.redrive_session import run  # noqa: PLC0415 - the same

    place = (options.pop(name) for name in ("profile", "region", "endpoint_url"))
    raise SystemExit(run(_aws.aws(*place), RedriveOptions(**options)))
