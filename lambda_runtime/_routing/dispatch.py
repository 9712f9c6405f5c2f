"""From a record to its routes: one record is taken, and a failure is logged or sent away."""

from __future__ import annotations

from lambda_runtime._batches.processing import Failure
from lambda_runtime._changes.changes import Insert, Modify, Remove
from lambda_runtime._changes.parsing import change_of
from lambda_runtime._routing.routes import Route
from lambda_runtime._routing.signatures import check_result
from lambda_runtime.errors import Reject, RouteError, UnroutedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from lambda_runtime._batches.processing import ReportFailure, Take
    from lambda_runtime._changes.parsing import Change
    from lambda_runtime._routing.batch_routes import BatchRoute, BatchRun
    from lambda_runtime._values.numbers_as import Convert


__all__ = ["Routes", "failure_reporter"]


class Routes:
    """The routes of a router, by event in the order of their declaration, and the default one."""

    __slots__ = ("_by_change", "_default", "_fails_unrouted", "of_batches")

    def __init__(self, *, fails_unrouted: bool) -> None:
        self._by_change: dict[type, list[Route]] = {Insert: [], Modify: [], Remove: []}
        self._default: Route | None = None
        self._fails_unrouted = fails_unrouted
        self.of_batches: list[BatchRoute] = []

    def __bool__(self) -> bool:
        found = self.of_batches or self._default is not None or any(self._by_change.values())
        return bool(found)

    def add(self, change: type, route: Route) -> None:
        """Add a route for `change`: Insert, Modify or Remove."""
        self._by_change[change].append(route)

    def set_default(self, route: Route) -> None:
        """Make a route the one for changes that no other takes."""
        if self._default is not None:
            raise RouteError(
                f"a router has one default route, and {self._default.name} is declared as it; "
                "remove one of the two"
            )
        if self._fails_unrouted:
            raise RouteError('a default route leaves no change unrouted; omit unrouted="fail"')
        self._default = route

    def with_functions(self, wrap: Callable[[str, Callable[..., object]], Any]) -> Routes:
        """The same routes, each function as `wrap(name, function)` returns it."""
        found = Routes(fails_unrouted=self._fails_unrouted)
        found._by_change = {
            change: [each.with_function(wrap(each.name, each.function)) for each in routes]
            for change, routes in self._by_change.items()
        }
        if (default := self._default) is not None:
            found._default = default.with_function(wrap(default.name, default.function))
        return found

    def record_handler(
        self,
        context: Any,
        convert: Convert,
        report_failure: ReportFailure,
        runs: Sequence[BatchRun] = (),
    ) -> Take:
        """The function that hands one record to all routes that take it.

        It is called for each record of each batch, so it looks nothing up that it can keep.
        `runs` are those of the batch routes.
        """
        by_change = self._by_change

        def take(record: Any, position: int) -> Failure | None:
            route: Route | BatchRoute | None = None
            try:
                change = change_of(record, position, convert)
                taken = False
                for route in by_change[change.__class__]:
                    if route.takes is None or route.takes(change):
                        taken = True
                        if route.wants_context:
                            result = route.function(change, context)
                        else:
                            result = route.function(change)
                        if result is not None:
                            check_result(route.function, result)
                for run in runs:
                    route = run.route
                    taken = run.take(change, position) or taken
                if not taken:
                    route = self._default
                    self._take_unrouted(change, context)
            except Exception as error:  # noqa: BLE001 - whatever a handler raises fails its record
                return report_failure(
                    Failure(position, error, None if route is None else route.name)
                )
            return None

        return take

    def _take_unrouted(self, change: Change, context: Any) -> None:
        if self._default is not None:
            self._default.call(change, context)
        elif self._fails_unrouted:
            raise UnroutedError(
                f"no route takes this {type(change).__name__}; declare one, a default route, "
                'or Router(unrouted="ignore")'
            )


def failure_reporter(
    records: list[Any],
    on_reject: str | Callable[[str], object] | None,
    show: Collection[str],
    context: Any = None,
) -> ReportFailure:
    """The function that reports a failed record, and returns what is left of the failure.

    It logs the failure. None is left when the record was rejected and could be sent away.
    """

    def report_failure(failure: Failure) -> Failure | None:
        from lambda_runtime._batches import log_lines, rejects  # noqa: PLC0415 - on failures only

        left: Failure | None = failure
        if isinstance(failure.error, Reject):
            arn = getattr(context, "invoked_function_arn", None)
            record = records[failure.position]
            left = rejects.send(record, failure, failure.error, on_reject, arn)
        log_lines.log_record(records, failure, left, show=show)
        return left

    return report_failure
