"""One redrive: all failure records are gathered and shown, then called one after the other."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.errors import StreamsError
from cdk_streams.mapping import MappingSettings
from cdk_streams.operations.deployment import Client
from cdk_streams.operations.failed_calls import (
    CALL_LIMIT_S,
    FailureQueue,
    calling,
    failure_queues,
    queue_url,
    reader,
    settings_behind,
)
from cdk_streams.operations.redrive import (
    FailureMessage,
    RedrivePlan,
    carry_out,
    discard,
    plan_redrive,
    read_failures,
)

__all__ = ["Asked", "aws", "hold"]

_FAULTS = (StreamsError, ClientError, BotoCoreError)
# A message that comes back while the queue is read means that the queue was read once.
_MOST_REPEATED = 10


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


@dataclass(frozen=True, slots=True)
class _Found:
    """A failure record with its plan, or with the reason why there is none."""

    queue: str
    failure: FailureMessage
    plan: RedrivePlan | None
    fault: str = ""


def aws(profile: str | None, region: str | None, endpoint_url: str | None) -> Client:
    """Return the maker of clients; None is what boto3 finds by itself."""
    session: Any = boto3.Session(profile_name=profile, region_name=region)
    # A call that took long must not be made a second time by the client.
    once = Config(read_timeout=CALL_LIMIT_S, tcp_keepalive=True, retries={"total_max_attempts": 1})

    def client(service: str) -> Any:
        config = once if service == "lambda" else None
        return session.client(service, endpoint_url=endpoint_url, config=config)

    return client


def hold(connect: Callable[[], Client], asked: Asked) -> int:
    """Show the plan and, when asked to, carry it out; return the exit code."""
    try:
        client = connect()
        return _redrive(client, asked)
    except _FAULTS as error:
        raise click.ClickException(str(error)) from error


def _redrive(client: Client, asked: Asked) -> int:
    sqs = client("sqs")
    if asked.queue is not None:
        queues: tuple[FailureQueue, ...] = (FailureQueue(queue_url(sqs, asked.queue)),)
    else:
        queues = failure_queues(client, stack=str(asked.stack), consumer=asked.consumer)
    found = sorted(_found(client, queues, asked.limit), key=_place)
    if not found:
        click.echo("there is no failure record to redrive")
    kept = list(found)
    try:
        for number, each in enumerate(found, 1):
            _show(number, each, asked)
        for number, each in enumerate(found, 1) if asked.yes else ():
            if _carried_out(client, number, each, asked):
                kept.remove(each)
    finally:
        # Hidden until their time is up, they would be missing from the next look.
        for each in kept:
            _give_back(sqs, each.queue, each.failure)
    if asked.yes:
        return 1 if kept else 0
    if found:
        click.echo("\nnothing was called or deleted; --yes carries this out")
    return 0 if all(_is_whole(each.plan) for each in found) else 1


def _found(client: Client, queues: tuple[FailureQueue, ...], limit: int) -> Iterator[_Found]:
    """Yield at most `limit` failure records with their plans."""
    sqs, streams = client("sqs"), client("dynamodbstreams")
    settings = cache(partial(settings_behind, client("lambda")))
    for queue in queues:
        for failure in _gathered(sqs, queue, limit):
            limit -= 1
            try:
                # What is no failure record is told by the plan.
                known = settings(*who) if all(who := reader(failure.body)) else MappingSettings()
                yield _Found(queue.url, failure, plan_redrive(failure.body, streams, known))
            except _FAULTS as error:
                yield _Found(queue.url, failure, None, str(error))


def _gathered(sqs: Any, queue: FailureQueue, limit: int) -> list[FailureMessage]:
    """Return at most `limit` failure records of the queue, each once, with its last receipt."""
    taken: dict[str, FailureMessage] = {}
    others: dict[str, FailureMessage] = {}
    repeated = 0
    for failure in read_failures(sqs, queue.url) if limit else ():
        found = taken if queue.takes(failure.body) else others
        key = json.dumps(failure.body, sort_keys=True) if failure.body else failure.receipt
        repeated = repeated + 1 if key in found else 0
        found[key] = failure
        if len(taken) == limit or repeated == _MOST_REPEATED:
            break
    for failure in others.values():
        _give_back(sqs, queue.url, failure)
    if others:
        click.echo(f"left alone in {queue.url}: {len(others)} of other consumers")
    return list(taken.values())


def _is_whole(plan: RedrivePlan | None) -> bool:
    return plan is not None and bool(plan.records) and not plan.missing


def _place(found: _Found) -> tuple[str, str, int]:
    """Return what sorts failure records as their records were written, a shard at a time."""
    if found.plan is None:
        return "", "", 0
    batch = found.failure.body["DDBStreamBatchInfo"]
    return batch["streamArn"], batch["shardId"], int(batch["startSequenceNumber"])


def _show(number: int, found: _Found, asked: Asked) -> None:
    click.echo(f"\n{number}. in {found.queue}")
    if found.plan is None:
        click.echo(f"   stays: {found.fault}")
        return
    plan, batch = found.plan, found.failure.body["DDBStreamBatchInfo"]
    click.echo(f"   {plan.condition}: function {_name(plan)}, table {_table(batch)}")
    numbers = f"{batch['startSequenceNumber']} to {batch['endSequenceNumber']}"
    read = f"{len(plan.records)} read back, {plan.missing} missing"
    click.echo(f"   shard {plan.shard_id}, {numbers}, {read}")
    for record in plan.records:
        change = record["dynamodb"]
        click.echo(f"   {record['eventName']:6} {change['SequenceNumber']}{_written(change)}")
        if asked.show_data:
            click.echo(f"          {json.dumps(change)}")
    click.echo(f"   {_intent(plan, asked)}")


def _intent(plan: RedrivePlan, asked: Asked) -> str:
    """Return what is done with a failure record, in words."""
    if not plan.records:
        return "stays: its records have left the stream, which keeps them for 24 hours"
    many = f"{len(plan.records)} record{'s' * (len(plan.records) > 1)}"
    if not plan.missing:
        return f"calls {_name(plan)} with {many}, then deletes the failure record"
    lost = f"{plan.missing} of its records left the stream, which keeps them for 24 hours"
    if asked.incomplete:
        return f"calls {_name(plan)} with {many}, and stays: {lost}"
    return f"stays: {lost}; --incomplete calls {_name(plan)} with {many}"


def _carried_out(client: Client, number: int, found: _Found, asked: Asked) -> bool:
    """Call the function when that is planned; tell whether the failure record is dealt with."""
    plan = found.plan
    if plan is None or not plan.records or (plan.missing and not asked.incomplete):
        return False
    try:
        outcome = carry_out(plan, calling(client("lambda"), plan.function_arn))
        if outcome.redriven and not plan.missing:
            discard(client("sqs"), found.queue, found.failure)
    except _FAULTS as error:
        click.echo(f"\n{number}. stays: {error}")
        return False
    if not outcome.redriven:
        click.echo(f"\n{number}. stays: {outcome.why}")
        return False
    ending = "handled, stays: not all of its records were there" if plan.missing else "redriven"
    click.echo(f"\n{number}. {ending}")
    return not plan.missing


def _give_back(sqs: Any, queue: str, failure: FailureMessage) -> None:
    """Let a message be seen at once; without the permission its time has to pass."""
    with contextlib.suppress(ClientError, BotoCoreError):
        sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=failure.receipt, VisibilityTimeout=0
        )


def _name(plan: RedrivePlan) -> str:
    """Return the function's name with its version or alias: `audit` of `arn:…:function:audit`."""
    return plan.function_arn.split(":function:")[-1]


def _table(batch: Mapping[str, Any]) -> str:
    return str(batch["streamArn"]).split(":table/")[-1].split("/")[0]


def _written(change: Mapping[str, Any]) -> str:
    written_s = change.get("ApproximateCreationDateTime")
    if written_s is None:
        return ""
    return f" written {datetime.fromtimestamp(written_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
