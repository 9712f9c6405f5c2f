"""The command line of `cdk-streams init`."""

from __future__ import annotations

from pathlib import Path

import click

from cdk_streams.cli._command import CommandError, command
from cdk_streams.cli._init.project_files import PROJECT_FILES
from cdk_streams.cli._options import refuse_empty

__all__ = ["init"]

_NEXT = """
cdk-streams local needs the packages of requirements.txt and the cdk command:
  python -m pip install -r requirements.txt
  npm install --global aws-cdk@2

Then, in {folder}:
  pytest                                            tests the handler, without AWS
  cdk-streams local --run "python write_orders.py"  runs the app on a local AWS
  cdk deploy                                        deploys it to your AWS account"""


@command(short_help="Write a new app: a table, a consumer, a test.")
@click.argument("folder", required=False, default=".", callback=refuse_empty)
def init(folder: str) -> None:
    """Write the files of a new app into FOLDER, by default the current one.

    The app has a table of orders and a consumer that is called when one is paid; its handler has a
    test. The folder may hold other files; one that would be overwritten ends the command, before
    anything is written.
    """
    place = Path(folder).resolve()
    if place.exists() and not place.is_dir():
        raise CommandError(f"FOLDER must be a folder, got the file {place}; name another")
    there = [name for name in PROJECT_FILES if (place / name).exists()]
    if there:
        raise CommandError(
            f"{place} must not hold files that init writes, got {', '.join(there)}; "
            "name another folder"
        )
    for name, text in PROJECT_FILES.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    click.echo(f"wrote {', '.join(PROJECT_FILES)}")
    click.echo(_NEXT.format(folder=place))
