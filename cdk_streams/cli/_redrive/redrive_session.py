"""One redrive: all failure records are gathered and shown, then called one after the other."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import click

from cdk_streams.cli._failure_options import destinations, unknown_ids
from cdk_streams.cli._progress_bar import progress_bar
from cdk_streams.cli._redrive.redrive_options import RedriveOptions
from cdk_streams.cli._redrive.redrive_view import (
    echo,
    function_name,
    question,
    show,
    show_skipped,
    show_tests,
)
from cdk_streams.live import Client
from cdk_streams.redrive import (
    EXPECTED_ERRORS,
    FailureMessage,
    FailureObject,
    FailurePlanner,
    FoundFailure,
    Holder,
    MessageHold,
    RedriveOutcome,
    RedrivePlan,
    SearchResult,
    carry_out,
    delete_object,
    discard,
    find_failures,
    invoker,
)

__all__ = ["run"]

# Plans of up to so much data are kept between showing and calling; beyond it, records are read
# again.
_PLANNED_BYTES = 64 * 1024 * 1024


def is_terminal() -> bool:
    """Tell whether somebody can be asked: standard input is a terminal."""
    return sys.stdin.isatty()


def run(client: Client, options: RedriveOptions) -> int:
    """Show the plan and, with --yes or the user's word, carry it out; return the exit code."""
    of = destinations(
        client,
        queue=options.queue,
        rejects=options.rejects,
        stack=options.stack,
        consumer=options.consumer,
    )
    with progress_bar(0, "failure records", quiet=options.quiet) as advance:
        limit = None if options.only else options.limit
        result = find_failures(client, of, limit, on_progress=advance)
    session = _Session(client, options, result)
    with session.hold:
        show_skipped(of, result)
        session.choose()
        is_whole = session.show()
        is_asked_for = options.yes or session.is_confirmed()
        if is_asked_for:
            session.call()
        if result.is_limited:
            echo(f"\nat most {options.limit} were taken (--limit); there may be more")
    if is_asked_for:
        return 1 if session.kept else 0
    if session.found or result.tests:
        echo("\nnothing was called or deleted; --yes carries this out")
    return 0 if is_whole else 1


class _Session:
    """The failure records of a redrive; those in `found` are shown and called."""

    def __init__(self, client: Client, options: RedriveOptions, result: SearchResult) -> None:
        self._client = client
        self._options = options
        self._planner = FailurePlanner(client)
        self._plans: dict[int, FoundFailure] = {}
        self._planned_bytes = 0
        self._called: Counter[str] = Counter()
        self._redriven = 0
        self.found = result.found
        self.tests = result.tests
        holders = [holder for each in result.found for holder in each.holders]
        # A message goes with the last failure record that it holds.
        self._uses = Counter(map(id, holders))
        messages = [each for each in holders if isinstance(each, FailureMessage)]
        self.hold = MessageHold(client("sqs"), [*messages, *result.tests])

    @property
    def kept(self) -> int:
        """How many failure records are left."""
        return len(self.found) - self._redriven

    def choose(self) -> None:
        """Leave out what --only does not name; its messages can be received again at once."""
        only = set(self._options.only)
        if not only:
            return
        everything = self.found
        self.found = [each for each in everything if each.id in only]
        if missing := sorted(only - {each.id for each in self.found}):
            raise unknown_ids(missing, len(everything))
        needed = {id(holder) for each in self.found for holder in each.holders}
        held = [holder for each in everything for holder in each.holders]
        self.hold.release(
            [
                *(h for h in held if isinstance(h, FailureMessage) and id(h) not in needed),
                *self.tests,
            ]
        )
        self.tests = []

    def show(self) -> bool:
        """Plan and print all; return whether each can be redriven as a whole."""
        is_whole = True
        if not self.found:
            echo("there is no failure record to redrive")
        with self._progress("planned") as advance:
            for number, found in enumerate(self.found, 1):
                planned = self._planned(number, found)
                show(number, planned, self._options)
                plan = planned.plan
                is_whole = is_whole and plan is not None and bool(plan.events) and not plan.missing
                advance(1)
        show_tests(self.tests, self._options)
        return is_whole

    def is_confirmed(self) -> bool:
        """Ask the user of a terminal; nobody is asked in a pipe, or when nothing can be called."""
        if not self._called or not is_terminal():
            return False
        return click.confirm(question(self._called), default=False, err=True)

    def call(self) -> None:
        """Call the functions in order; then delete the test events."""
        try:
            with self._progress("called") as advance:
                for number, found in enumerate(self.found, 1):
                    self.hold.renew()
                    self._carry_out(number, found)
                    advance(1)
        except BaseException:
            echo(f"\ninterrupted: {self._redriven:,} redriven, {self.kept:,} kept")
            raise
        for test in self.tests:
            self._delete(test)

    def _progress(self, done: str) -> AbstractContextManager[Callable[[int], None]]:
        """Return a bar, unless what is printed meanwhile is on the terminal itself."""
        is_seen = self._options.quiet or sys.stdout.isatty()
        return progress_bar(len(self.found), f"failure records {done}", quiet=is_seen)

    def _planned(self, number: int, found: FoundFailure) -> FoundFailure:
        """Plan one; the plans of much data are made again when their function is called."""
        if (kept := self._plans.pop(number, None)) is not None:
            return kept
        planned = self._planner.plan(found)
        if planned.plan is None:
            return planned
        if _is_called(planned.plan, self._options):
            self._called[function_name(planned.plan)] += len(planned.plan.records)
        self._planned_bytes += _size_bytes(planned.plan)
        if self._planned_bytes <= _PLANNED_BYTES:
            self._plans[number] = planned
        return planned

    def _carry_out(self, number: int, found: FoundFailure) -> None:
        """Invoke the function as planned, and delete what held the failure record."""
        plan = self._planned(number, found).plan
        if plan is None or not _is_called(plan, self._options):
            return
        if any(isinstance(h, FailureMessage) and self.hold.has_ended(h) for h in found.holders):
            echo(f"\n{number}. kept: others may have received its message; run the command again")
            return
        try:
            call = invoker(self._client("lambda"), plan.failure.function_arn)
            outcome = carry_out(plan, call)
            if outcome.redriven and not plan.missing:
                self._settle(found)
        except EXPECTED_ERRORS as error:
            echo(f"\n{number}. kept: {error}")
            return
        echo(f"\n{number}. {_outcome(outcome, plan)}")

    def _settle(self, found: FoundFailure) -> None:
        """Delete what held a failure record, unless it holds another that is kept."""
        for holder in found.holders:
            self._uses[id(holder)] -= 1
            if not self._uses[id(holder)]:
                self._delete(holder)
        self._redriven += 1

    def _delete(self, holder: Holder) -> None:
        if isinstance(holder, FailureObject):
            delete_object(self._client("s3"), holder)
            return
        discard(self._client("sqs"), holder)
        self.hold.forget(holder)


def _is_called(plan: RedrivePlan, options: RedriveOptions) -> bool:
    return bool(plan.events) and (options.incomplete or not plan.missing)


def _outcome(outcome: RedriveOutcome, plan: RedrivePlan) -> str:
    if not outcome.redriven:
        return f"kept: {outcome.why}"
    if plan.missing:
        return "handled; kept, because not all of its records were there"
    return "redriven"


def _size_bytes(plan: RedrivePlan) -> int:
    """Return about how much data a plan holds."""
    payload = len(plan.failure.payload or "")
    return payload + sum(
        size
        for record in plan.records
        if isinstance(size := record["dynamodb"].get("SizeBytes"), int)
    )
