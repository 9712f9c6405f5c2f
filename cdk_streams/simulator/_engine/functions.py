"""A function of a world: what is deployed, and how a call of it goes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cdk_streams.mapping import PARTIAL_RESPONSE_VARIABLE
from cdk_streams.poller import Errored
from cdk_streams.simulator._engine.handler_calls import (
    Answer,
    Context,
    FunctionConfiguration,
    Handler,
    fresh,
    invoke_handler,
)

__all__ = ["Function", "invoke_function", "partial_response"]

# A handler looks at the clock when it starts, maybe sets up a watch, and looks again before its
# first record: no work lies between those, so no time passes.
_READS_AT_START = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as deployed; `duration_ms` is what a call takes when nothing slows it down.

    `reserved_concurrency` is how many calls run at once, None for no limit and 0 for no call at
    all. `environment` is what the handler finds in `os.environ` during a call.
    """

    handler: Handler
    host: FunctionConfiguration
    duration_ms: int = 20
    reserved_concurrency: int | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def partial_response(*, asked: bool) -> dict[str, str]:
    """Return the variable by which the constructs tell the runtime to answer in parts."""
    return {PARTIAL_RESPONSE_VARIABLE: "1"} if asked else {}


def invoke_function(
    function: Function, event: dict[str, Any], request_id: str, *, slow_ms: int = 0
) -> Answer:
    """Call the handler in the function's environment.

    `slow_ms` is how long a slow call takes, which may be more than its timeout: a handler that
    looks at its context's clock sees it go on and can stop in time; another times out.
    """
    context = Context(function.host, request_id)
    tick_s = slow_ms / max(1, len(event["Records"])) / 1000
    shown = _SlowContext(context, tick_s) if slow_ms else context
    with _environment(function.environment):
        answer = invoke_handler(
            lambda given, _: function.handler(given, shown),
            fresh(event),
            context,
            least_ms=0 if slow_ms else function.duration_ms,
        )
    if slow_ms == 0 or context.spent_ms:
        return answer
    # This handler never looked at the clock, so nothing could stop it in time.
    timeout_ms = function.host.timeout_ms
    if slow_ms < timeout_ms:
        return answer._replace(took_ms=slow_ms)
    return answer._replace(outcome=Errored(), took_ms=timeout_ms, timed_out=True)


class _SlowContext:
    """A context whose clock goes on by a record's time when it is read before another record."""

    def __init__(self, context: Context, tick_s: float) -> None:
        self._context = context
        self._tick_s = tick_s
        self._reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def get_remaining_time_in_millis(self) -> int:
        self._reads += 1
        if self._reads > _READS_AT_START:
            self._context.spend(self._tick_s)
        return self._context.get_remaining_time_in_millis()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    # The partial-response switch must not leak in from outside: a function without it has none.
    names = sorted({PARTIAL_RESPONSE_VARIABLE, *variables})
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)
