"""What `cdk-streams redrive` prints: each failure record, what it names, what is done with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from cdk_streams.redrive._plan import RedrivePlan
from cdk_streams.redrive._queue_messages import FailureMessage
from cdk_streams.redrive._search import Findings, Found
from cdk_streams.redrive._stack_destinations import Elsewhere, Place

__all__ = ["Asked", "say", "show", "show_others", "show_tests"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the command line; of `queue` and `stack` one is given."""

    queue: str | None = None
    stack: str | None = None
    consumer: str | None = None
    yes: bool = False
    limit: int = 100
    incomplete: bool = False
    show_data: bool = False


def say(text: str) -> None:
    """Print lines of text; what a message holds must not control the terminal."""
    click.echo("".join(each if each.isprintable() or each == "\n" else "\ufffd" for each in text))


def show_others(places: Sequence[Place], findings: Findings) -> None:
    """Print what of the stack is not looked at, and what in its queues is not its own."""
    for place in places:
        if isinstance(place, Elsewhere):
            say(f"not looked at: {place.consumer} sends failure records to {place.destination}")
    for queue, count in findings.left_alone.items():
        say(f"left alone in {queue}: {count} of other consumers")


def show_tests(tests: Sequence[FailureMessage], asked: Asked) -> None:
    """Print the test events of S3, which name nothing that failed."""
    for message in tests:
        ending = "it is deleted" if asked.yes else "--yes deletes it"
        say(f"\na test event of S3 in {message.queue_url}, nobody's failure: {ending}")


def show(number: int, found: Found, asked: Asked) -> None:
    """Print one failure record and what is done with it."""
    holder = found.holder
    where = holder.queue_url if isinstance(holder, FailureMessage) else str(holder)
    say(f"\n{number}. in {where}")
    if found.object is not None and found.object is not holder:
        say(f"   names {found.object}")
    if found.plan is None:
        say(f"   stays: {found.fault}")
        return
    plan, batch = found.plan, found.body["DDBStreamBatchInfo"]
    say(f"   {plan.condition}: function {_name(plan)}, table {_table(batch)}")
    say(f"   shard {plan.shard_id}, {_range(batch)}{_source(found, plan)}")
    for record in plan.records:
        change = record["dynamodb"]
        say(f"   {record['eventName']:6} {change['SequenceNumber']}{_written(change)}")
        if asked.show_data:
            say(f"          {json.dumps(change)}")
    say(f"   {_intent(found, plan, asked)}")


def _intent(found: Found, plan: RedrivePlan, asked: Asked) -> str:
    """Return what is done with a failure record, in words."""
    if plan.is_empty:
        return "stays: its records have left the stream, which keeps them for 24 hours"
    many = f"{len(plan.records)} record{'s' * (len(plan.records) != 1)}"
    if not plan.records:
        many = "the state of a tumbling window that ended"
    if not plan.missing:
        return f"calls {_name(plan)} with {many}, then deletes {_deleted(found)}"
    lost = f"{plan.missing} of its records left the stream, which keeps them for 24 hours"
    if asked.incomplete:
        return f"calls {_name(plan)} with {many}, and stays: {lost}"
    return f"stays: {lost}; --incomplete calls {_name(plan)} with {many}"


def _deleted(found: Found) -> str:
    if found.object is None:
        return "the failure record"
    return "the object" if found.object is found.holder else "the message, not the object"


def _source(found: Found, plan: RedrivePlan) -> str:
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
