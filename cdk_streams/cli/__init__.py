"""The `cdk-streams` command. Each subcommand is imported when it is used."""

from __future__ import annotations

try:
    import click
except ImportError as error:  # pragma: no cover - an installation without the extra
    raise SystemExit("cdk-streams needs its extra: pip install 'cdk-streams[cli]'") from error

from cdk_streams.cli._local import local
from cdk_streams.cli._redrive import redrive

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cdk-streams")
def main() -> None:
    """DynamoDB Streams for the AWS CDK: run consumers locally, bring failures back."""


main.add_command(local)
main.add_command(redrive)
