"""Tumbling windows: a state that Lambda carries from batch to batch, up to a closing call.

    @on.window(initial={"orders": 0, "total": 0})
    def add(state, change):
        return {"orders": state["orders"] + 1, "total": state["total"] + change.new["total"]}

    @on.window_end
    def publish(state, window):
        metrics.put(window.start, state["total"])

The state travels as DynamoDB's typed values, `{"total": {"N": "12.50"}}`: plain JSON has neither
exact numbers nor bytes nor sets, and a Decimal would come back as a float. So the state comes back
as an item does, numbers as the router's `numbers` says.

A batch counts as a whole. State and progress would part if a failed record ended it half way,
since nobody has recorded which state Lambda keeps of a partial response; so any failure raises,
and the batch is added up again from the state before it.
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
"""

from __future__ import annotations

import json
from datetime import datetime

from lambda_runtime._batches import log_lines, processing
from lambda_runtime._batches.processing import Failure
from lambda_runtime._changes.parsing import change_of
from lambda_runtime._routing.signatures import arguments_of, name_of
from lambda_runtime._values.decoding import decode
from lambda_runtime._values.encoding import encode
from lambda_runtime._values.numbers_as import converter
from lambda_runtime.errors import AttributeValueError, RouteError, WindowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from lambda_runtime._batches.deadlines import Watch
    from lambda_runtime._batches.processing import ReportFailure
    from lambda_runtime._changes.parsing import Change
    from lambda_runtime._values.numbers_as import Numbers

    State = dict[str, Any]

__all__ = ["LARGEST_STATE_BYTES", "Window", "WindowRoutes"]

LARGEST_STATE_BYTES = 1_000_000
"""What Lambda carries for one shard: 1 MB; a larger state ends the window early."""

_WARN_FROM_BYTES = LARGEST_STATE_BYTES * 8 // 10
_LARGEST_RESPONSE_BYTES = 6_000_000


class Window:
    """The window that a batch belongs to.

    `start` is included and `end` is not; both are aware, in UTC, and multiples of the window's
    length. A window is one shard's: `shard_id` and `start` together name it. `ended_early` says
    that its state had grown too large, so the same `start` will come again with the rest.
    """

    __slots__ = ("end", "ended_early", "shard_id", "start")

    def __init__(self, event: dict[str, Any]) -> None:
        self.start: datetime = datetime.fromisoformat(event["window"]["start"])
        self.end: datetime = datetime.fromisoformat(event["window"]["end"])
        self.shard_id: str = event["shardId"]
        self.ended_early: bool = event["isWindowTerminatedEarly"]

    def __repr__(self) -> str:
        early = ", ended early" if self.ended_early else ""
        return f"Window({self.shard_id} {self.start:%Y-%m-%dT%H:%M:%SZ}{early})"


class WindowRoutes:
    """The two functions of a windowed router, as `Router.window` and `window_end` declared them."""

    def __init__(
        self,
        add: Callable[..., Any],
        initial: State | Callable[[], State],
        *,
        end_early: bool,
        numbers: Numbers,
    ) -> None:
        self._add_arguments = arguments_of(add, ("state", "change", "window"), least=2)
        self._add = add
        self._initial = initial
        self._end_early = end_early
        self._numbers: Numbers = numbers
        self._convert = converter(numbers)
        self._end: Callable[..., object] | None = None
        self._end_arguments = 0
        self._first_state()

    def ends_with(self, end: Callable[..., object]) -> None:
        """Take `end` for the function that gets the state of a finished window."""
        if self._end is not None:
            raise RouteError(
                f"a window has one end, and {name_of(self._end)} is declared as it; "
                "remove one of the two"
            )
        self._end_arguments = arguments_of(end, ("state", "window"), least=1)
        self._end = end

    def handle(
        self,
        event: dict[str, Any],
        records: Sequence[Any],
        watch: Watch | None,
        report_failure: ReportFailure,
    ) -> dict[str, Any]:
        """Add up one batch, and end its window when Lambda says so; every answer has a `state`.

        `report_failure` reports a record that failed; it returns None when the batch can go on.
        """
        if self._end is None:
            raise RouteError("the state of a window would be lost at its end: add @on.window_end")
        window = _window(event)
        state = self._decoded(event.get("state"))

        def take(record: Any, position: int) -> Failure | None:
            nonlocal state
            try:
                change = change_of(record, position, self._convert)
                state = self._added(state, change, window)
            except Exception as error:  # noqa: BLE001 - whatever is raised fails the record
                return report_failure(Failure(position, error, name_of(self._add)))
            return None

        failure = processing.in_order(records, take, watch)
        if failure is not None:
            raise processing.retried(records, failure, "the state of a window counts whole batches")
        if not event.get("isFinalInvokeForWindow"):
            return {"state": self._encoded(state), "batchItemFailures": []}
        self._end(*(state, window)[: self._end_arguments])
        return {"state": {}, "batchItemFailures": []}

    def _added(self, state: State, change: Change, window: Window) -> State:
        after = self._add(*(state, change, window)[: self._add_arguments])
        if not isinstance(after, dict):
            raise WindowError(
                f"{name_of(self._add)} returned {_kind(after)}, expected the state after the "
                "change, a dict"
            )
        return after

    def _decoded(self, sent: Any) -> State:
        # Lambda starts every window with {}.
        state: State = decode({"M": sent}, numbers=self._numbers) if sent else self._first_state()
        return state

    def _first_state(self) -> State:
        """A new initial state, through DynamoDB's types as all later states are."""
        state = self._initial() if callable(self._initial) else self._initial
        if not isinstance(state, dict):
            raise RouteError(f"the initial state of a window must be a dict, got {_kind(state)}")
        fresh: State = decode(encode(state, numbers=self._numbers), numbers=self._numbers)
        return fresh

    def _encoded(self, state: State) -> dict[str, Any]:
        """The state for Lambda; WindowError before Lambda would end the window for its size."""
        try:
            encoded: dict[str, Any] = encode(state, numbers=self._numbers)["M"]
        except AttributeValueError as error:
            raise WindowError(f"the state of a window must fit into JSON: {error}") from error
        # As ASCII, which is the largest of the forms that Lambda's clients write.
        size_bytes = len(json.dumps(encoded))
        limit = _LARGEST_RESPONSE_BYTES if self._end_early else LARGEST_STATE_BYTES
        if size_bytes > limit:
            raise WindowError(
                f"the state of a window has {size_bytes:,} bytes, and Lambda carries "
                f"{LARGEST_STATE_BYTES:,}; keep less in it, shorten tumbling_window, or let the "
                "window end early with @on.window(..., end_early=True)"
            )
        if size_bytes >= _WARN_FROM_BYTES:
            log_lines.log_window(size_bytes, LARGEST_STATE_BYTES)
        return encoded


def _window(event: dict[str, Any]) -> Window:
    if "window" not in event:
        raise WindowError(
            "this event has no window, so there is no state to add to; set tumbling_window on the "
            "mapping of this function"
        )
    try:
        return Window(event)
    except (KeyError, TypeError, ValueError) as error:
        raise WindowError(f"the window of this event cannot be read: {error!r}") from error


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
