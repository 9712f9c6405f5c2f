"""The command line of `cdk-streams size`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cdk_streams.cli._command import CommandError, command
from cdk_streams.cli._options import FiniteRange, aws_options, json_option, refuse_empty

if TYPE_CHECKING:
    from cdk_streams.capacity import ConsumerSize, Prices, Proposal, Workload

__all__ = ["size"]

_VIEW_TYPES = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
_PICTURES = (".png", ".svg", ".html")
_SHARE = FiniteRange(0, 0.99)


def _check_plot(
    _context: click.Context, option: click.Parameter, value: Path | None
) -> Path | None:
    """Refuse a file that is no picture's."""
    if value is not None and value.suffix.lower() not in _PICTURES:
        raise click.BadParameter(
            f"it must end with {', '.join(_PICTURES)}, got {str(value)!r}", param=option
        )
    return value


@command(short_help="Find the settings that keep up, at the lowest cost.")
@click.option(
    "--writes-per-second",
    type=FiniteRange(min=0, min_open=True),
    help="Writes a second to the whole table, all the time. One of this, `--csv` and `--table`.",
)
@click.option(
    "--csv",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with a line `minute,writes a second` for each change of the rate; each holds until "
    "the next.",
)
@click.option(
    "--table",
    callback=refuse_empty,
    help="Take the last hours of this table from CloudWatch (ConsumedWriteCapacityUnits), its "
    "shards and what its records carry from DynamoDB.",
)
@click.option(
    "--hours",
    type=FiniteRange(min=0.01, max=168),
    default=24.0,
    show_default=True,
    help="How long a time to look at; a CSV file says its own.",
)
@click.option("--item-bytes", type=int, default=1000, show_default=True, help="Size of an item.")
@click.option(
    "--record-ms",
    type=FiniteRange(min=0),
    required=True,
    help="Milliseconds that an invocation takes for each record.",
)
@click.option(
    "--call-ms",
    type=FiniteRange(min=0),
    default=0.0,
    show_default=True,
    help="Milliseconds that an invocation takes beside its records.",
)
@click.option(
    "--target-lag",
    type=FiniteRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Seconds from a record's write to the end of the invocation that handled it, at most.",
)
@click.option(
    "--shards",
    type=click.IntRange(min=1),
    help="Shards of the stream. Left out: those of `--table`, else as many as the highest rate "
    "needs partitions at least.",
)
@click.option(
    "--view-type",
    type=click.Choice(_VIEW_TYPES),
    default="NEW_AND_OLD_IMAGES",
    show_default=True,
    help="What the records carry.",
)
@click.option(
    "--failure-share",
    type=_SHARE,
    default=0.0,
    show_default=True,
    help="Share of the invocations that fail.",
)
@click.option(
    "--matched-share",
    type=FiniteRange(0.0001, 1),
    default=1.0,
    show_default=True,
    help="Share of the records that the filters let through.",
)
@click.option(
    "--memory-mb",
    type=click.IntRange(128, 10_240),
    help="Memory with which the milliseconds were measured. Left out: that of `--template`, else "
    "the least that holds a batch.",
)
@click.option(
    "--cpu-share",
    type=FiniteRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of the milliseconds that is computing, which more memory shortens.",
)
@click.option(
    "--template",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Template with today's settings, which are shown beside the proposed ones.",
)
@click.option(
    "--consumer",
    callback=refuse_empty,
    help="With `--template`: logical id of the mapping or its function, or its beginning; not "
    "needed where there is one mapping.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    callback=_check_plot,
    help="Draw the lag over the time into this file: `.png`, `.svg` or `.html`. Needs the extra "
    "`plot`.",
)
@click.option(
    "--request-price",
    type=FiniteRange(min=0),
    help="US dollars for a million invocations. Left out: 0.20, us-east-1 on 2026-06-18.",
)
@click.option(
    "--gb-second-price",
    type=FiniteRange(min=0),
    help="US dollars for a GB-second. Left out: 0.0000166667, x86 in us-east-1 on 2026-06-18.",
)
@aws_options
@json_option
def size(**options: Any) -> None:
    """Find the batch size, window, factor, memory, timeout and reserved concurrency that keep up.

    Works out from counts what the consumer does over a day: its lag, invocations and cost. Prints
    the cheapest settings that keep every record's lag under the target, and lines to paste. Ends
    with 1 when nothing keeps up, or when today's settings do not.
    """
    from cdk_streams.capacity import propose  # noqa: PLC0415 - not for --help
    from cdk_streams.cli._size import reports  # noqa: PLC0415 - the same

    today = _today(options["template"], options["consumer"])
    workload = _workload(options, today)
    target, prices = timedelta(seconds=options["target_lag"]), _prices(options)
    proposal = propose(
        workload,
        target,
        current=today,
        memory_mb=options["memory_mb"],
        cpu_share=options["cpu_share"],
        prices=prices,
    )
    if options["plot"] is not None:
        from cdk_streams.cli._size.lag_plot import write_plot  # noqa: PLC0415 - with an extra

        write_plot(options["plot"], workload, proposal)
    if options["as_json"]:
        click.echo(json.dumps(reports.as_json(workload, proposal, prices), indent=2))
    else:
        reports.show(workload, proposal, prices)
    raise SystemExit(_code(proposal))


def _code(proposal: Proposal) -> int:
    behind = proposal.current is not None and not proposal.current.keeps_up(proposal.target_lag)
    return int(proposal.proposed is None or behind)


def _workload(options: dict[str, Any], today: ConsumerSize | None) -> Workload:
    from cdk_streams.capacity import Workload, WriteRate  # noqa: PLC0415 - not for --help
    from cdk_streams.cli._size.history import read_csv, table_history  # noqa: PLC0415 - the same

    given = [name for name in ("writes_per_second", "csv", "table") if options[name] is not None]
    if len(given) != 1:
        names = " and ".join(f"--{name.replace('_', '-')}" for name in given) or "none"
        raise click.UsageError(
            f"the writes must come from one of --writes-per-second, --csv and --table, got {names}"
        )
    shards, view_type = options["shards"], options["view_type"]
    if options["csv"] is not None:
        writes = read_csv(options["csv"])
    elif options["table"] is not None:
        writes, found, view_type = table_history(options)
        shards = shards or found
    else:
        writes = WriteRate.constant(options["writes_per_second"], hours=options["hours"])
    if writes.peak == 0:
        raise CommandError("the writes must have a rate above 0 at some time, got none")
    workload = Workload(
        writes=writes,
        item_bytes=options["item_bytes"],
        record_ms=options["record_ms"],
        call_ms=options["call_ms"],
        shards=shards,
        failure_share=options["failure_share"],
        matched_share=options["matched_share"],
        view_type=view_type,
    )
    if today is not None and today.settings.tumbling_window is not None:
        raise CommandError("a mapping with a tumbling window cannot be sized; simulate it")
    return workload


def _today(template: Path | None, consumer: str | None) -> ConsumerSize | None:
    """Return the size that a template has."""
    from cdk_streams.analysis import runnable_mappings  # noqa: PLC0415 - not for --help
    from cdk_streams.capacity import ConsumerSize  # noqa: PLC0415 - the same
    from cdk_streams.template import read  # noqa: PLC0415 - the same

    if template is None:
        if consumer is not None:
            raise click.UsageError(f"--consumer goes with --template, got {consumer!r} alone")
        return None
    found = runnable_mappings(read(template)).named(consumer)
    return ConsumerSize(
        settings=found.settings,
        memory_mb=found.memory_mb,
        timeout=found.timeout,
        reserved_concurrency=found.reserved_concurrency,
    )


def _prices(options: dict[str, Any]) -> Prices:
    from cdk_streams.capacity import PRICES  # noqa: PLC0415 - not for --help

    given = {
        "per_million_requests": options["request_price"],
        "per_gb_second": options["gb_second_price"],
    }
    given = {name: price for name, price in given.items() if price is not None}
    if not given:
        return PRICES
    return replace(PRICES, **given, region="given", as_of=date.today())  # noqa: DTZ011 - a day
