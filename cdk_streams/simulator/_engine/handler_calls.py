"""A handler called as Lambda calls it: a fresh event, a context in virtual time, JSON back.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from cdk_streams.mapping import (
    LAMBDA_DEFAULT_MEMORY_MB,
    LAMBDA_DEFAULT_TIMEOUT,
    MAX_RESPONSE_BYTES,
)
from cdk_streams.poller import Errored, Outcome, Returned

__all__ = [
    "Context",
    "FunctionConfiguration",
    "Handler",
    "HandlerResult",
    "SlowRecords",
    "copy_event",
    "invoke_handler",
]

Handler: TypeAlias = Callable[[Any, Any], Any]
"""Any Lambda handler: `handler(event, context)`."""

_DEFAULT_TIMEOUT_MS: Final = round(LAMBDA_DEFAULT_TIMEOUT.total_seconds() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfiguration:
    """Where a handler runs: what its context says of the function."""

    name: str = "function"
    arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    version: str = "$LATEST"
    timeout_ms: int = _DEFAULT_TIMEOUT_MS
    memory_mb: int = LAMBDA_DEFAULT_MEMORY_MB


class _OutOfTime(BaseException):
    """The function's time is over: as Lambda does, it is stopped where it stands."""


class Context:
    """Lambda's context object, with a clock that goes on only when time is spent on it."""

    identity = None
    client_context = None

    def __init__(self, configuration: FunctionConfiguration, request_id: str) -> None:
        self.aws_request_id = request_id
        self._configuration = configuration
        self._spent_ms = 0

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._configuration.name

    @property
    def function_version(self) -> str:
        """The version that runs: `$LATEST` or a number."""
        return self._configuration.version

    @property
    def invoked_function_arn(self) -> str:
        """The ARN that the mapping names, with its alias."""
        return self._configuration.arn

    @property
    def memory_limit_in_mb(self) -> str:
        """The function's memory; Lambda gives it as text."""
        return str(self._configuration.memory_mb)

    @property
    def log_group_name(self) -> str:
        """The function's log group."""
        return f"/aws/lambda/{self._configuration.name}"

    @property
    def log_stream_name(self) -> str:
        """A log stream, which no log is written to."""
        return f"simulated/[{self._configuration.version}]"

    def get_remaining_time_in_millis(self) -> int:
        """Return how much of the timeout is left, in milliseconds of virtual time."""
        return max(0, self._configuration.timeout_ms - self._spent_ms)

    def spend(self, seconds: float) -> None:
        """Let virtual time pass, as work would; past the timeout the handler is stopped here."""
        self._spent_ms += round(seconds * 1000)
        if self._spent_ms >= self._configuration.timeout_ms:
            raise _OutOfTime

    @property
    def spent_ms(self) -> int:
        """How much virtual time the handler has spent."""
        return self._spent_ms


class SlowRecords(list[dict[str, Any]]):
    """The records of a slow call: virtual time passes as the handler goes on to the next one.

    So a handler that looks at its context's clock sees the time that its work takes, and how often
    it looks changes nothing. Going over the records again takes no time.
    """

    def __init__(self, records: list[dict[str, Any]], context: Context, slow_ms: int) -> None:
        super().__init__(records)
        self.passed = 0
        self._context = context
        self._record_s = slow_ms / max(1, len(records)) / 1000

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for place, record in enumerate(super().__iter__()):
            self._pass(place)
            yield record
        self._pass(len(self))

    def _pass(self, count: int) -> None:
        if count > self.passed:
            self.passed = count
            self._context.spend(self._record_s)


class HandlerResult(NamedTuple):
    """How a call went: the outcome for the poller, its length, and the error for the reader."""

    outcome: Outcome
    took_ms: int
    timed_out: bool = False
    error: BaseException | None = None


def invoke_handler(
    handler: Handler, event: dict[str, Any], context: Context, least_ms: int = 0
) -> HandlerResult:
    """Call the handler; whatever it does, the answer is what Lambda would make of it.

    `least_ms` is how long the call takes beside what the handler spends. An exception, an exit, a
    timeout, and an answer that is no JSON or too long are a failed call. Exceptions that are not
    the function's own, such as KeyboardInterrupt and a test's failure, are not caught.
    """
    limit_ms = context.get_remaining_time_in_millis()
    error: BaseException | None = None
    outcome: Outcome
    try:
        outcome = Returned(_through_json(handler(event, context)))
    except _OutOfTime:
        outcome = Errored()
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - whatever a handler raises
        error, outcome = raised, Errored()
    took_ms = context.spent_ms + least_ms
    if took_ms >= limit_ms:
        return HandlerResult(Errored(), limit_ms, timed_out=True, error=error)
    return HandlerResult(outcome, took_ms, error=error)


def copy_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of an event for one call, so that what a handler does to it ends with it.

    Pickle is the fastest deep copy of plain values in the standard library, several times ahead
    of JSON and of `deepcopy`, which takes what pickle cannot.
    """
    try:
        copy: dict[str, Any] = pickle.loads(pickle.dumps(event, 5))  # noqa: S301 - made just here
    except Exception:  # noqa: BLE001 - pickle raises whatever a value's own methods raise
        return deepcopy(event)
    return copy


def _through_json(answer: Any) -> Any:
    """Return the answer as Lambda's Python runtime sends it; decimals become numbers."""
    if answer is None:
        return None
    text = json.dumps(answer, default=_number, ensure_ascii=False)
    if len(text) > MAX_RESPONSE_BYTES or len(text.encode()) > MAX_RESPONSE_BYTES:
        raise ValueError(f"an answer must be at most 6 MB of JSON, got {len(text):,} characters")
    return json.loads(text)


def _number(value: Any) -> float:
    from decimal import Decimal  # noqa: PLC0415 - few answers hold one, and it costs import time

    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"an answer must be JSON, got a {type(value).__name__} in it")
