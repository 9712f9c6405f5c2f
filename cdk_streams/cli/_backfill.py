"""`cdk-streams backfill`: what a table already holds, written to the target of its replica."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cdk_streams.cli._command import command
from cdk_streams.cli._options import FiniteRange, json_option, quiet_option
from cdk_streams.cli._progress_bar import progress_bar
from cdk_streams.cli._two_tables import (
    both_sides,
    client_of,
    load_transform_file,
    load_view_file,
    table_options,
)

if TYPE_CHECKING:
    from cdk_streams.data import BackfillResult, ExportFiles, Side
    from lambda_runtime.replication import Counts

__all__ = ["backfill"]

_SHOWN_FAILURES = 20
_REPLICA_ONLY = ("transform", "version-attribute", "export")


@command(short_help="Write what a table holds to the target of its replica.")
@table_options
@click.option("--marks", help="The view's table of marks; goes with --view.")
@click.option(
    "--export",
    "export",
    help="Read a point-in-time export (full, DynamoDB JSON) instead of the table, without its read "
    "capacity: s3://bucket/prefix or a folder.",
)
@click.option(
    "--version-attribute",
    help="The version attribute, when the tables replicate each other (LastWriterWins).",
)
@click.option(
    "--segments",
    type=click.IntRange(1, 1_000),
    default=8,
    show_default=True,
    help="Segments of the scan, or data files of the export, that are written at a time.",
)
@click.option(
    "--rate",
    type=FiniteRange(min=0, min_open=True),
    show_default="no limit",
    help="Items a second, at most.",
)
@click.option(
    "--progress",
    type=click.Path(dir_okay=False, path_type=Path),
    show_default="SOURCE-TARGET.backfill",
    help="File in which progress is kept until the backfill has ended; the same command goes on "
    "from there.",
)
@click.option("--yes", is_flag=True, help="Write the items; without it the plan is shown only.")
@json_option
@quiet_option
def backfill(**options: Any) -> None:
    """Write what the table SOURCE holds to TARGET, under the guard of its TableReplica.

    With --view and --marks, under that of its TableView. Start the replica or view first: what
    changes while this reads comes through the stream, and neither brings back what is older.
    Shows a plan; with --yes it writes. A backfill that was interrupted goes on when the same
    command is run again. Ends with 1 when items could not be written.
    """
    if (options["view"] is None) != (options["marks"] is None):
        raise click.UsageError("--view and --marks need each other")
    replica_only = [name for name in _REPLICA_ONLY if options[name.replace("-", "_")] is not None]
    if options["view"] is not None and replica_only:
        raise click.UsageError(f"--{replica_only[0]} is for replicas, it does not go with --view")
    raise SystemExit(_backfill(options))


def _backfill(options: dict[str, Any]) -> int:
    from cdk_streams.data import open_export  # noqa: PLC0415 - not for --help

    # Before anything is asked of AWS: what a file of the user's lacks is known at once.
    load_transform_file(options["transform"])
    load_view_file(options["view"])
    source, target = both_sides(options)
    export: ExportFiles | None = None
    if options["export"] is not None:
        place = (options["profile"], options["region"], options["endpoint_url"])
        export = open_export(options["export"], lambda: client_of("s3", *place))
    count = source.item_count if export is None else export.item_count
    file = options["progress"] or Path(f"{source.table}-{target.table}.backfill".replace("/", "_"))
    # With --json standard output holds the object and nothing else.
    aside = options["as_json"]
    plan = _plan(source, target, export, count, options)
    click.echo("\n".join(plan), err=aside)
    if not options["yes"]:
        click.echo("\nnothing was written; --yes carries this out", err=aside)
        if aside:
            click.echo(_as_json(source, target, count, None))
        return 0
    if file.exists():
        click.echo(f"goes on with {file}", err=aside)
    with progress_bar(count, "items", quiet=options["quiet"]) as advance:
        result = _run(
            (source, target),
            export,
            lambda counts: advance(counts.read),
            {**options, "progress": file},
        )
    click.echo(_as_json(source, target, count, result) if aside else _text(result))
    return 1 if result.counts.failures else 0


def _run(
    sides: tuple[Side, Side],
    export: ExportFiles | None,
    observe: Callable[[Counts], None],
    options: dict[str, Any],
) -> BackfillResult:
    from cdk_streams import data  # noqa: PLC0415 - not for --help

    more: dict[str, Any] = {
        "rate": data.RateLimit(options["rate"]),
        "progress_file": options["progress"],
        "observe": observe,
    }
    if options["view"] is not None:
        view = load_view_file(options["view"])
        more |= {"view": view, "marks": options["marks"], "segments": options["segments"]}
        return data.backfill_view(*sides, **more)
    more["transform"] = load_transform_file(options["transform"])
    more["version"] = options["version_attribute"]
    if export is not None:
        return data.backfill_export(export, *sides, workers=options["segments"], **more)
    return data.backfill(*sides, segments=options["segments"], **more)


def _plan(
    source: Side, target: Side, export: ExportFiles | None, count: int, options: dict[str, Any]
) -> Iterator[str]:
    where = f"{source.table} in {options['segments']} segments"
    costs = "the scan reads every item once"
    if export is not None:
        where, costs = f"{len(export.files)} files of {export.name}", "no read capacity is used"
    yield f"reads   {where}, about {count:,} items; {costs}"
    yield f"writes  {target.table}, about {target.item_count:,} items now; what is newer stays"
    if options["transform"] or options["view"]:
        yield f"through {options['transform'] or options['view']}"
    if options["rate"]:
        yield f"at most {options['rate']:,.0f} items a second: {count / options['rate']:,.0f} s"


def _text(result: BackfillResult) -> str:
    counts = result.counts
    resumed = f", {result.resumed:,} of them in earlier runs" if result.resumed else ""
    lines = [
        (
            f"{counts.read:,} items read{resumed}, {counts.written:,} written, "
            f"{counts.superseded:,} there already or newer, {len(counts.failures):,} not written"
        ),
        *(f"  {failure}" for failure in counts.failures[:_SHOWN_FAILURES]),
    ]
    if len(counts.failures) > _SHOWN_FAILURES:
        lines.append(f"  and {len(counts.failures) - _SHOWN_FAILURES:,} more")
    return "\n".join(lines)


def _as_json(source: Side, target: Side, count: int, result: BackfillResult | None) -> str:
    """Return the result; None is a backfill that was only planned."""
    planned = {"source": source.table, "target": target.table, "items": count}
    if result is None:
        return json.dumps({**planned, "carriedOut": False}, ensure_ascii=False)
    counts = result.counts
    return json.dumps(
        {
            **planned,
            "carriedOut": True,
            "read": counts.read,
            "resumed": result.resumed,
            "written": counts.written,
            "superseded": counts.superseded,
            "failures": list(counts.failures),
        },
        ensure_ascii=False,
    )
