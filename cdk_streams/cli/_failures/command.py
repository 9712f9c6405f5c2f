"""The command lines of `cdk-streams failures list` and `show`."""

from __future__ import annotations

from typing import Any

import click

from cdk_streams.cli._command import command
from cdk_streams.cli._failure_options import (
    check_failure_options,
    check_ids,
    failure_options,
)
from cdk_streams.cli._options import aws_options, json_option, quiet_option

__all__ = ["failures"]


@click.group(short_help="List and show failure records.")
def failures() -> None:
    """Show failure records and the stream records behind them. Nothing is called or deleted."""


@command("list", short_help="List the failure records of queues and buckets.")
@failure_options
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    show_default="all",
    help="List at most this many messages or objects.",
)
@json_option
@quiet_option
@aws_options
def list_failures(**options: Any) -> None:
    """List the failure records of queues and buckets, each with its ID, in the order of the stream.

    Messages can be received again at once; SQS counts that they were received. Ends with 1 when
    there is a failure record.
    """
    check_failure_options(options)
    from cdk_streams.cli import _aws  # noqa: PLC0415 - boto3 is imported on use
    from cdk_streams.cli._failures.failure_list import run  # noqa: PLC0415 - the same

    raise SystemExit(run(_aws.aws_of(options), options))


@command("show", short_help="Show what is behind a failure record.")
@click.argument("failure_id", metavar="ID", callback=check_ids)
@failure_options
@click.option(
    "--show-data", is_flag=True, help="Print the records with their items, and the line of the log."
)
@json_option
@quiet_option
@aws_options
def show_failure(**options: Any) -> None:
    """Show what is behind a failure record.

    Shows the error that its batch failed with, from the function's log; its records, read back;
    and for each whether its item has changed since, so that a redrive would be late. ID is that of
    `cdk-streams failures list`. Ends with 1 when not all of its records can be had.
    """
    check_failure_options(options)
    from cdk_streams.cli import _aws  # noqa: PLC0415 - boto3 is imported on use
    from cdk_streams.cli._failures.failure_view import run  # noqa: PLC0415 - the same

    raise SystemExit(run(_aws.aws_of(options), options))


failures.add_command(list_failures)
failures.add_command(show_failure)
