"""The `cdk-streams` command: one module or folder a subcommand.

What a subcommand needs to do its work (boto3, rich, the simulator) is imported when it runs.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cdk_streams._extras import install_sentence
from cdk_streams._lazy import lazy_names

try:
    import click
except ImportError:  # pragma: no cover - an installation without the extra
    raise SystemExit(install_sentence("the cdk-streams command", "click")) from None

from cdk_streams.cli._backfill import backfill
from cdk_streams.cli._check import check
from cdk_streams.cli._command import CommandError
from cdk_streams.cli._command_group import CommandGroup
from cdk_streams.cli._compare import compare
from cdk_streams.cli._explain import explain
from cdk_streams.cli._failures import failures
from cdk_streams.cli._init import init
from cdk_streams.cli._local import local
from cdk_streams.cli._redrive import redrive
from cdk_streams.cli._simulate import simulate
from cdk_streams.cli._size import size
from cdk_streams.cli._status import status
from cdk_streams.cli._tail import tail

if TYPE_CHECKING:
    from cdk_streams.cli._local.live_view import LiveView, display_name

__all__ = ["LiveView", "display_name", "main"]


_HEADINGS = {
    "Before you deploy": [init, local, check, explain, simulate, size],
    "While it runs": [status, tail, failures, redrive],
    "Data of replicas and views": [backfill, compare],
}


@click.group(
    cls=CommandGroup,
    headings=_HEADINGS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="cdk-streams")
@click.pass_context
def main(context: click.Context) -> None:
    """Check, run, watch and repair what reads the streams of DynamoDB tables."""
    if os.environ.get("NO_COLOR"):
        context.color = False  # Of all subcommands too. rich reads the variable itself.
    # Other libraries bring click and rich, and so an installation that lacks the rest.
    for needed in ("boto3", "rich", "yaml"):
        if find_spec(needed) is None:
            raise CommandError(install_sentence("the cdk-streams command", needed))


# rich is paid for by what shows a run, and not by --help.
if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__, {"cdk_streams.cli._local.live_view": "LiveView display_name"}
    )
