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

from lambda_runtime import batches
from lambda_runtime.batches import Failure
from lambda_runtime.errors import RouteError, UnroutedError
from lambda_runtime.records import Insert, Modify, Remove, change_of, records_of
from lambda_runtime.routes import Route, declared

__all__ = ["Router"]

TYPE_CHECKING = False
if not TYPE_CHECKING:

    def overload(function):  # noqa: ANN001, ANN202 - typing's own costs 8 ms of every cold start
        return function


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Literal, TypeVar, overload  # noqa: TC004 - see above

    from lambda_runtime.records import Change

    Handles = TypeVar("Handles", bound=Callable[[Change], object] | Callable[[Change, Any], object])
    HandlesInsert = TypeVar(
        "HandlesInsert", bound=Callable[[Insert], object] | Callable[[Insert, Any], object]
    )
    HandlesModify = TypeVar(
        "HandlesModify", bound=Callable[[Modify], object] | Callable[[Modify, Any], object]
    )
    HandlesRemove = TypeVar(
        "HandlesRemove", bound=Callable[[Remove], object] | Callable[[Remove, Any], object]
    )


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
        margin_ms: How much of the invocation has to be left to start another record: as long as
            one record may take. None means a tenth of what is left when the batch starts, at most
            5,000 ms.
    """

    def __init__(
        self,
        *,
        unrouted: Literal["ignore", "fail"] = "ignore",
        margin_ms: int | None = None,
    ) -> None:
        if unrouted not in ("ignore", "fail"):
            raise RouteError(f'unrouted must be "ignore" or "fail", got {unrouted!r}')
        if margin_ms is not None and (not isinstance(margin_ms, int) or margin_ms < 0):
            raise RouteError(f"margin_ms must be milliseconds from 0, or None, got {margin_ms!r}")
        self._unrouted = unrouted
        self._margin_ms = margin_ms
        self._routes: dict[type, list[Route]] = {Insert: [], Modify: [], Remove: []}
        self._default: Route | None = None

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
        *attributes: str,
        where: Mapping[str, Any] | None = None,
        was: Mapping[str, Any] | None = None,
        when: Callable[[Modify], bool] | None = None,
        keys: Mapping[str, Any] | None = None,
        **key: Any,
    ) -> Callable[[HandlesModify], HandlesModify]: ...
    def modify(self, *attributes: Any, **conditions: Any) -> Any:
        """Declare a handler of changed items.

        `@on.modify("status", "total")` takes a change in which at least one of the named
        attributes is different. `was={"status": "PLACED"}` compares the old image as `where` does
        the new one. Both need a stream of NEW_AND_OLD_IMAGES.
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

    def default(self, handler: Handles, /) -> Handles:
        """Declare the handler of every change that no other route takes."""
        if self._default is not None:
            raise RouteError(f"a router has one default route, and {self._default.name} is it")
        if self._unrouted == "fail":
            raise RouteError('with a default route no change is unrouted; drop unrouted="fail"')
        self._default = Route(handler, None)
        return handler

    def handler(self, event: Any, context: Any = None) -> dict[str, Any]:
        """Handle a batch in order, up to the first record that fails or comes too late.

        Args:
            event: What Lambda delivers: `{"Records": [...]}`.
            context: Lambda's context; None in a test.

        Returns:
            `{"batchItemFailures": []}`, or `{"batchItemFailures": [{"itemIdentifier": "3800…"}]}`
            with the sequence number of the first record that is not handled. That may be the
            first of the batch, when there was no time to start it.

        Raises:
            Exception: the handler's own, when the mapping does not take partial responses (the
                environment variable STREAM_PARTIAL_RESPONSE is not 1), so that Lambda retries.
            DeadlineError: the same, when the deadline was near.
            EventError: the event is no DynamoDB Streams event.
        """
        if self._default is None and not any(self._routes.values()):
            raise RouteError("this router has no routes; declare one before its handler is called")
        records = records_of(event)

        def take(record: Any, position: int) -> Failure | None:
            return self._take(record, position, context)

        near = batches.deadline(context, self._margin_ms)
        return batches.answer(records, batches.in_order(records, take, near))

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
            self._routes[change].append(declared(change, function, attributes, **conditions))
            return function

        return decorate(*handler) if handler else decorate

    def _take(self, record: Any, position: int, context: Any) -> Failure | None:
        """Hand one record to the routes that take it; None when all is well."""
        route = None
        try:
            change = change_of(record, position)
            taken = False
            for route in self._routes[type(change)]:
                if route.takes is None or route.takes(change):
                    taken = True
                    if route.wants_context:
                        route.function(change, context)
                    else:
                        route.function(change)
            if not taken:
                route = self._default
                self._unroute(change, context)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises fails its record
            return Failure(position, error, None if route is None else route.name)
        return None

    def _unroute(self, change: Change, context: Any) -> None:
        """What happens to a change that no route takes."""
        if self._default is not None:
            self._default.call(change, context)
        elif self._unrouted == "fail":
            raise UnroutedError(
                f"no route takes this {type(change).__name__}; declare one, a default route, "
                'or Router(unrouted="ignore")'
            )
