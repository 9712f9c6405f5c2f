"""`cdk-streams redrive`: failure records back to their function, planned first."""

from __future__ import annotations

from typing import Any

import click

from cdk_streams.cli._command import command
from cdk_streams.cli._options import aws_options, refuse_empty
from cdk_streams.cli._redrive.redrive_options import RedriveOptions

__all__ = ["redrive"]


@command(short_help="Call functions again with the records that failed.")
@click.option(
    "--queue",
    callback=refuse_empty,
    help="URL or ARN of the queue with the failure records; also one behind a topic.",
)
@click.option(
    "--rejects",
    is_flag=True,
    help="With --queue: it is a reject queue; each message holds a record, whole.",
)
@click.option(
    "--stack",
    callback=refuse_empty,
    help="Instead of a queue: the deployed stack whose consumers have failed.",
)
@click.option(
    "--consumer",
    callback=refuse_empty,
    show_default="all",
    help="With --stack: the consumers whose mapping's logical id begins so, such as the "
    "construct's id.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Call the functions and delete what they have handled; without it the plan is shown only.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Take at most this many messages or objects; the others can be received again at once.",
)
@click.option(
    "--incomplete",
    is_flag=True,
    help="Call also when some records have left the stream; that failure record is kept.",
)
@click.option("--show-data", is_flag=True, help="Print the records with their items.")
@aws_options
def redrive(**options: Any) -> None:
    """Call functions again with the records that failed.

    Failure records are read from a queue, and from the bucket that a queue's message names. Shows
    for each what it names, what of it can be had and what would be done. Nothing is called or
    deleted without --yes. A failure record is deleted after its function has handled all of its
    records. Ends with 1 when a record cannot be had or was not handled.
    """
    if (options["queue"] is None) == (options["stack"] is None):
        raise click.UsageError("name either --queue or --stack")
    if options["consumer"] is not None and options["stack"] is None:
        raise click.UsageError("--consumer needs --stack")
    if options["rejects"] and options["queue"] is None:
        raise click.UsageError("--rejects needs --queue")
    # boto3 is paid for by this command only, and not by its --help.
    from cdk_streams.cli import _aws  # noqa: PLC0415 - boto3 is imported on use
    from cdk_streams.cli._redrive.redrive_session import run  # noqa: PLC0415 - the same

    place = (options.pop(name) for name in ("profile", "region", "endpoint_url"))
    raise SystemExit(run(_aws.aws(*place), RedriveOptions(**options)))
