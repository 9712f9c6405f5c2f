"""The handler that a simulation calls, and where it raised what it raised."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import click

from cdk_streams.errors import SourceError

__all__ = ["WatchedHandler", "failing_at", "given_handler"]

Handler = Callable[[Any, Any], Any]


class HandlerExitError(Exception):
    """The handler ended its process, which Lambda counts as a failed invocation."""


class WatchedHandler:
    """A handler whose prints go to standard error, and that keeps where it raised each error."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        # By identity: an error of the handler's may compare as it likes. The error is kept, too,
        # so that no other one gets its identity.
        self._raised: dict[int, tuple[BaseException, str]] = {}

    def __call__(self, event: Any, context: Any) -> Any:
        try:
            with redirect_stdout(sys.stderr):
                return self._handler(event, context)
        except SystemExit as error:
            ended = HandlerExitError("the handler called sys.exit")
            self._raised[id(ended)] = ended, _place(error)
            raise ended from error
        except Exception as error:
            self._raised[id(error)] = error, _place(error)
            raise

    def place_of(self, error: BaseException) -> str | None:
        """Return `file.py:line` of an error that the handler raised; None for one it did not."""
        return self._raised.get(id(error), (None, None))[1]


def given_handler(name: str | None) -> Handler:
    """Import `module:function`, or `file.py:function`; without a name, each record succeeds."""
    if name is None:
        return lambda _event, _context: {"batchItemFailures": [], "state": {}}
    where, colon, function = name.rpartition(":")
    if not (where and colon and function):
        raise click.UsageError(
            f"--handler must be module:function or file.py:function, got {name!r}"
        )
    folder, module = Path.cwd(), where
    if where.endswith(".py"):
        file = Path(where)
        if not file.is_file():
            raise click.UsageError(f"--handler must name a file that is there, got {where!r}")
        folder, module = file.resolve().parent, file.stem
    sys.path.insert(0, str(folder))
    found = getattr(_imported(module, name), function, None)
    if not callable(found):
        raise click.UsageError(
            f"--handler must name a function of event and context, got {name!r}: {where} has no "
            f"function {function}"
        )
    return found  # type: ignore[no-any-return] # a handler's types are its own


def _imported(module: str, name: str) -> Any:
    try:
        with redirect_stdout(sys.stderr):
            return import_module(module)
    except SystemExit:
        why = "the module ends its process (sys.exit)"
    except Exception as error:  # noqa: BLE001 - whatever the module raises is its author's to see
        why = f"{type(error).__name__}: {error}"
    raise SourceError(f"the handler {name} could not be imported: {why}")


class _Settings(Protocol):
    @property
    def report_batch_item_failures(self) -> bool: ...


def failing_at(number: str, handler: Handler, settings: _Settings) -> Handler:
    """Let one record fail as a handler would: named in a partial response, or by an exception.

    `number` is its sequence number.
    """

    def failing(event: Any, context: Any) -> Any:
        if all(each["dynamodb"]["SequenceNumber"] != number for each in event["Records"]):
            return handler(event, context)
        if settings.report_batch_item_failures:
            return {"batchItemFailures": [{"itemIdentifier": number}]}
        raise ValueError("the record that --poison names fails")

    return failing


def _place(error: BaseException) -> str:
    """Return the line of the project that raised, or of the library where none did."""
    frames = traceback.extract_tb(error.__traceback__)[1:] or traceback.extract_tb(
        error.__traceback__
    )
    here = f"{Path.cwd()}/"
    ours = [each for each in frames if each.filename.startswith(here)]
    last = (ours or frames)[-1]
    return f"{last.filename.removeprefix(here)}:{last.lineno}"
