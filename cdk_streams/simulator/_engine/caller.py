"""Calls of one mapping's function: throttled or made, struck by a fault or left alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from cdk_streams.poller import Errored, Invoke, Outcome, Returned, Throttled, invocation_event
from cdk_streams.simulator._engine.functions import Function, invoke_function
from cdk_streams.simulator._engine.handler_calls import HandlerResult
from cdk_streams.simulator._engine.rng import Rng
from cdk_streams.simulator._engine.state import SimulationState
from cdk_streams.simulator._faults import CallFault, draw_call_fault, strikes_calls

__all__ = ["Call", "Caller"]

_NO_FAULT: Final = CallFault()


class Call(NamedTuple):
    """A call under way: what it was asked for, and how it will end.

    `number` counts the function's calls from 1; it is 0 for one that is throttled.
    `checkpoint_lost`: the poller's host is replaced between the answer and the checkpoint.
    """

    invoke: Invoke
    began_ms: int
    outcome: Outcome
    took_ms: int
    number: int = 0
    timed_out: bool = False
    checkpoint_lost: bool = False
    detail: str = ""
    error: BaseException | None = None

    @property
    def age_ms(self) -> int | None:
        """The age of the youngest record when the call began; None when no record tells it."""
        return _age_ms(self.invoke.records, self.began_ms)


class Caller:
    """Calls a function for one mapping; `function` may be replaced between two calls.

    The handler does its work at once, when a call begins, and the call ends when its time is over.
    """

    def __init__(
        self, name: str, table: str, function: Function, stream_arn: str, state: SimulationState
    ) -> None:
        self.function = function
        self._name = name
        self._table = table
        self._stream_arn = stream_arn
        self._state = state
        self._calls = 0
        self._rng = Rng(state.seed, f"calls of {name}")
        self._struck = strikes_calls(state.faults)

    def begin(self, invoke: Invoke) -> Call:
        """Call the function, unless it is throttled or a fault comes first."""
        state, function = self._state, self.function
        now_ms = state.queue.now_ms
        fault = draw_call_fault(state.faults, self._rng) if self._struck else _NO_FAULT
        throttled = function.throttled
        if fault.name == "throttle" or (throttled is not None and throttled(state.since_start)):
            return Call(invoke, now_ms, Throttled(), 0)
        limit = function.reserved_concurrency
        if limit is not None and not state.take_slot(function.configuration.name, limit):
            return Call(invoke, now_ms, Throttled(), 0, detail="no concurrency left")
        self._calls += 1
        event = invocation_event(invoke, self._stream_arn)
        if fault is _NO_FAULT:
            return _ended(invoke, now_ms, self._calls, self._handle(event, invoke, 0))
        return self._struck_by(fault, invoke, event, now_ms)

    def end(self, call: Call) -> None:
        """Give back what the call took."""
        limit = self.function.reserved_concurrency
        if limit is not None and call.number:
            self._state.free_slot(self.function.configuration.name)

    def _struck_by(
        self, fault: CallFault, invoke: Invoke, event: dict[str, Any], now_ms: int
    ) -> Call:
        """Run the handler as far as a fault lets it."""
        number, timeout_ms = self._calls, self.function.configuration.timeout_ms
        when = "before its work was done"
        took_ms = self.function.usual_duration_ms(event)
        if fault.runs:
            result = self._handle(event, invoke, int(timeout_ms * fault.slowness))
            if fault.name not in {"crash", "timeout"}:
                call = _ended(invoke, now_ms, number, result)
                checkpoint_lost = fault.name == "duplicate" and isinstance(result.outcome, Returned)
                return call._replace(checkpoint_lost=True) if checkpoint_lost else call
            when, took_ms = "after its work was done", result.took_ms
        timed_out = fault.name == "timeout"
        took_ms = timeout_ms if timed_out else took_ms
        return Call(invoke, now_ms, Errored(), took_ms, number, timed_out, detail=when)

    def _handle(self, event: dict[str, Any], invoke: Invoke, slow_ms: int) -> HandlerResult:
        state, function = self._state, self.function
        state.process.use(function.environment)
        if state.chains is None:
            return invoke_function(function, event, invoke.request_id, slow_ms)
        state.chains.begin(self._name, self._table, invoke.records)
        result = invoke_function(function, event, invoke.request_id, slow_ms)
        state.chains.end()
        return result


def _ended(invoke: Invoke, began_ms: int, number: int, result: HandlerResult) -> Call:
    outcome, took_ms, timed_out, error = result
    detail = "" if error is None else f"raised {type(error).__name__}"
    return Call(invoke, began_ms, outcome, took_ms, number, timed_out, detail=detail, error=error)


def _age_ms(records: Sequence[Any], at_ms: int) -> int | None:
    if not records:
        return None
    written_s = records[-1]["dynamodb"].get("ApproximateCreationDateTime")
    return None if written_s is None else max(0, at_ms - round(written_s * 1000))
