"""`cdk-streams redrive`: failure records back to their function, planned first."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["redrive"]


@click.command()
@click.option("--queue", help="URL or ARN of the queue with the failure records.")
@click.option("--stack", help="Instead of a queue: the deployed stack whose consumers send there.")
@click.option("--consumer", help="With --stack: this consumer only, by its logical id's beginning.")
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
@click.option("--endpoint-url", help="Another endpoint than AWS, for every service.")
def redrive(
    profile: str | None, region: str | None, endpoint_url: str | None, **options: Any
) -> None:
    """Read failed records back and call their function with them again.

    Shows for each failure record what it names, what of it can be read back and what would be
    done. Nothing is called or deleted without --yes. A failure record is deleted after its
    function has handled all of its records. Ends with 1 when a record could not be read back or
    was not handled.
    """
    if (options["queue"] is None) == (options["stack"] is None):
        raise click.UsageError("name either --queue or --stack")
    if options["consumer"] is not None and options["stack"] is None:
        raise click.UsageError("--consumer needs --stack")
    # boto3 is paid for by this command only, and not by its --help.
    from cdk_streams.cli.redrive_session import aws, hold  # noqa: PLC0415
    from cdk_streams.cli.redrive_view import Asked  # noqa: PLC0415 - the same

    raise SystemExit(hold(lambda: aws(profile, region, endpoint_url), Asked(**options)))
