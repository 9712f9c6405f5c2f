"""What `cdk-streams redrive` prints: each failure record, what it names, what is done with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from cdk_streams.arns import Arn
from cdk_streams.cli._redrive.redrive_options import RedriveOptions
from cdk_streams.redrive import (
    Destination,
    FailureMessage,
    FailureRecord,
    FoundFailure,
    RedrivePlan,
    SearchResult,
    UnsupportedDestination,
)

__all__ = ["echo", "function_name", "question", "show", "show_skipped", "show_tests"]


def echo(text: str) -> None:
    """Print text below as many empty lines as it begins with.

    What a message holds must not control the terminal, nor look like a line of the plan.
    """
    body = text.lstrip("\n")
    click.echo("\n" * (len(text) - len(body)) + "".join(map(_shown, body)))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character in "\n\r\t" else "\ufffd"


def show_skipped(destinations: Sequence[Destination], result: SearchResult) -> None:
    """Print what of the stack is not looked at, and what in its queues is not its own."""
    for destination in destinations:
        if isinstance(destination, UnsupportedDestination):
            echo(f"unsupported destination: {destination.consumer} -> {destination.arn}")
    for queue, count in result.skipped.items():
        if count:
            echo(f"skipped in {queue}: {count} of other consumers")


def show_tests(tests: Sequence[FailureMessage], options: RedriveOptions) -> None:
    """Print the test events of S3, which name nothing that failed."""
    for message in tests:
        ending = "it is deleted" if options.yes else "--yes deletes it"
        echo(f"\na test event of S3 in {message.queue_url}, no failure record: {ending}")


def show(number: int, found: FoundFailure, options: RedriveOptions) -> None:
    """Print one failure record and what is done with it."""
    holder, *again = found.holders
    where = holder.queue_url if isinstance(holder, FailureMessage) else str(holder)
    echo(f"\n{number}. in {where}{f', {len(again) + 1} times' if again else ''}")
    if found.object is not None and found.object is not holder:
        echo(f"   names {found.object}")
    if found.plan is None:
        echo(f"   ID {found.id}, kept: {found.fault}")
        return
    plan, failure = found.plan, found.plan.failure
    table = Arn.parse(failure.stream_arn).name
    echo(f"   ID {found.id}, {failure.condition}: function {function_name(plan)}, table {table}")
    echo(f"   shard {failure.shard_id}, {_range(failure)}{_source(found, plan)}")
    for record in plan.records:
        change = record["dynamodb"]
        echo(f"   {record['eventName']:6} {change['SequenceNumber']}{_written(change)}")
        if options.show_data:
            echo(f"          {json.dumps(change)}")
    echo(f"   {_intent(found, plan, options)}")


def function_name(plan: RedrivePlan) -> str:
    """Return the function's name with its version or alias: `audit` of `arn:…:function:audit`."""
    return plan.failure.function_arn.split(":function:")[-1]


def question(called: Mapping[str, int]) -> str:
    """Return what the user of a terminal is asked: `Call audit with 3 records?`."""
    parts = [f"{name} with {_many(count)}" for name, count in called.items()]
    return f"\nCall {' and '.join(filter(None, [', '.join(parts[:-1]), parts[-1]]))}?"


def _many(count: int) -> str:
    return f"{count:,} record{'s' * (count != 1)}"


def _intent(found: FoundFailure, plan: RedrivePlan, options: RedriveOptions) -> str:
    """Return what is done with a failure record, in words."""
    if not plan.events:
        return "kept: its records have left the stream, which keeps them for 24 hours"
    many = _many(len(plan.records))
    if not plan.records:
        many = "the state of a tumbling window that ended"
    if plan.has_others:
        many += " (other lanes' among them)"
    if len(plan.events) > 1:
        many += f", in {len(plan.events)} calls"
    if not plan.missing:
        return f"calls {function_name(plan)} with {many}, then deletes {_deleted(found)}"
    lost = f"{plan.missing} of its records left the stream, which keeps them for 24 hours"
    if options.incomplete:
        return f"calls {function_name(plan)} with {many}, and kept: {lost}"
    return f"kept: {lost}; --incomplete calls {function_name(plan)} with {many}"


def _deleted(found: FoundFailure) -> str:
    if found.object is None:
        return "the failure record"
    return "the object" if found.object in found.holders else "the message, not the object"


def _source(found: FoundFailure, plan: RedrivePlan) -> str:
    if found.object is not None:
        return f"{len(plan.records)} in the object"
    if plan.failure.payload is not None:
        return f"{len(plan.records)} in the message"
    return f"{len(plan.records)} read back, {plan.missing} missing"


def _range(failure: FailureRecord) -> str:
    """Return the range of sequence numbers; the last call of a window has none."""
    return "" if failure.first is None else f"{failure.first} to {failure.last}, "


def _written(change: Mapping[str, Any]) -> str:
    """Return when a record was written; nothing for a time that is none."""
    try:
        written = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return ""
    return f" written {written:%Y-%m-%d %H:%M:%S} UTC"
