"""One failure record with what is behind it: its error, its records, and what came after them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from cdk_streams.arns import Arn
from cdk_streams.cli._failure_options import unknown_ids
from cdk_streams.cli._failures.failure_lines import as_json, head_lines, moment_text
from cdk_streams.cli._failures.failure_list import found_failures, hold
from cdk_streams.cli._tail.change_lines import change_lines
from cdk_streams.cli._terminal_lines import fitted, printable
from cdk_streams.live import Client
from cdk_streams.redrive import (
    FailureCause,
    FailurePlanner,
    FoundFailure,
    ItemState,
    RedrivePlan,
    find_cause,
    handled_until,
    item_states,
)
from lambda_runtime import parse
from lambda_runtime.errors import StreamRuntimeError

__all__ = ["run"]

_STATES = {
    "latest": "its item has not changed since",
    "newer": "its item has changed since; whether that was handled is unknown",
    "stale": "stale: a newer change of its item was handled since",
    "unknown": "whether its item has changed since is unknown",
}


def run(client: Client, options: Mapping[str, Any]) -> int:
    """Print the failure record; return 1 when not all of its records can be had."""
    found = _found(client, options)
    now = datetime.now(UTC)
    planned = FailurePlanner(client).plan(found)
    plan = planned.plan
    # A message chooses no log and no stream: only a plan says that its function reads its stream.
    cause = None if plan is None else find_cause(client, plan.failure)
    states = {} if plan is None else _states(client, plan, now)
    if options["as_json"]:
        click.echo(json.dumps(_json(planned, cause, states, now, options), indent=2))
    else:
        lines = [*head_lines(found, now), *_lines(planned, cause, states, options)]
        click.echo(fitted("\n".join(lines)))
    return 0 if plan is not None and plan.events and not plan.missing else 1


def _found(client: Client, options: Mapping[str, Any]) -> FoundFailure:
    _, result = found_failures(client, options)
    with hold(client, result):
        for each in result.found:
            if each.id == options["failure_id"]:
                return each
    raise unknown_ids([options["failure_id"]], len(result.found))


def _states(client: Client, plan: RedrivePlan, now: datetime) -> Mapping[str, ItemState]:
    function = Arn.parse(plan.failure.function_arn).name
    return item_states(client, plan, handled_until(client("cloudwatch"), function, now))


def _lines(
    planned: FoundFailure,
    cause: FailureCause | None,
    states: Mapping[str, ItemState],
    options: Mapping[str, Any],
) -> Iterator[str]:
    plan = planned.plan
    if plan is None or cause is None:
        if planned.failure is not None:
            yield f"  {click.style(f'cannot be redriven: {printable(planned.fault)}', fg='red')}"
        return
    if cause.error_type:
        yield f"  failed with {printable(cause.error_type)}, says the log {cause.log_group}"
        if options["show_data"]:
            yield from (f"    {printable(each)}" for each in cause.line.splitlines())
    else:
        yield f"  the error is not in the log {cause.log_group}: {printable(cause.problem)}"
    for record in plan.records:
        yield from _record_lines(record, states, show_data=options["show_data"])
    if plan.missing:
        yield f"  {click.style(f'{plan.missing:,} of its records left the stream', fg='red')}"
    yield f"  to call its function again: {_redrive_command(planned, options)}"


def _record_lines(
    record: Mapping[str, Any], states: Mapping[str, ItemState], *, show_data: bool
) -> Iterator[str]:
    number = record["dynamodb"]["SequenceNumber"]
    yield f"  {record['eventName']:6} {printable(number)}{_written(record)}"
    state = states[number]
    after = ""
    if state.written_at is not None:
        after = f"; next change: {state.newer}, written {moment_text(state.written_at)}"
    color = {"stale": "red", "newer": "yellow"}.get(state.kind)
    text = f"{_STATES[state.kind]}{after}"
    yield f"    {click.style(text, fg=color) if color else text}"
    if show_data:
        yield from (f"    {line}" for line in _data_lines(record))


def _data_lines(record: Mapping[str, Any]) -> Iterator[str]:
    try:
        (change,) = parse({"Records": [record]})
        yield from change_lines(change)
    except StreamRuntimeError:
        yield json.dumps(record["dynamodb"])


def _redrive_command(found: FoundFailure, options: Mapping[str, Any]) -> str:
    """Return the command that calls its function again, with the options that were given here."""
    words = ["cdk-streams", "redrive"]
    for name in ("queue", "stack", "consumer", "profile", "region", "endpoint_url"):
        if options[name] is not None:
            words += [f"--{name.replace('_', '-')}", options[name]]
    return shlex.join([*words, *(["--rejects"] if options["rejects"] else []), "--only", found.id])


def _json(
    planned: FoundFailure,
    cause: FailureCause | None,
    states: Mapping[str, ItemState],
    now: datetime,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    plan = planned.plan
    shown = as_json(planned, now)
    if plan is None or cause is None:
        return {**shown, "problem": planned.fault}
    error: dict[str, Any] = {"type": cause.error_type or None, "log_group": cause.log_group}
    if options["show_data"]:
        error["line"] = cause.line or None
    return {
        **shown,
        "error": error,
        "missing": plan.missing,
        "changes": [
            _change_json(each, states, show_data=options["show_data"]) for each in plan.records
        ],
        "redrive": _redrive_command(planned, options),
    }


def _change_json(
    record: Mapping[str, Any], states: Mapping[str, ItemState], *, show_data: bool
) -> dict[str, Any]:
    number = record["dynamodb"]["SequenceNumber"]
    state = states[number]
    shown: dict[str, Any] = {
        "sequence_number": number,
        "event": record["eventName"],
        "item": state.kind,
        "newer": state.newer or None,
        "newer_written_at": None if state.written_at is None else state.written_at.isoformat(),
    }
    if show_data:
        shown["record"] = record
    return shown


def _written(record: Mapping[str, Any]) -> str:
    try:
        created = record["dynamodb"]["ApproximateCreationDateTime"]
        return f", written {moment_text(datetime.fromtimestamp(created, UTC))}"
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return ""
