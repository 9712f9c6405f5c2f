"""Errors of handlers as a person reads them: the exception, its message, the handler's own lines.

errors = HandlerErrors()
errors.describe("Audit", error)  # "ValueError: no quantity", and below it "audit.py:9 in created"
errors.describe("Audit", error)  # from the second time on its kind and how often it came
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cdk_streams.lambda_local import InvokeResponse

__all__ = ["HandlerError", "HandlerErrors", "logged_failure", "response_error"]

_ROOT = "/var/task/"
# Of the runtime that is shipped beside the handler; nobody has to read those lines.
_RUNTIME = "lambda_runtime/"
_FRAME = re.compile(r'File "([^"]+)", line (\d+)(?:, in (\S+))?')
_MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class HandlerError:
    """An exception; `lines` are the places of the handler's own code, outermost first.

    `verb` is "failed", or "rejected" for a record that the handler gave away.
    """

    kind: str
    message: str
    lines: tuple[str, ...] = ()
    verb: str = "failed"


class HandlerErrors:
    """Describes each error in full once, and counts it from then on."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, HandlerError]] = Counter()

    def describe(self, consumer: str, error: HandlerError) -> str:
        """Return the error's text; only its kind and its number when it was described before."""
        self._seen[consumer, error] += 1
        times = self._seen[consumer, error]
        if times > 1:
            return f"{error.kind} again, ×{times}"  # noqa: RUF001 - the sign for times
        text = f"{error.kind}: {error.message}" if error.message else error.kind
        return "\n    ".join([text, *error.lines[-_MOST_LINES:]])


def response_error(response: InvokeResponse) -> HandlerError | None:
    """Return the error of a response; None when the function has returned."""
    if response.function_error is None:
        return None
    body: Any = response.payload
    body = body if isinstance(body, Mapping) else {}
    trace = body.get("stackTrace")
    frames = "\n".join(map(str, trace)) if isinstance(trace, list) else ""
    message = str(body.get("errorMessage") or "")
    # Lambda puts the request's id before its own messages; it differs each time.
    message = re.sub(r"^RequestId: \S+ Error: ", "", message)
    lines = [_line(path, number, name) for path, number, name in _FRAME.findall(frames)]
    return HandlerError(
        response.error_type or response.function_error,
        message,
        tuple(line for line in lines if line),
    )


def logged_failure(text: str) -> HandlerError | None:
    """Return the error of the line that `lambda_runtime` logs for a record; None for another."""
    start = text.find("{")
    if start < 0 or '"stream record ' not in text:
        return None
    try:
        fields = json.loads(text[start:])
    except ValueError:
        return None
    words = str(fields.get("message")).split() if isinstance(fields, Mapping) else []
    if words[:2] != ["stream", "record"] or "error_type" not in fields:
        return None
    places = fields.get("error_at")
    lines = [_place(str(each)) for each in places] if isinstance(places, list) else []
    return HandlerError(
        str(fields["error_type"]),
        str(fields.get("error_message") or ""),
        tuple(line for line in lines if line),
        words[-1],
    )


def _line(path: str, number: str, name: str) -> str:
    """Return `audit.py:9 in created`; "" for a line that is not the handler's own."""
    if not path.startswith(_ROOT) or path.startswith(_ROOT + _RUNTIME):
        return ""
    where = f"{path.removeprefix(_ROOT)}:{number}"
    return f"{where} in {name}" if name else where


def _place(text: str) -> str:
    """Return the line of `/var/task/audit.py:9 created`."""
    place, _, name = text.partition(" ")
    path, _, number = place.rpartition(":")
    return _line(path, number, name)
