"""How each subcommand ends: 0, 1 when it found something, 2 when it could not do its work.

Ctrl-C ends one with 130, unless its own page says otherwise.

What its user can mend is one line on standard error; `--debug` shows where it was raised instead.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import click

__all__ = ["Command", "CommandError", "command"]

_INTERRUPTED: Final = 130  # As a shell reports a process that Ctrl-C ended.
# What a write says when there is no room, or the device is gone.
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class CommandError(click.ClickException):
    """A subcommand cannot do its work: the message is one line, the exit code 2."""

    exit_code = 2


class Command(click.Command):
    """A subcommand with `--debug`, whose expected errors are one line and exit code 2."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.params.append(
            click.Option(
                ["--debug"],
                is_flag=True,
                expose_value=False,
                callback=_remember,
                help="Show the traceback of an error.",
            )
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        if sys.stdout is None:  # As Python has it where a shell closed it (>&-).
            raise CommandError(
                "standard output must be open, got a closed one; send it to a file or /dev/null"
            )
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click ends quietly when the reader of a pipe has gone.
        except KeyboardInterrupt:
            # Not click's 1, which means that the command found something.
            raise SystemExit(_INTERRUPTED) from None
        except Exception as error:
            if _is_output_lost(error):
                why = os.strerror(getattr(error, "errno", 0))
                raise CommandError(f"the output cannot be written: {why}") from error
            if ctx.meta.get(__name__) or (message := _message(error)) is None:
                raise
            raise CommandError("; ".join(message.splitlines())) from error


def command(name: str | None = None, **more: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a subcommand, as `click.command` does."""
    return click.command(name, cls=Command, **more)


def _remember(context: click.Context, _option: click.Parameter, value: object) -> None:
    context.meta[__name__] = value


def _is_output_lost(error: Exception) -> bool:
    """Whether standard output takes nothing more, as a full disk; if so, what is left goes nowhere.

    Otherwise the interpreter tries again at its end, and prints a traceback.
    """
    is_lost = isinstance(error, OSError) and error.errno in _FULL and error.filename is None
    if is_lost:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return is_lost


def _message(error: Exception) -> str | None:
    """Return what the user of a command reads of an error; None: it is a fault of ours."""
    from botocore.exceptions import (  # noqa: PLC0415 - not for --help
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        NoRegionError,
    )

    from cdk_streams.errors import StreamsError  # noqa: PLC0415 - the same
    from lambda_runtime.errors import StreamRuntimeError  # noqa: PLC0415 - the same

    if isinstance(error, NoRegionError):
        return "no AWS Region found; name it with --region or AWS_DEFAULT_REGION"
    if isinstance(error, NoCredentialsError):
        return "no AWS credentials found; log in, or name a profile with --profile"
    expected = (BotoCoreError, ClientError, StreamsError, StreamRuntimeError, OSError)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fspath(error.filename)} cannot be read or written: {error.strerror}"
    return str(error) if isinstance(error, expected) else None
