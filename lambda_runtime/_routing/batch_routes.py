"""Routes that see the changes of a batch together: only the last change of each item counts.

    on = Router()

    @on.latest(pk="ORDER#")
    def index(change: Change) -> None: ...

An item that changes ten times within a batch is handled once, in its newest state. The work is
done when the last record of the batch was taken, so a failure of another route at record 7 leaves
the changes before it to be handled. Whatever is not handled then is named to Lambda by its item's
*first* record of the batch: an earlier change was left out because of a later one, so both must
come again together.
"""

from __future__ import annotations

from lambda_runtime._batches.concurrency import item_of
from lambda_runtime._batches.processing import Failure
from lambda_runtime._routing.route_conditions import all_of, key_matches
from lambda_runtime._routing.routes import Route
from lambda_runtime.errors import RouteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
    from typing import Any, Protocol

    from lambda_runtime._batches.deadlines import Watch
    from lambda_runtime._batches.processing import ReportFailure
    from lambda_runtime._changes.parsing import Change
    from lambda_runtime._routing.route_conditions import Condition

    class BatchWriter(Protocol):
        """What `Router.aggregate` takes: a writer of many changes at a time."""

        def prepare(self, change: Any, /) -> Any:
            """Read what the change leads to, without any call; what it raises fails the record."""

        def write(self, prepared: Sequence[Any], /) -> Iterator[int]:
            """Write in order; after each step, yield how many of `prepared` are written."""


__all__ = ["BatchRoute", "BatchRun", "aggregate_route", "latest_route"]


class BatchRoute:
    """A route with a writer; `takes` is None when it takes every change.

    `open_writer` makes the writer of one batch from Lambda's context.
    """

    __slots__ = ("name", "open_writer", "takes")

    def __init__(
        self, open_writer: Callable[[Any], BatchWriter], conditions: Mapping[str, Any], name: str
    ) -> None:
        self.open_writer = open_writer
        self.takes = _of_keys(**conditions)
        self.name = name

    def begin(self, context: Any) -> BatchRun:
        """Start a batch."""
        return BatchRun(self, self.open_writer(context))


class BatchRun:
    """The changes of one batch that a route has taken, by their position in it."""

    __slots__ = ("_taken", "_writer", "route")

    def __init__(self, route: BatchRoute, writer: BatchWriter) -> None:
        self.route = route
        self._writer = writer
        self._taken: dict[int, tuple[Hashable, Any]] = {}

    def take(self, change: Change, position: int) -> bool:
        """Keep a change for the end of the batch; False when the route does not take it."""
        if self.route.takes is not None and not self.route.takes(change):
            return False
        self._taken[position] = item_of(change.keys.raw), self._writer.prepare(change)
        return True

    def finish(
        self, end: int, watch: Watch | None, report_failure: ReportFailure
    ) -> Failure | None:
        """Write the last change of each item before the position `end`; None when all is done.

        At least one step is made, so that a batch that comes again and again gets on.

        Args:
            end: The first record of the batch that was not taken, or their number.
            watch: Watches the function's deadline; None when there is none.
            report_failure: Logs a failure; returns None when the record was sent away.
        """
        near = None if watch is None else watch()
        todo = self._last_of_each_item(end)
        while todo:
            done = 0
            try:
                for done in self._writer.write([prepared for _, _, prepared in todo]):
                    if done < len(todo) and near is not None and near():
                        return _undone(todo[done:], None, None)
            except Exception as error:  # noqa: BLE001 - whatever a writer raises fails its record
                failure = report_failure(_undone(todo[done:], error, self.route.name))
                if failure is not None:
                    return failure
                todo = todo[done + 1 :]  # This one was rejected and sent away.
            else:
                break
        return None

    def _last_of_each_item(self, end: int) -> list[tuple[int, int, Any]]:
        """Each item's first and last position and what its last change led to, by the last."""
        items: dict[Hashable, tuple[int, int, Any]] = {}
        for position in sorted(self._taken):
            if position < end:
                item, prepared = self._taken[position]
                first = items[item][0] if item in items else position
                items[item] = (first, position, prepared)
        return sorted(items.values(), key=lambda each: each[1])


class _Calls:
    """The writer of `Router.latest`: writing is a call of its function."""

    def __init__(self, route: Route, context: Any) -> None:
        self._route = route
        self._context = context

    def prepare(self, change: Change) -> Change:
        return change

    def write(self, prepared: Sequence[Change]) -> Iterator[int]:
        for count, change in enumerate(prepared, start=1):
            self._route.call(change, self._context)
            yield count


def latest_route(function: Callable[..., object], conditions: Mapping[str, Any]) -> BatchRoute:
    """The route of `Router.latest`; its function takes a change, or a change and the context."""
    route = Route(function, None)
    return BatchRoute(lambda context: _Calls(route, context), conditions, route.name)


def aggregate_route(writer: BatchWriter, conditions: Mapping[str, Any]) -> BatchRoute:
    """The route of `Router.aggregate`."""
    if not all(callable(getattr(writer, method, None)) for method in ("prepare", "write")):
        raise RouteError(
            "aggregate takes a writer, such as "
            f'ViewWriter(view, target="totals", marks="totals-marks"), got {writer!r}'
        )
    return BatchRoute(lambda _: writer, conditions, type(writer).__name__)


def _undone(
    todo: Sequence[tuple[int, int, Any]], error: BaseException | None, route: str | None
) -> Failure:
    _, position, _ = todo[0]
    failure = Failure(position, error, route)
    failure.unhandled = min(first for first, _, _ in todo)
    return failure


def _of_keys(*, keys: Mapping[str, Any] | None = None, **key: Any) -> Condition | None:
    """The condition of a batch route: on key attributes alone, which no change of an item alters.

    An attribute would sort an item's changes: the last one of a batch may not be the last taken.
    """
    refused = sorted({"where", "was", "when", "expired"} & key.keys())
    if refused:
        raise RouteError(
            f"a route of each item's last change takes conditions on keys alone, got {refused[0]}; "
            "look at other attributes in the function, or use View(where=...)"
        )
    named = {**(keys or {}), **key}
    return all_of(key_matches(name, wanted) for name, wanted in named.items())
