"""`cdk-streams compare`: whether a replica holds what its source says, and its repair."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cdk_streams.cli._command import command
from cdk_streams.cli._options import FiniteRange, json_option, quiet_option
from cdk_streams.cli._progress_bar import progress_bar
from cdk_streams.cli._two_tables import (
    both_sides,
    load_transform_file,
    load_view_file,
    table_options,
)

if TYPE_CHECKING:
    from cdk_streams.data import Comparison, Difference

__all__ = ["compare"]

_SHOWN = 100


@command(short_help="Compare a table with its replica, item by item.")
@table_options
@click.option(
    "--segments",
    type=click.IntRange(1, 1_000),
    default=4,
    show_default=True,
    help="Segments of each side that are scanned at a time.",
)
@click.option(
    "--lag",
    type=FiniteRange(min=0),
    default=10,
    show_default=True,
    help="Seconds to wait before items that differ are looked at again, up to three times.",
)
@click.option("--repair", is_flag=True, help="Show what would make TARGET equal to SOURCE.")
@click.option(
    "--yes",
    is_flag=True,
    help="With --repair: write it, each item only if it is still as it was found.",
)
@json_option
@quiet_option
def compare(**options: Any) -> None:
    """Compare the replica TARGET with its SOURCE; with --view, a view with a recomputation.

    Reads both sides in parallel and names each item that is missing, different or extra, with
    what differs. Ends with 1 when they differ, with 0 when they are equal or were repaired.
    """
    if options["yes"] and not options["repair"]:
        raise click.UsageError("--yes needs --repair")
    if options["view"] is not None and (options["repair"] or options["transform"]):
        raise click.UsageError(
            "--view takes neither --repair nor --transform: a view is repaired by a backfill"
        )
    raise SystemExit(_compare(options))


def _compare(options: dict[str, Any]) -> int:
    from cdk_streams import data  # noqa: PLC0415 - not for --help

    transform = load_transform_file(options["transform"])
    view = load_view_file(options["view"])
    source, target = both_sides(options)
    more: dict[str, Any] = {"segments": options["segments"], "lag_s": options["lag"]}
    count = source.item_count + target.item_count
    with progress_bar(count, "items", quiet=options["quiet"]) as more["observe"]:
        if view is None:
            result = data.compare(source, target, transform=transform, **more)
        else:
            result = data.compare_view(source, target, view=view, **more)
    if options["as_json"]:
        click.echo(json.dumps(_as_json(result), ensure_ascii=False, default=str))
    else:
        _show(result)
    if not options["repair"] or not result.differences:
        return 0 if result.is_equal else 1
    if not options["yes"]:
        _show_plan(result.differences, quiet=options["as_json"])
        return 1
    repaired = data.repair(target, result.differences, transform=transform)
    click.echo(
        f"repaired: {repaired.written:,} written, {repaired.removed:,} removed, "
        f"{repaired.changed:,} changed meanwhile and left alone",
        err=options["as_json"],
    )
    return 1 if repaired.changed or result.faults or result.is_truncated else 0


def _show(result: Comparison) -> None:
    click.echo(
        f"{result.source_items:,} items in the source, {result.target_items:,} in the target"
    )
    for each in result.differences[:_SHOWN]:
        click.echo(f"{each.kind:<9} {_shown(each.key)}")
        for name, (expected, found) in each.attributes.items():
            click.echo(f"          {name}: expected {_shown(expected)}, found {_shown(found)}")
    if len(result.differences) > _SHOWN:
        click.echo(f"and {len(result.differences) - _SHOWN:,} more")
    for fault in result.faults[:_SHOWN]:
        click.echo(f"refused   {fault}")
    if result.is_truncated:
        click.echo("more items differ than are listed; the comparison stopped there")
    count = len(result.differences)
    click.echo("equal" if result.is_equal else f"{count:,} items differ")


def _show_plan(differences: Sequence[Difference], *, quiet: bool) -> None:
    puts = sum(each.expected is not None for each in differences)
    click.echo(
        f"\nwould write {puts:,} items and remove {len(differences) - puts:,}, each only if it is "
        "still as it was found\nnothing was written; --yes carries this out",
        err=quiet,
    )


def _as_json(result: Comparison) -> dict[str, Any]:
    return {
        "equal": result.is_equal,
        "sourceItems": result.source_items,
        "targetItems": result.target_items,
        "truncated": result.is_truncated,
        "refused": list(result.faults),
        "differences": [
            {
                "kind": each.kind,
                "key": each.key,
                "attributes": {
                    name: {"expected": expected, "found": found}
                    for name, (expected, found) in each.attributes.items()
                },
            }
            for each in result.differences
        ],
    }


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
