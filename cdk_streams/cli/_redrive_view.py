"""What `cdk-streams redrive` prints: each failure record, what it names, what is done with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from cdk_streams.cli._options import RedriveOptions
from cdk_streams.redrive import (
    Destination,
    FailureMessage,
    FoundFailure,
    RedrivePlan,
    SearchResult,
    UnsupportedDestination,
)

__all__ = ["echo", "show", "show_skipped", "show_tests"]


def echo(text: str) -> None:
    """Print lines of text; what a message holds must not control the terminal."""
    click.echo("".join(each if each.isprintable() or each == "\n" else "\ufffd" for each in text))


def show_skipped(destinations: Sequence[Destination], result: SearchResult) -> None:
    """Print what of the stack is not looked at, and what in its queues is not its own."""
    for destination in destinations:
        if isinstance(destination, UnsupportedDestination):
            echo(f"unsupported destination: {destination.consumer} -> {destination.arn}")
    for queue, count in result.skipped.items():
        echo(f"skipped in {queue}: {count} of other consumers")


def show_tests(tests: Sequence[FailureMessage], options: RedriveOptions) -> None:
    """Print the test events of S3, which name nothing that failed."""
    for message in tests:
        ending = "it is deleted" if options.yes else "--yes deletes it"
        echo(f"\na test event of S3 in {message.queue_url}, nobody's failure: {ending}")


def show(number: int, found: FoundFailure, options: RedriveOptions) -> None:
    """Print one failure record and what is done with it."""
    holder = found.holder
    where = holder.queue_url if isinstance(holder, FailureMessage) else str(holder)
    echo(f"\n{number}. in {where}")
    if found.object is not None and found.object is not holder:
        echo(f"   names {found.object}")
    if found.plan is None:
        echo(f"   kept: {found.fault}")
        return
    plan, batch = found.plan, found.body["DDBStreamBatchInfo"]
    echo(f"   {plan.condition}: function {_name(plan)}, table {_table(batch)}")
    echo(f"   shard {plan.shard_id}, {_range(batch)}{_source(found, plan)}")
    for record in plan.records:
        change = record["dynamodb"]
        echo(f"   {record['eventName']:6} {change['SequenceNumber']}{_written(change)}")
        if options.show_data:
            echo(f"          {json.dumps(change)}")
    echo(f"   {_intent(found, plan, options)}")


def _intent(found: FoundFailure, plan: RedrivePlan, options: RedriveOptions) -> str:
    """Return what is done with a failure record, in words."""
    if plan.is_empty:
        return "kept: its records have left the stream, which keeps them for 24 hours"
    many = f"{len(plan.records)} record{'s' * (len(plan.records) != 1)}"
    if not plan.records:
        many = "the state of a tumbling window that ended"
    if not plan.missing:
        return f"calls {_name(plan)} with {many}, then deletes {_deleted(found)}"
    lost = f"{plan.missing} of its records left the stream, which keeps them for 24 hours"
    if options.incomplete:
        return f"calls {_name(plan)} with {many}, and kept: {lost}"
    return f"kept: {lost}; --incomplete calls {_name(plan)} with {many}"


def _deleted(found: FoundFailure) -> str:
    if found.object is None:
        return "the failure record"
    return "the object" if found.object is found.holder else "the message, not the object"


def _source(found: FoundFailure, plan: RedrivePlan) -> str:
    if found.object is not None:
        return f"{len(plan.records)} in the object"
    return f"{len(plan.records)} read back, {plan.missing} missing"


def _range(batch: Mapping[str, Any]) -> str:
    """Return the range of sequence numbers; the last call of a window has none."""
    if "startSequenceNumber" not in batch:
        return ""
    return f"{batch['startSequenceNumber']} to {batch['endSequenceNumber']}, "


def _name(plan: RedrivePlan) -> str:
    """Return the function's name with its version or alias: `audit` of `arn:…:function:audit`."""
    return plan.function_arn.split(":function:")[-1]


def _table(batch: Mapping[str, Any]) -> str:
    return str(batch["streamArn"]).split(":table/")[-1].split("/")[0]


def _written(change: Mapping[str, Any]) -> str:
    """Return when a record was written; nothing for a time that is none."""
    try:
        written = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return ""
    return f" written {written:%Y-%m-%d %H:%M:%S} UTC"
