"""One redrive: all failure records are gathered and shown, then called one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from cdk_streams.cli._redrive.redrive_options import RedriveOptions
from cdk_streams.cli._redrive.redrive_view import echo, show, show_skipped, show_tests
from cdk_streams.live import Client, queue_url
from cdk_streams.redrive import (
    EXPECTED_ERRORS,
    Destination,
    FailureMessage,
    FailureObject,
    FailureQueue,
    FoundFailure,
    carry_out,
    delete_object,
    discard,
    find_failures,
    give_back,
    invoker,
    stack_destinations,
)

__all__ = ["run"]


def run(client: Client, options: RedriveOptions) -> int:
    """Show the plan and, with --yes, carry it out; return the exit code."""
    return _redrive(client, _destinations(client, options), options)


def _destinations(client: Client, options: RedriveOptions) -> Sequence[Destination]:
    if options.queue is not None:
        url = queue_url(client("sqs"), options.queue)
        return (FailureQueue(url, has_rejects=options.rejects),)
    return stack_destinations(client, stack=str(options.stack), consumer=options.consumer)


def _redrive(client: Client, destinations: Sequence[Destination], options: RedriveOptions) -> int:
    result = find_failures(client, destinations, options.limit)
    found, tests = result.found, list(result.tests)
    show_skipped(destinations, result)
    if not found:
        echo("there is no failure record to redrive")
    kept = list(found)
    try:
        for number, each in enumerate(found, 1):
            show(number, each, options)
        show_tests(tests, options)
        for number, each in enumerate(found, 1) if options.yes else ():
            _carry_out(client, number, each, kept, options)
        while options.yes and tests:
            discard(client("sqs"), tests[0])
            del tests[0]
    finally:
        # Hidden until their time is up, they would be missing from the next look.
        held = [holder for each in kept for holder in each.holders]
        for holder in (*held, *tests):
            if isinstance(holder, FailureMessage):
                give_back(client("sqs"), holder)
    if result.is_limited:
        echo(f"\nat most {options.limit} were taken (--limit); there may be more")
    if options.yes:
        return 1 if kept else 0
    if found or tests:
        echo("\nnothing was called or deleted; --yes carries this out")
    return 0 if all(_is_whole(each) for each in found) else 1


def _carry_out(
    client: Client,
    number: int,
    found: FoundFailure,
    kept: list[FoundFailure],
    options: RedriveOptions,
) -> None:
    """Invoke the function as planned; take what is redriven out of `kept`."""
    plan = found.plan
    if plan is None or not plan.events or (plan.missing and not options.incomplete):
        return
    try:
        outcome = carry_out(plan, invoker(client("lambda"), plan.failure.function_arn))
        if outcome.redriven and not plan.missing:
            _settle(client, found, kept)
    except EXPECTED_ERRORS as error:
        echo(f"\n{number}. kept: {error}")
        return
    if not outcome.redriven:
        echo(f"\n{number}. kept: {outcome.why}")
    elif plan.missing:
        echo(f"\n{number}. handled; kept, because not all of its records were there")
    else:
        echo(f"\n{number}. redriven")


def _settle(client: Client, found: FoundFailure, kept: list[FoundFailure]) -> None:
    """Delete what held a failure record, unless it holds another that is kept."""
    others = [each for each in kept if each is not found]
    still_needed = {id(holder) for each in others for holder in each.holders}
    for holder in found.holders:
        if id(holder) in still_needed:
            continue
        if isinstance(holder, FailureObject):
            delete_object(client("s3"), holder)
        else:
            discard(client("sqs"), holder)
    kept[:] = others


def _is_whole(found: FoundFailure) -> bool:
    return found.plan is not None and bool(found.plan.events) and not found.plan.missing
