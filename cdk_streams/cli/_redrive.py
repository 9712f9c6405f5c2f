"""`cdk-streams redrive`: failure records back to their function, planned first."""

from __future__ import annotations

from typing import Any

import click

from cdk_streams.cli._options import RedriveOptions

__all__ = ["redrive"]


def _not_empty(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Refuse what a shell makes of a variable that is not set: it must not mean everything."""
    if value is not None and not value.strip():
        raise click.BadParameter(f"it must be a name, got {value!r}", param=option)
    return value


def _endpoint(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.startswith(("http://", "https://")):
        raise click.BadParameter(
            f"it must be a URL like http://localhost:4566, got {value!r}", param=option
        )
    return value


@click.command(short_help="Call functions again with the records that failed.")
@click.option(
    "--queue", callback=_not_empty, help="URL or ARN of the queue with the failure records."
)
@click.option(
    "--stack",
    callback=_not_empty,
    help="Instead of a queue: the deployed stack whose consumers have failed.",
)
@click.option(
    "--consumer",
    callback=_not_empty,
    help="With --stack: this consumer only, by its logical id's beginning.",
)
@click.option("--yes", is_flag=True, help="Call the functions; without it the plan is shown only.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Take at most this many failure records.",
)
@click.option(
    "--incomplete",
    is_flag=True,
    help="Call also when some records have left the stream; the failure record is kept then.",
)
@click.option("--show-data", is_flag=True, help="Print the records with their items.")
@click.option("--profile", help="Profile of the AWS configuration, as boto3 reads it.")
@click.option("--region", help="AWS Region, when the profile or environment does not say.")
@click.option(
    "--endpoint-url", callback=_endpoint, help="Another endpoint than AWS, for every service."
)
def redrive(
    profile: str | None, region: str | None, endpoint_url: str | None, **options: Any
) -> None:
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
    # boto3 is paid for by this command only, and not by its --help.
    from cdk_streams.cli._redrive_session import aws, run  # noqa: PLC0415 - boto3 is imported on use

    raise SystemExit(run(lambda: aws(profile, region, endpoint_url), RedriveOptions(**options)))
