"""Which failure records `redrive` and `failures` look for: --queue, or --stack."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cdk_streams.cli._command import CommandError
from cdk_streams.cli._options import refuse_empty

if TYPE_CHECKING:
    from cdk_streams.live import Client
    from cdk_streams.redrive import Destination

__all__ = [
    "check_failure_options",
    "check_ids",
    "destinations",
    "failure_options",
    "unknown_ids",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_ID: Final = re.compile(r"[0-9a-f]{8}")


def failure_options(command: _Command) -> _Command:
    """Add --queue with --rejects, and --stack with --consumer; one of the two has to be given."""
    options = [
        click.option(
            "--queue",
            callback=refuse_empty,
            help="URL or ARN of the queue with the failure records; also one behind a topic.",
        ),
        click.option(
            "--rejects",
            is_flag=True,
            help="With --queue: it is a reject queue; each message holds a record, whole.",
        ),
        click.option(
            "--stack",
            callback=refuse_empty,
            help="Instead of a queue: the deployed stack whose consumers have failed.",
        ),
        click.option(
            "--consumer",
            callback=refuse_empty,
            show_default="all",
            help="With --stack: the consumers whose mapping's logical id begins so, such as the "
            "construct's id.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def check_ids(
    _context: click.Context, parameter: click.Parameter, value: str | tuple[str, ...]
) -> str | tuple[str, ...]:
    """Refuse what is no ID of a failure record, before anything is asked."""
    for each in (value,) if isinstance(value, str) else value:
        if not _ID.fullmatch(each):
            raise click.BadParameter(
                f"it must be an ID of eight digits and letters a to f, got {each!r}; see "
                "`cdk-streams failures list`",
                param=parameter,
            )
    return value


def unknown_ids(missing: Iterable[str], count: int) -> CommandError:
    """Return the error of IDs that none of `count` failure records has."""
    return CommandError(
        f"there is no failure record with the ID {', '.join(missing)} among {count:,}; "
        "`cdk-streams failures list` shows those that there are"
    )


def check_failure_options(options: Mapping[str, Any]) -> None:
    """Refuse what does not go together, before anything is asked."""
    if (options["queue"] is None) == (options["stack"] is None):
        raise click.UsageError("name where the failure records are: either --queue or --stack")
    if options["consumer"] is not None and options["stack"] is None:
        raise click.UsageError(
            "--consumer chooses among the consumers of a stack; name it with --stack"
        )
    if options["rejects"] and options["queue"] is None:
        raise click.UsageError(
            "--rejects says what the messages of a queue are; name it with --queue"
        )


def destinations(
    client: Client, *, queue: str | None, rejects: bool, stack: str | None, consumer: str | None
) -> Sequence[Destination]:
    """Return where the failure records are that the options ask for."""
    from cdk_streams.live import queue_url  # noqa: PLC0415 - not for --help
    from cdk_streams.redrive import FailureQueue, stack_destinations  # noqa: PLC0415 - the same

    if queue is not None:
        return (FailureQueue(queue_url(client("sqs"), queue), has_rejects=rejects),)
    return stack_destinations(client, stack=str(stack), consumer=consumer)
