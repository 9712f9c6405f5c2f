"""The router: which function handles which change, and the handler that Lambda calls.

    on = Router()

    @on.insert(pk="ORDER#")
    def created(change: Insert) -> None: ...

    @on.modify("status")
    def status_changed(change: Modify) -> None: ...

    handler = on.handler

A change goes to every route that takes it, in the order in which the routes were declared: with
the first match alone, a change of both `status` and `email` would silently lose one of its two
handlers. The routes of one change succeed or fail as one, because Lambda can only deliver the
whole record again; handlers are therefore repeatable, as Lambda's at-least-once delivery asks.
"""

from __future__ import annotations

from lambda_runtime._batches import processing
from lambda_runtime._batches.deadlines import deadline
from lambda_runtime._changes.changes import Insert, Modify, Remove
from lambda_runtime._changes.parsing import records_of
from lambda_runtime._routing.dispatch import Routes, failure_reporter
from lambda_runtime._routing.routes import Route, declared
from lambda_runtime._values.numbers_as import converter
from lambda_runtime.errors import RouteError

__all__ = ["Router"]

TYPE_CHECKING = False
if not TYPE_CHECKING:

    def overload(function):  # noqa: ANN001, ANN202 - typing's own costs 8 ms of every cold start
        return function


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any, Literal, overload  # noqa: TC004 - see above

    from lambda_runtime._batches.deadlines import Watch
    from lambda_runtime._batches.pause import Pause
    from lambda_runtime._batches.processing import Failure, Take
    from lambda_runtime._batches.tumbling_windows import WindowRoutes
    from lambda_runtime._routing.batch_routes import BatchWriter
    from lambda_runtime._routing.handler_types import (
        HandlesChange,
        HandlesEnd,
        HandlesInsert,
        HandlesModify,
        HandlesRemove,
        HandlesWindow,
        Observer,
        State,
    )
    from lambda_runtime._values.numbers_as import Numbers


class Router:
    r"""Routes changes to handlers; `router.handler` is the function's Lambda handler.

    The conditions of a route all have to hold:

    * a key attribute by name, with a prefix (`pk="ORDER#"`), a tuple of prefixes, or a compiled
      pattern of the whole key (`sk=re.compile(r"LINE#\d+")`); `keys={"my-key": "ORDER#"}` for
      names that are no Python names or that mean something else here;
    * `where={"type": "order"}`: an attribute of the new image (for a Remove, of the old one)
      equals the value, or one of a tuple of values;
    * `when=function`: the function returns true for the change.

    A handler takes the change, or the change and the Lambda context; its parameters may have any
    names. A mistake in a declaration raises `RouteError` at once.

    Args:
        unrouted: What happens to a change that no route takes: "ignore" counts it as handled,
            "fail" makes it a failure (`UnroutedError`).
        numbers: What N becomes: "decimal", "int" (for whole numbers) or "float", as in `parse`.
        concurrency: How many records may be handled at a time, on threads; 1 is one after the
            other. The changes of one item stay in order. For handlers that wait, not compute.
        reserve_ms: How much of the invocation is to be left when the last record has ended. No
            record starts when that and the slowest record so far no longer fit. None means a tenth
            of what is left when the batch starts, at most 5,000 ms; never more than half of it.
        on_reject: Where the record goes when a handler raises `Reject`, so that the batch goes on
            without it: the URL of an SQS queue, or a function that takes the message's text. None
            means the queue in the environment variable STREAM_REJECT_QUEUE_URL; without one, and
            when sending fails, a rejected record is a failed record.
        show: What the log line of a failed record holds besides ids, route and the error's type:
            "message" (the error's text and traceback), "record" (all of it, with its item).
        metrics: The CloudWatch namespace of the batch's metrics, written to the log in embedded
            metric format: Records, Handled, Failed, Rejected, Lag and Latency, and the middle
            three by route. None writes nothing.
        pause_on: A `Pause`: after so many failures of these types in a row nothing is tried for a
            while, and each batch ends at its first record.
        trace: Whether each call of a route becomes an X-Ray subsegment, where the function is
            traced and the invocation sampled. It holds route, event name, event ID, sequence
            number and batch size; for a failure the type of the error, its text when `show` has
            "message". At most 100 calls that returned and 100 that failed of a batch; none of
            `latest`, `aggregate` and `window`.
    """

    def __init__(
        self,
        *,
        unrouted: Literal["ignore", "fail"] = "ignore",
        numbers: Numbers = "decimal",
        concurrency: int = 1,
        reserve_ms: int | None = None,
        on_reject: str | Callable[[str], object] | None = None,
        show: Collection[Literal["message", "record"]] = (),
        metrics: str | None = None,
        pause_on: Pause | None = None,
        trace: bool = False,
    ) -> None:
        if unrouted not in ("ignore", "fail"):
            raise RouteError(f'unrouted must be "ignore" or "fail", got {unrouted!r}')
        if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 1:
            raise RouteError(f"concurrency must be 1 or more threads, got {concurrency!r}")
        if reserve_ms is not None and (not isinstance(reserve_ms, int) or reserve_ms < 0):
            raise RouteError(f"reserve_ms must be milliseconds from 0, or None, got {reserve_ms!r}")
        if not (on_reject is None or isinstance(on_reject, str) or callable(on_reject)):
            raise RouteError(f"on_reject must be a queue's URL or a function, got {on_reject!r}")
        if not {"message", "record"}.issuperset(show):
            raise RouteError(f'show must hold "message", "record" or nothing, got {show!r}')
        if pause_on is not None and not hasattr(pause_on, "begin"):
            raise RouteError(f"pause_on must be a Pause, as in Pause(OSError), got {pause_on!r}")
        if not isinstance(trace, bool):
            raise RouteError(f"trace must be True or False, got {trace!r}")
        self._numbers: Numbers = numbers
        self._convert = converter(numbers)
        self._concurrency = concurrency
        self._reserve_ms = reserve_ms
        self._on_reject = on_reject
        self._show = show
        self._routes = Routes(fails_unrouted=unrouted == "fail")
        self._window: WindowRoutes | None = None
        self._observers: list[Callable[[list[Any]], Observer]] = []
        if metrics is not None:
            from lambda_runtime._batches.metrics import batch_metrics  # noqa: PLC0415 - on request only

            self._observers.append(batch_metrics(metrics))
        self._traces = trace
        self._pauses = pause_on is not None
        if pause_on is not None:
            self._observers.append(pause_on.begin)

    @overload
    def insert(self, handler: HandlesInsert, /) -> HandlesInsert: ...
    @overload
    def insert(
        self,
        *,
        where: Mapping[str, Any] | None = None,
        when: Callable[[Insert], bool] | None = None,
        keys: Mapping[str, Any] | None = None,
        **key: Any,
    ) -> Callable[[HandlesInsert], HandlesInsert]: ...
    def insert(self, *handler: Any, **conditions: Any) -> Any:
        """Declare a handler of new items: `@on.insert` or `@on.insert(pk="ORDER#")`."""
        return self._declare(Insert, handler, conditions)

    @overload
    def modify(self, handler: HandlesModify, /) -> HandlesModify: ...
    @overload
    def modify(
        self,
        *attributes: str | tuple[str, ...],
        where: Mapping[str, Any] | None = None,
        was: Mapping[str, Any] | None = None,
        when: Callable[[Modify], bool] | None = None,
        keys: Mapping[str, Any] | None = None,
        **key: Any,
    ) -> Callable[[HandlesModify], HandlesModify]: ...
    def modify(self, *attributes: Any, **conditions: Any) -> Any:
        """Declare a handler of changed items.

        `@on.modify("status", "total")` takes a change in which at least one of the named
        attributes is different; `("address", "city")` names a member of a map.
        `was={"status": "PLACED"}` compares the old image as `where` does the new one. Both need a
        stream of NEW_AND_OLD_IMAGES.
        """
        if attributes and not callable(attributes[0]):
            return self._declare(Modify, (), conditions, attributes)
        return self._declare(Modify, attributes, conditions)

    @overload
    def remove(self, handler: HandlesRemove, /) -> HandlesRemove: ...
    @overload
    def remove(
        self,
        *,
        expired: bool | None = None,
        where: Mapping[str, Any] | None = None,
        when: Callable[[Remove], bool] | None = None,
        keys: Mapping[str, Any] | None = None,
        **key: Any,
    ) -> Callable[[HandlesRemove], HandlesRemove]: ...
    def remove(self, *handler: Any, **conditions: Any) -> Any:
        """Declare a handler of deleted items.

        `@on.remove(expired=True)` takes deletes by time to live only, `expired=False` all others.
        """
        return self._declare(Remove, handler, conditions)

    def default(self, handler: HandlesChange, /) -> HandlesChange:
        """Declare the handler of every change that no other route takes."""
        self._check_no_window()
        self._routes.set_default(Route(handler, None))
        return handler

    @overload
    def latest(self, handler: HandlesChange, /) -> HandlesChange: ...
    @overload
    def latest(
        self, *, keys: Mapping[str, Any] | None = None, **key: Any
    ) -> Callable[[HandlesChange], HandlesChange]: ...
    def latest(self, *handler: Any, **conditions: Any) -> Any:
        """Declare a handler of each item's last change in a batch: `@on.latest(pk="ORDER#")`.

        It runs when the rest of the batch is done. Its conditions are those on keys.
        """
        from lambda_runtime._routing.batch_routes import latest_route  # noqa: PLC0415 - few routers need it

        def decorate(function: Any) -> Any:
            self._check_no_window()
            self._routes.of_batches.append(latest_route(function, conditions))
            return function

        return decorate(*handler) if handler else decorate

    def aggregate(
        self, writer: BatchWriter, /, *, keys: Mapping[str, Any] | None = None, **key: Any
    ) -> None:
        """Keep a view up to date: `on.aggregate(ViewWriter(view, target=…, marks=…))`.

        `lambda_runtime.views` has the writer. Conditions are those on keys.
        """
        from lambda_runtime._routing.batch_routes import aggregate_route  # noqa: PLC0415 - few routers need it

        self._check_no_window()
        self._routes.of_batches.append(aggregate_route(writer, {"keys": keys, **key}))

    def window(
        self, *, initial: State | Callable[[], State], end_early: bool = False
    ) -> Callable[[HandlesWindow], HandlesWindow]:
        """Declare the function that adds a change to the state of its tumbling window.

        It takes the state and the change, and the `Window` when it has a third parameter, and
        returns the state after the change. A router with a window has no other routes.

        Args:
            initial: The state in which every window starts, or a function that makes it.
            end_early: Let Lambda end a window before its time when its state grows over 1 MB; False
                makes that a failure (`WindowError`).
        """
        from lambda_runtime._batches.tumbling_windows import WindowRoutes  # noqa: PLC0415 - only windows pay for it

        def decorate(add: HandlesWindow) -> HandlesWindow:
            if self._window is not None or self._routes:
                raise RouteError(
                    "a router has one window and then no other routes, got a second declaration; "
                    "use a router of its own for the window"
                )
            if self._concurrency > 1:
                raise RouteError("a window takes one change at a time; leave concurrency out")
            if self._pauses:
                raise RouteError("a batch of a window fails as a whole; leave pause_on out")
            self._window = WindowRoutes(add, initial, end_early=end_early, numbers=self._numbers)
            return add

        return decorate

    def window_end(self, end: HandlesEnd, /) -> HandlesEnd:
        """Declare the function that gets the state of a finished window, and its `Window`."""
        if self._window is None:
            raise RouteError("window_end needs a window; declare it with @on.window(...) first")
        self._window.ends_with(end)
        return end

    def handler(self, event: Any, context: Any = None) -> dict[str, Any]:
        """Handle a batch in order, up to the first record that fails or comes too late.

        Args:
            event: What Lambda delivers: `{"Records": [...]}`.
            context: Lambda's context; None in a test.

        Returns:
            `{"batchItemFailures": []}`, or `{"batchItemFailures": [{"itemIdentifier": "3800…"}]}`
            with the sequence number of the first record that is not handled. That may be the
            first of the batch, when there was no time to start it. For a mapping with a tumbling
            window there is always a `state` too.

        Raises:
            Exception: the handler's own, when the mapping does not take partial responses (the
                environment variable STREAM_PARTIAL_RESPONSE is not 1), so that Lambda retries.
            DeadlineError: the same, when the deadline was near.
            EventError: the event is no DynamoDB Streams event.
        """
        records = records_of(event)
        observers, answer = [begin(records) for begin in self._observers], None
        if self._traces and processing.is_traced():
            from lambda_runtime._batches.traces import TracedBatch  # noqa: PLC0415 - when sampled only

            observers.append(TracedBatch(records, self._show))
        try:
            answer = self._handle(event, records, context, observers)
        finally:
            for each in observers:
                each.end(answer)
        return answer

    def _handle(
        self, event: Any, records: list[Any], context: Any, observers: list[Observer]
    ) -> dict[str, Any]:
        report_failure = failure_reporter(records, self._on_reject, self._show, context)
        routes = self._routes
        for each in observers:
            report_failure = each.reporting(report_failure)
            routes = routes.with_functions(each.function_of)
        learns = self._window is None and processing.takes_partial_responses()
        watch = deadline(context, self._reserve_ms, learns=learns)
        if self._window is not None:
            return self._window.handle(event, records, watch, report_failure)
        runs = [route.begin(context) for route in self._routes.of_batches]
        take = routes.record_handler(context, self._convert, report_failure, runs)
        for each in observers:
            take = each.taking(take, settles=not runs)
        failure = self._run(records, take, watch)
        for run in runs:
            end = len(records) if failure is None else failure.unhandled
            failure = run.finish(end, watch, report_failure) or failure
        if failure is not None and failure.error is None:
            from lambda_runtime._batches import log_lines  # noqa: PLC0415 - on failures only

            log_lines.log_deadline(records, failure.unhandled)
        response = processing.answer(records, failure)
        # With a tumbling window a response without state counts as a failed invocation.
        return {"state": event.get("state") or {}, **response} if "window" in event else response

    def _run(self, records: list[Any], take: Take, watch: Watch | None) -> Failure | None:
        """Take all records, on as many threads as asked for."""
        if not self._routes:
            raise RouteError("this router has no routes; declare one before its handler is called")
        if self._concurrency == 1:
            return processing.in_order(records, take, watch)
        from lambda_runtime._batches.concurrency import on_threads  # noqa: PLC0415 - few routers need it

        return on_threads(records, take, watch, self._concurrency)

    def _declare(
        self,
        change: type,
        handler: tuple[Any, ...],
        conditions: dict[str, Any],
        attributes: tuple[Any, ...] = (),
    ) -> Any:
        """Add the route of `handler`; without one, return the decorator that will add it."""
        if len(handler) > 1 or (handler and conditions):
            raise RouteError(
                f"{change.__name__.lower()} is used bare or with conditions, as in "
                f'@on.insert or @on.insert(pk="ORDER#"), got {handler!r} with {conditions!r}'
            )

        def decorate(function: Any) -> Any:
            self._check_no_window()
            self._routes.add(change, declared(change, function, attributes, **conditions))
            return function

        return decorate(*handler) if handler else decorate

    def _check_no_window(self) -> None:
        if self._window is not None:
            raise RouteError(
                "a router with a window has no other routes; handle single changes in a consumer "
                "of their own"
            )
