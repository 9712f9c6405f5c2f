"""One list of failure records: found, printed, and their messages given back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from cdk_streams.cli._failure_options import destinations
from cdk_streams.cli._failures.failure_lines import as_json, head_lines
from cdk_streams.cli._progress_bar import progress_bar
from cdk_streams.cli._redrive.redrive_view import show_skipped
from cdk_streams.cli._terminal_lines import fitted
from cdk_streams.live import Client
from cdk_streams.redrive import (
    Destination,
    FailureMessage,
    MessageHold,
    SearchResult,
    find_failures,
)

__all__ = ["found_failures", "hold", "run"]


def run(client: Client, options: Mapping[str, Any]) -> int:
    """Print the list; return 1 when it holds a failure record."""
    of, result = found_failures(client, options)
    with hold(client, result):
        now = datetime.now(UTC)
        if options["as_json"]:
            listed = [as_json(each, now) for each in result.found]
            click.echo(json.dumps({"failures": listed, "limited": result.is_limited}, indent=2))
        else:
            show_skipped(of, result)
            click.echo(f"{len(result.found):,} failure record{'s' * (len(result.found) != 1)}")
            for each in result.found:
                click.echo(fitted("\n".join(["", *head_lines(each, now)])))
            if result.is_limited:
                click.echo(f"\nat most {options['limit']} were read (--limit); there may be more")
    return 1 if result.found else 0


def found_failures(
    client: Client, options: Mapping[str, Any]
) -> tuple[tuple[Destination, ...], SearchResult]:
    """Return where was looked and what was found; its messages are hidden."""
    named = {name: options[name] for name in ("queue", "rejects", "stack", "consumer")}
    of = tuple(destinations(client, **named))
    with progress_bar(0, "failure records", quiet=options["quiet"]) as advance:
        return of, find_failures(client, of, options.get("limit"), on_progress=advance)


def hold(client: Client, result: SearchResult) -> MessageHold:
    """Return what gives all messages back at the end of a block."""
    holders = [holder for each in result.found for holder in each.holders]
    messages = [each for each in holders if isinstance(each, FailureMessage)]
    return MessageHold(client("sqs"), [*messages, *result.tests])
