"""One redrive: all failure records are gathered and shown, then called one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import boto3
import click
from botocore.config import Config
from botocore.exceptions import NoCredentialsError, NoRegionError

from cdk_streams.cli._redrive_view import Asked, say, show, show_others, show_tests
from cdk_streams.live._deployed_stack import Client
from cdk_streams.redrive._bucket_objects import FailureObject, delete_object
from cdk_streams.redrive._invoke import CALL_LIMIT_S, calling
from cdk_streams.redrive._plan import carry_out
from cdk_streams.redrive._queue_messages import FailureMessage, discard, give_back
from cdk_streams.redrive._search import FAULTS, Found, find_failures
from cdk_streams.redrive._stack_destinations import FailureQueue, Place, failure_places, queue_url

__all__ = ["aws", "hold"]


def aws(profile: str | None, region: str | None, endpoint_url: str | None) -> Client:
    """Return the maker of clients; None is what boto3 finds by itself."""
    session: Any = boto3.Session(profile_name=profile, region_name=region)
    # A call that took long must not be made a second time by the client.
    once = Config(read_timeout=CALL_LIMIT_S, tcp_keepalive=True, retries={"total_max_attempts": 1})

    @cache
    def client(service: str) -> Any:
        config = once if service == "lambda" else None
        return session.client(service, endpoint_url=endpoint_url, config=config)

    return client


def hold(connect: Callable[[], Client], asked: Asked) -> int:
    """Show the plan and, when asked to, carry it out; return the exit code."""
    try:
        client = connect()
        return _redrive(client, _places(client, asked), asked)
    except NoRegionError:
        lack = "the Region must be known, got none; name it with --region or AWS_DEFAULT_REGION"
    except NoCredentialsError:
        lack = "credentials for AWS must be known, got none; log in, or name a profile (--profile)"
    except FAULTS as error:
        lack = str(error)
    raise click.ClickException(lack)


def _places(client: Client, asked: Asked) -> Sequence[Place]:
    if asked.queue is not None:
        return (FailureQueue(queue_url(client("sqs"), asked.queue)),)
    return failure_places(client, stack=str(asked.stack), consumer=asked.consumer)


def _redrive(client: Client, places: Sequence[Place], asked: Asked) -> int:
    findings = find_failures(client, places, asked.limit)
    found, tests = findings.found, list(findings.tests)
    show_others(places, findings)
    if not found:
        say("there is no failure record to redrive")
    kept = list(found)
    try:
        for number, each in enumerate(found, 1):
            show(number, each, asked)
        show_tests(tests, asked)
        for number, each in enumerate(found, 1) if asked.yes else ():
            _carry_out(client, number, each, kept, asked)
        while asked.yes and tests:
            discard(client("sqs"), tests[0])
            del tests[0]
    finally:
        # Hidden until their time is up, they would be missing from the next look.
        for message in (*(each.holder for each in kept), *tests):
            if isinstance(message, FailureMessage):
                give_back(client("sqs"), message)
    if asked.yes:
        return 1 if kept else 0
    if found or tests:
        say("\nnothing was called or deleted; --yes carries this out")
    return 0 if all(_is_whole(each) for each in found) else 1


def _carry_out(client: Client, number: int, found: Found, kept: list[Found], asked: Asked) -> None:
    """Call the function when that is planned; take what is dealt with out of `kept`."""
    plan = found.plan
    if plan is None or plan.is_empty or (plan.missing and not asked.incomplete):
        return
    try:
        outcome = carry_out(plan, calling(client("lambda"), plan.function_arn))
        if outcome.redriven and not plan.missing:
            _settle(client, found, kept)
    except FAULTS as error:
        say(f"\n{number}. stays: {error}")
        return
    if not outcome.redriven:
        say(f"\n{number}. stays: {outcome.why}")
    elif plan.missing:
        say(f"\n{number}. handled, stays: not all of its records were there")
    else:
        say(f"\n{number}. redriven")


def _settle(client: Client, found: Found, kept: list[Found]) -> None:
    """Delete what held a failure record, unless it holds another that is not dealt with."""
    others = [each for each in kept if each is not found]
    holder = found.holder
    if all(each.holder is not holder for each in others):
        if isinstance(holder, FailureObject):
            delete_object(client("s3"), holder)
        else:
            discard(client("sqs"), holder)
    kept[:] = others


def _is_whole(found: Found) -> bool:
    return found.plan is not None and not (found.plan.is_empty or found.plan.missing)
