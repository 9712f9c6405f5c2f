"""`cdk-streams simulate`: saved or made records through the simulator of Lambda's poller."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cdk_streams.cli._command import CommandError, command
from cdk_streams.errors import SourceError

if TYPE_CHECKING:
    from cdk_streams.analysis import RunnableMapping
    from cdk_streams.simulator import Run

__all__ = ["simulate"]

_SHOWN_LINES: Final = 200

Record = dict[str, Any]
Handler = Callable[[Any, Any], Any]


@command(short_help="Run records through Lambda's polling rules, without AWS.")
@click.argument("events", required=False, metavar="[EVENTS]")
@click.option(
    "--template",
    help="Template whose mapping is run; left out, the settings that StreamConsumer has as "
    "defaults.",
)
@click.option(
    "--consumer",
    help="With --template: logical id of the mapping or its function, or its beginning; not needed "
    "where there is one mapping.",
)
@click.option(
    "--handler",
    metavar="MODULE:FUNCTION",
    help="The handler as `module:function`, found from the current folder; left out, every record "
    "succeeds.",
)
@click.option(
    "--poison",
    type=click.IntRange(min=1),
    metavar="N",
    help="The record at this place fails whenever it is handled: it is named in a partial batch "
    "response where the mapping reads one, else an exception is raised.",
)
@click.option(
    "--records",
    type=click.IntRange(min=1, max=1_000_000),
    default=10,
    show_default=True,
    help="Without EVENTS: how many inserts to make.",
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the timeline as an HTML page, too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def simulate(events: str | None, **options: Any) -> None:
    """Run stream records through the simulator with the settings of a template.

    EVENTS is a file with an event as Lambda delivers it, a list of its records, or a record on
    each line; - is standard input. Prints the timeline of the run: each invocation with its
    outcome, each retry, each failure record. Ends with 1 when a record was not handled.
    """
    run = _run(events, options)
    if options["page"] is not None:
        _write_page(run, options["page"])
    click.echo(json.dumps(_as_json(run), indent=2) if options["as_json"] else _text(run))
    counts = run.counts
    lost = counts.failed + counts.expired + counts.trimmed + counts.skipped + counts.waiting
    raise SystemExit(1 if lost else 0)


def _run(events: str | None, options: Mapping[str, Any]) -> Run:
    from cdk_streams.simulator import simulate as run  # noqa: PLC0415 - not for --help

    mapping = _mapping(options)
    os.environ.update(mapping.environment)  # Before the handler is imported, as on Lambda.
    made = _made(options["records"], mapping) if events is None else _saved(events)
    handler = _handler(options["handler"])
    if options["poison"] is not None:
        handler = _failing_at(options["poison"], made, handler, mapping)
    return run(
        handler,
        made,
        settings=mapping.settings,
        timeout=mapping.timeout,
        memory_mb=mapping.memory_mb,
        function_name=mapping.function,
    )


def _mapping(options: Mapping[str, Any]) -> RunnableMapping:
    from cdk_streams.analysis import RunnableMapping, runnable_mappings  # noqa: PLC0415 - as above
    from cdk_streams.mapping import MappingSettings, TableStream  # noqa: PLC0415 - as above
    from cdk_streams.mapping.presets import SAFE  # noqa: PLC0415 - as above
    from cdk_streams.template import read  # noqa: PLC0415 - as above

    if options["template"] is not None:
        return runnable_mappings(read(Path(options["template"]))).named(options["consumer"])
    if options["consumer"] is not None:
        raise click.UsageError("--consumer needs --template")
    stream = TableStream()
    return RunnableMapping(
        logical_id="Mapping",
        place="",
        function="function",
        settings=MappingSettings(
            **SAFE, on_failure=f"arn:aws:sqs:{stream.region}:{stream.account}:on-failure"
        ),
        stream=stream,
        environment={},
    )


def _made(count: int, mapping: RunnableMapping) -> list[Record]:
    """Make so many inserts, each of an item of its own, written at one moment."""
    from cdk_streams.simulator import in_order, insert  # noqa: PLC0415 - not for --help

    stream = mapping.stream
    return in_order(
        *(
            insert(dict.fromkeys(stream.keys, f"item-{number}"), stream=stream)
            for number in range(1, count + 1)
        )
    )


def _saved(name: str) -> list[Record]:
    """Read records from a file, and put those of one shard into the order of the stream."""
    path, name = name, "standard input" if name == "-" else name
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SourceError(f"{name} must be a file of stream records, got {error}") from None
    try:
        loaded = json.loads(text)
    except RecursionError:
        raise SourceError(f"{name} is nested too deeply to hold stream records") from None
    except ValueError:
        loaded = _lines(text, name)
    if isinstance(loaded, Mapping):
        loaded = loaded.get("Records", [loaded])
    records = loaded if isinstance(loaded, list) else []
    if not records or not all(map(_is_record, records)):
        raise SourceError(
            f"{name} must hold stream records: an event with Records, a list, or one on each line, "
            "each with dynamodb.SequenceNumber"
        )
    return sorted(records, key=lambda each: int(each["dynamodb"]["SequenceNumber"]))


def _lines(text: str, name: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{name} must be JSON, or JSON on each line, got {error}") from None


def _is_record(record: Any) -> bool:
    change = record.get("dynamodb") if isinstance(record, Mapping) else None
    number = change.get("SequenceNumber") if isinstance(change, Mapping) else None
    return isinstance(number, str) and number.isdecimal() and number.isascii()


def _handler(name: str | None) -> Handler:
    if name is None:
        return lambda _event, _context: {"batchItemFailures": []}
    module, colon, function = name.partition(":")
    if not (module and colon and function):
        raise click.UsageError(f"--handler must be module:function, got {name!r}")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = getattr(import_module(module), function)
    except Exception as error:  # noqa: BLE001 - whatever the module raises is its author's to see
        shown = f"{type(error).__name__}: {error}"
        raise SourceError(f"the handler {name} could not be imported: {shown}") from None
    return found  # type: ignore[no-any-return] # simulate() refuses what is no function


def _failing_at(
    place: int, records: Sequence[Record], handler: Handler, mapping: RunnableMapping
) -> Handler:
    """Let one record fail as a handler would: named in a partial response, or by an exception."""
    if place > len(records):
        raise click.UsageError(f"--poison must be 1 to {len(records):,}, got {place:,}")
    number = records[place - 1]["dynamodb"]["SequenceNumber"]

    def failing(event: Any, context: Any) -> Any:
        if all(each["dynamodb"]["SequenceNumber"] != number for each in event["Records"]):
            return handler(event, context)
        if mapping.settings.report_batch_item_failures:
            return {"batchItemFailures": [{"itemIdentifier": number}]}
        raise ValueError(f"record {place} fails")

    return failing


def _text(run: Run) -> str:
    from cdk_streams.simulator import timeline  # noqa: PLC0415 - not for --help

    lines = timeline(run).splitlines()
    more = len(lines) - _SHOWN_LINES
    if more > 0:
        lines = [*lines[:_SHOWN_LINES], f"… {more:,} more lines; --page FILE has all of them"]
    counts = run.counts
    fates = ("handled", "filtered", "failed", "expired", "trimmed", "skipped", "waiting")
    shown = ", ".join(f"{n:,} {name}" for name in fates if (n := getattr(counts, name)))
    lost = len(run.failures.lost)
    return "\n".join(
        [
            *lines,
            "",
            f"records: {shown or 'none'}",
            f"invocations: {len(run.invocations):,} in {run.took}",
            f"failure records: {len(run.failures.delivered):,} delivered, {lost:,} lost",
        ]
    )


def _as_json(run: Run) -> dict[str, Any]:
    return {
        "records": {name: getattr(run.counts, name) for name in type(run.counts).__slots__},
        "invocations": [
            {
                "at_s": each.at.total_seconds(),
                "took_s": each.took.total_seconds(),
                "shardId": each.shard_id,
                "attempt": each.attempt,
                "outcome": each.outcome,
                "sequenceNumbers": list(each.sequence_numbers),
                "error": None if each.error is None else type(each.error).__name__,
            }
            for each in run.invocations
        ],
        "failures": {"delivered": run.failures.delivered, "lost": run.failures.lost},
        "checkpoints": dict(run.checkpoints),
        "metrics": dict(run.metrics),
        "took_s": run.took.total_seconds(),
    }


def _write_page(run: Run, path: Path) -> None:
    from cdk_streams.simulator import timeline_html  # noqa: PLC0415 - not for --help

    try:
        path.write_text(timeline_html(run), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"the page could not be written: {error}") from None
