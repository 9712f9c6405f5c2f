"""The command line of `cdk-streams simulate`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cdk_streams.cli._command import CommandError, command
from cdk_streams.cli._options import json_option, refuse_empty
from cdk_streams.cli._simulate.events_file import made_records, saved_records, sequence_number_at
from cdk_streams.cli._simulate.given_handler import WatchedHandler, failing_at, given_handler
from cdk_streams.cli._simulate.run_result import as_json, as_text, notes_about
from cdk_streams.cli._templates import (
    in_template_words,
    parameter_option,
    read_templates,
    refuse_undeclared,
)

if TYPE_CHECKING:
    from cdk_streams.analysis import RunnableMapping
    from cdk_streams.simulator import Run

__all__ = ["simulate"]


@command(short_help="Run records through Lambda's polling rules, without AWS.")
@click.argument("events", required=False, metavar="[EVENTS]", callback=refuse_empty)
@click.option(
    "--template",
    help="Template whose mapping is run: a file, a folder such as cdk.out, or - for standard "
    "input; left out, the settings that StreamConsumer has as defaults.",
)
@parameter_option
@click.option(
    "--consumer",
    help="With --template: logical id of the mapping or its function, or its beginning; not needed "
    "where there is one mapping.",
)
@click.option(
    "--handler",
    metavar="MODULE:FUNCTION",
    help="The handler as `module:function`, found from the current folder, or "
    "`file.py:function`; left out, every record succeeds.",
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
@json_option
def simulate(events: str | None, **options: Any) -> None:
    """Run stream records through the simulator with the settings of a template.

    EVENTS is a file with an event as Lambda delivers it, a list of its records, or a record on
    each line; - is standard input. Prints the timeline of the run: each invocation with its
    outcome, each retry, each failure record. Ends with 1 when a record was not handled.
    """
    done = _simulated(events, options)
    if options["page"] is not None:
        _write_page(done.run, options["page"])
    click.echo(json.dumps(as_json(*done), indent=2) if options["as_json"] else as_text(*done))
    counts = done.run.counts
    lost = counts.failed + counts.age_exceeded + counts.trimmed + counts.skipped + counts.waiting
    raise SystemExit(1 if lost else 0)


class _Simulated(NamedTuple):
    run: Run
    handler: WatchedHandler
    notes: Sequence[str]


def _simulated(events: str | None, options: Mapping[str, Any]) -> _Simulated:
    from cdk_streams.simulator import simulate as run  # noqa: PLC0415 - not for --help

    if events == options["template"] == "-":
        raise click.UsageError("standard input must be EVENTS or --template, got - for both")
    mapping, place = _mapping(options), options["poison"]
    settings = mapping.settings
    os.environ.update(mapping.environment)  # Before the handler is imported, as on Lambda.
    records = (
        made_records(options["records"], mapping.stream)
        if events is None
        else saved_records(events)
    )
    watched = WatchedHandler(given_handler(options["handler"]))
    poison = None if place is None else sequence_number_at(place, records)
    done = run(
        watched if poison is None else failing_at(poison, watched, settings),
        records,
        settings=settings,
        timeout=mapping.timeout,
        memory_mb=mapping.memory_mb,
        function_name=mapping.function,
    )
    return _Simulated(done, watched, list(notes_about(done, settings, poison, place)))


def _mapping(options: Mapping[str, Any]) -> RunnableMapping:
    from cdk_streams.analysis import RunnableMapping  # noqa: PLC0415 - as above
    from cdk_streams.mapping import MappingSettings, TableStream  # noqa: PLC0415 - as above
    from cdk_streams.mapping.presets import SAFE  # noqa: PLC0415 - as above

    if options["template"] is not None:
        return _of_template(options)
    for name in ("consumer", "parameters"):
        if options[name]:
            raise click.UsageError(f"--{name.removesuffix('s')} needs --template")
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


def _of_template(options: Mapping[str, Any]) -> RunnableMapping:
    from cdk_streams.analysis import RunnableMappings, runnable_mappings  # noqa: PLC0415 - as above
    from cdk_streams.template import read  # noqa: PLC0415 - as above

    templates, parameters = read_templates([options["template"]]), options["parameters"]
    refuse_undeclared(parameters, templates)
    found = [
        runnable_mappings(read(each.values, parameters=each.parameters(parameters)))
        for each in templates
    ]
    return RunnableMappings(
        tuple(mapping for one in found for mapping in one.mappings),
        {name: in_template_words(why) for one in found for name, why in one.left_out.items()},
    ).named(options["consumer"])


def _write_page(run: Run, path: Path) -> None:
    from cdk_streams.simulator import timeline_html  # noqa: PLC0415 - not for --help

    try:
        path.write_text(timeline_html(run), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"the page could not be written: {error}") from None
