"""A simulated Lambda function: what is deployed, and how a call of it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from cdk_streams.mapping import PARTIAL_RESPONSE_VARIABLE
from cdk_streams.poller import Errored
from cdk_streams.simulator._engine.handler_calls import (
    Context,
    FunctionConfiguration,
    Handler,
    HandlerResult,
    SlowRecords,
    copy_event,
    invoke_handler,
)

__all__ = ["Function", "invoke_function", "partial_response"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as deployed.

    `duration_ms` is what a call takes beside what its handler spends, or says so of an event.
    `reserved_concurrency` is how many calls run at once, None for no limit and 0 for no call at
    all; `throttled` says whether a call at a time since the start is not made. `environment` is
    what the handler finds in `os.environ` during a call.
    """

    handler: Handler
    configuration: FunctionConfiguration
    duration_ms: int | Callable[[dict[str, Any]], int] = 0
    reserved_concurrency: int | None = None
    throttled: Callable[[timedelta], bool] | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def usual_duration_ms(self, event: dict[str, Any]) -> int:
        """Return what a call with this event takes beside what the handler spends."""
        duration_ms = self.duration_ms
        return duration_ms(event) if callable(duration_ms) else duration_ms


def partial_response(*, asked: bool) -> dict[str, str]:
    """Return the variable by which the constructs tell the runtime to answer in parts."""
    return {PARTIAL_RESPONSE_VARIABLE: "1"} if asked else {}


def invoke_function(
    function: Function, event: dict[str, Any], request_id: str, slow_ms: int = 0
) -> HandlerResult:
    """Call the function's handler.

    `slow_ms` is how long a slow call takes in place of its usual duration, and may be more than
    the timeout. It passes record by record as the handler goes over them; for a handler that goes
    over none, when it has returned.
    """
    context = Context(function.configuration, request_id)
    event = copy_event(event)
    if slow_ms:
        records = event["Records"] = SlowRecords(event["Records"], context, slow_ms)
        result = invoke_handler(function.handler, event, context)
        return result if records.passed else _lasting(result, context, slow_ms)
    duration_ms = function.usual_duration_ms(event)
    return invoke_handler(function.handler, event, context, duration_ms)


def _lasting(result: HandlerResult, context: Context, more_ms: int) -> HandlerResult:
    """Let a call last longer than its handler took."""
    took_ms, limit_ms = result.took_ms + more_ms, context.get_remaining_time_in_millis()
    if more_ms < limit_ms:
        return result._replace(took_ms=took_ms)
    return HandlerResult(Errored(), result.took_ms + limit_ms, timed_out=True, error=result.error)
