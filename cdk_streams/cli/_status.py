"""`cdk-streams status`: how the consumers of a deployed stack are doing, what is wrong first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from cdk_streams.cli._command import command
from cdk_streams.cli._options import aws_options, json_option, refuse_empty
from cdk_streams.cli._printed_numbers import seconds_or_none
from cdk_streams.cli._terminal_lines import fitted

if TYPE_CHECKING:
    from cdk_streams.status import MappingStatus, StackStatus

__all__ = ["status"]

_COMMAND_INDENT = "    "


@command(short_help="Show how the consumers of a deployed stack are doing.")
@click.argument("stack_name", metavar="[STACK]", required=False, callback=refuse_empty)
@click.option("--stack", callback=refuse_empty, help="The deployed stack; the same as STACK.")
@click.option(
    "--consumer",
    callback=refuse_empty,
    help="This consumer only, by its logical id's beginning.",
)
@json_option
@aws_options
def status(stack_name: str | None, **options: Any) -> None:
    """Show each consumer of a deployed stack, what is wrong first, with the command to run next.

    Shows the state and last result of the event source mapping, its highest iterator age of the
    last 15 minutes, the failure records that wait in its queue, and the stack's alarms. Ends with
    1 when something is wrong.
    """
    if (stack_name is None) == (options["stack"] is None):
        raise click.UsageError("name one stack: cdk-streams status STACK")
    from cdk_streams.cli import _aws  # noqa: PLC0415 - boto3 is imported on use
    from cdk_streams.status import stack_status  # noqa: PLC0415 - the same

    found = stack_status(
        _aws.aws_of(options),
        stack=str(stack_name or options["stack"]),
        consumer=options["consumer"],
    )
    if options["as_json"]:
        click.echo(json.dumps(_as_json(found), indent=2))
    else:
        for line in _lines(found):
            # A command is copied: it stays on one line.
            click.echo(line if line.startswith(_COMMAND_INDENT) else fitted(line))
    raise SystemExit(0 if found.is_healthy else 1)


def _lines(found: StackStatus) -> Iterator[str]:
    wrong = sum(bool(each.problems) for each in found.mappings)
    yield f"{found.stack}: {wrong} of {len(found.mappings)} consumers with problems"
    for name in found.alarms:
        yield click.style(f"  ALARM {name}", fg="red")
    for mapping in found.mappings:
        yield ""
        yield from _mapping_lines(mapping)


def _mapping_lines(mapping: MappingStatus) -> Iterator[str]:
    yield click.style(mapping.logical_id, bold=True)
    for problem in mapping.problems:
        yield click.style(f"  {problem.text}", fg="red")
        yield f"{_COMMAND_INDENT}{problem.command}"
    age = "not invoked in 15 min" if mapping.iterator_age is None else _age(mapping.iterator_age)
    queue = "no failure queue"
    if mapping.queue is not None:
        queue = f"failure queue {mapping.queue.name}: {mapping.queue.waiting:,}"
    result = mapping.last_result or "none"
    yield f"  {mapping.table} -> {mapping.function}"
    yield f"  {mapping.state}, last result: {result}, iterator age: {age}, {queue}"


def _age(length: timedelta) -> str:
    return f"{length.total_seconds():,.0f} s"


def _as_json(found: StackStatus) -> dict[str, Any]:
    return {
        "stack": found.stack,
        "healthy": found.is_healthy,
        "alarms": list(found.alarms),
        "mappings": [
            {
                "mapping": each.logical_id,
                "uuid": each.uuid,
                "function": each.function,
                "table": each.table,
                "state": each.state,
                "last_result": each.last_result,
                "iterator_age_s": seconds_or_none(each.iterator_age),
                "queue": None
                if each.queue is None
                else {
                    "name": each.queue.name,
                    "waiting": each.queue.waiting,
                    "oldest_s": seconds_or_none(each.queue.oldest),
                },
                "problems": [asdict(problem) for problem in each.problems],
            }
            for each in found.mappings
        ],
    }
