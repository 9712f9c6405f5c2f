"""The router: which routes take a change, in which order, and what a declaration may say."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import pytest

from lambda_runtime import Insert, Modify, Remove, RouteError, Router, UnroutedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

HANDLED: dict[str, Any] = {"batchItemFailures": []}


def test_each_event_goes_to_its_own_handler(make_record: Any) -> None:
    on = Router()
    seen: list[Any] = []
    on.insert(seen.append)
    on.modify(seen.append)
    on.remove(seen.append)
    events = ["INSERT", "MODIFY", "REMOVE"]
    event = {"Records": [make_record(at, name) for at, name in enumerate(events)]}

    assert on.handler(event, None) == HANDLED
    assert [type(change) for change in seen] == [Insert, Modify, Remove]


def test_a_decorated_function_stays_what_it_was() -> None:
    on = Router()

    @on.insert
    def bare(change: Insert) -> str:
        return change.event_id

    @on.modify("status", pk="ORDER#")
    def conditional(change: Modify) -> str:
        return change.event_id

    assert (bare.__name__, conditional.__name__) == ("bare", "conditional")


def test_modify_of_an_attribute_takes_only_changes_of_it(make_record: Any) -> None:
    on = Router()
    seen: list[str] = []

    @on.modify("status", "total")
    def changed(change: Modify) -> None:
        seen.append(change.event_id[-1])

    status = make_record(1, "MODIFY", old={"status": {"S": "a"}}, new={"status": {"S": "b"}})
    total = make_record(2, "MODIFY", old={"total": {"N": "1"}}, new={})
    other = make_record(3, "MODIFY", old={"email": {"S": "a"}}, new={"email": {"S": "b"}})
    on.handler({"Records": [status, total, other]})

    assert seen == ["1", "2"]


@pytest.mark.parametrize(("expired", "taken"), [(None, "12"), (True, "1"), (False, "2")])
def test_a_remove_can_be_taken_by_who_deleted_it(
    make_record: Any, expired: bool | None, taken: str
) -> None:
    on = Router()
    seen: list[str] = []
    on.remove(expired=expired)(lambda change: seen.append(change.event_id[-1]))

    records = [make_record(1, "REMOVE", expired=True), make_record(2, "REMOVE")]
    on.handler({"Records": records})

    assert "".join(seen) == taken


@pytest.mark.parametrize(
    ("conditions", "taken"),
    [
        ({"pk": "ORDER#"}, "1 2"),
        ({"pk": ("ORDER#", "USER#")}, "1 2 3"),
        ({"pk": re.compile(r"ORDER#\d+")}, "1"),
        ({"pk": "ORDER#", "sk": "LINE#"}, "2"),
        ({"keys": {"pk": "USER#"}}, "3"),
        ({"keys": {"pk": "ORDER#"}, "sk": "META"}, "1"),
        ({"where": {"pk": "ORDER#1"}}, "1"),
        ({"where": {"type": "order"}}, "1"),
        ({"where": {"type": ("order", "user")}}, "1 3"),
        ({"where": {"total": 12}}, "1"),
        ({"where": {"paid": True}}, "3"),
        ({"where": {"total": True}}, ""),
        ({"where": {"paid": 1}}, ""),
        ({"where": {"nothing": None}}, "3"),
        ({"when": lambda change: len(change.new) == 4}, "1"),
        ({"pk": "ORDER#", "where": {"type": "order"}, "when": lambda _: False}, ""),
    ],
)
def test_the_conditions_of_a_route_all_have_to_hold(
    make_record: Any, conditions: dict[str, Any], taken: str
) -> None:
    on = Router()
    seen: list[str] = []
    on.insert(**conditions)(lambda change: seen.append(change.event_id[-1]))

    def item(number: int, pk: str, sk: str, **new: Any) -> dict[str, Any]:
        keys = {"pk": {"S": pk}, "sk": {"S": sk}}
        record: dict[str, Any] = make_record(number, keys=keys, new=new)
        return record

    order = item(1, "ORDER#1", "META", type={"S": "order"}, total={"N": "12.0"})
    line = item(2, "ORDER#1#2", "LINE#1")
    user = item(
        3, "USER#1", "META", type={"S": "user"}, paid={"BOOL": True}, nothing={"NULL": True}
    )
    on.handler({"Records": [order, line, user]})

    assert " ".join(seen) == taken


def test_a_binary_key_is_matched_by_a_prefix_of_bytes(make_record: Any) -> None:
    on = Router()
    seen: list[bytes] = []
    on.insert(pk=b"\x00\x01")(lambda change: seen.append(change.keys["pk"]))

    records = [make_record(keys={"pk": {"B": text}}) for text in ("AAEC", "AQEC")]
    on.handler({"Records": records})

    assert seen == [b"\x00\x01\x02"]


def test_modify_takes_a_path_into_a_map(make_record: Any) -> None:
    on = Router()
    taken: list[str] = []

    @on.modify(("address", "city"))
    def moved(change: Modify) -> None:
        taken.append(change.new["address"]["city"])

    def address(city: str) -> dict[str, Any]:
        return {"address": {"M": {"city": {"S": city}}}}

    on.handler(
        {
            "Records": [
                make_record(1, "MODIFY", old=address("Bonn"), new=address("Ulm")),
                make_record(2, "MODIFY", old=address("Bonn"), new=address("Bonn")),
            ]
        }
    )
    assert taken == ["Ulm"]


def test_was_compares_the_image_before_the_change(make_record: Any) -> None:
    on = Router()
    seen: list[str] = []
    paid = on.modify(was={"status": "PLACED"}, where={"status": "PAID"})
    paid(lambda change: seen.append(change.event_id[-1]))

    def status(number: int, before: str, after: str) -> dict[str, Any]:
        images = {"old": {"status": {"S": before}}, "new": {"status": {"S": after}}}
        record: dict[str, Any] = make_record(number, "MODIFY", **images)
        return record

    on.handler({"Records": [status(1, "PLACED", "PAID"), status(2, "NEW", "PAID")]})

    assert seen == ["1"]


def test_where_reads_the_old_image_of_a_remove(make_record: Any) -> None:
    on = Router()
    seen: list[str] = []
    on.remove(where={"type": "order"})(lambda change: seen.append(change.event_id[-1]))

    on.handler({"Records": [make_record(1, "REMOVE", old={"type": {"S": "order"}})]})

    assert seen == ["1"]


def test_every_route_that_takes_a_change_gets_it_in_declaration_order(make_record: Any) -> None:
    # With the first match alone, a change of two attributes would lose one of its two handlers.
    on = Router()
    seen: list[str] = []
    on.modify("email")(lambda _: seen.append("email"))
    on.modify("status")(lambda _: seen.append("status"))
    on.modify(lambda _: seen.append("any"))
    before = {"status": {"S": "a"}, "email": {"S": "a"}}
    after = {"status": {"S": "b"}, "email": {"S": "b"}}

    on.handler({"Records": [make_record(1, "MODIFY", old=before, new=after)]})

    assert seen == ["email", "status", "any"]


def test_a_misspelt_key_attribute_fails_instead_of_never_matching(make_record: Any) -> None:
    on = Router()
    on.insert(pkk="ORDER#")(lambda _: None)

    with pytest.raises(RouteError, match="asks for the key 'pkk', but the keys of this table are"):
        on.handler({"Records": [make_record()]})


# --- changes that no route takes ---


def test_a_change_that_no_route_takes_is_ignored_by_default(make_record: Any) -> None:
    on = Router()
    on.insert(lambda _: None)

    assert on.handler({"Records": [make_record(1, "MODIFY")]}) == HANDLED


def test_unrouted_fail_makes_it_a_failure(make_record: Any) -> None:
    on = Router(unrouted="fail")
    on.insert(lambda _: None)

    with pytest.raises(UnroutedError, match="no route takes this Modify"):
        on.handler({"Records": [make_record(1, "MODIFY")]})


def test_the_default_route_takes_what_no_other_route_does(make_record: Any) -> None:
    on = Router()
    seen: list[str] = []
    on.insert(pk="ORDER#")(lambda change: seen.append(f"order {change.keys['pk']}"))
    on.default(lambda change: seen.append(f"default {change.keys['pk']}"))
    keys: list[dict[str, Any]] = [{"pk": {"S": "ORDER#1"}}, {"pk": {"S": "USER#1"}}]

    on.handler({"Records": [make_record(keys=key) for key in keys]})

    assert seen == ["order ORDER#1", "default USER#1"]


# --- handlers ---


class Orders:
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def alone(self, anything: Any) -> None:
        self.calls.append((anything.event_id,))

    def with_context(self, anything: Any, whatever: Any) -> None:
        self.calls.append((anything.event_id, whatever))

    def optional(self, change: Any, retries: int = 3) -> None:
        self.calls.append((change.event_id, retries))

    def optional_context(self, change: Any, context: Any = None) -> None:
        self.calls.append((change.event_id, context))

    def any_number(self, *arguments: Any) -> None:
        self.calls.append((arguments[0].event_id, *arguments[1:]))

    def __call__(self, change: Any, invocation: Any) -> None:
        self.calls.append((change.event_id, invocation))


@pytest.mark.parametrize(
    ("handler", "passed"),
    [
        (lambda orders: orders.alone, ()),
        (lambda orders: orders.with_context, ("context",)),
        (lambda orders: orders.optional, (3,)),
        (lambda orders: orders.optional_context, ("context",)),
        (lambda orders: orders.any_number, ()),
        (lambda orders: orders, ("context",)),
        (lambda orders: functools.partial(orders.optional, retries=5), (5,)),
        (lambda orders: functools.partial(orders.with_context), ("context",)),
    ],
)
def test_a_handler_takes_the_change_alone_or_with_the_context_under_any_names(
    make_record: Any, handler: Callable[[Orders], Any], passed: tuple[Any, ...]
) -> None:
    orders = Orders()
    on = Router()
    on.insert(handler(orders))

    on.handler({"Records": [make_record()]}, "context")

    assert [call[1:] for call in orders.calls] == [passed]


def test_a_wrapped_handler_is_called_as_what_it_wraps(make_record: Any) -> None:
    on = Router()
    calls: list[int] = []

    def counted(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def wrapper(*arguments: Any) -> None:
            calls.append(len(arguments))
            function(*arguments)

        return wrapper

    on.insert(counted(lambda _change: None))
    on.insert(counted(lambda _change, _context: None))
    on.handler({"Records": [make_record()]})

    assert calls == [1, 2]


async def _coroutine(change: Any) -> None:
    """A handler that a plain call would not run."""


def _generator(change: Any) -> Iterator[Any]:
    yield change


async def _async_generator(change: Any) -> AsyncIterator[Any]:
    yield change


def _keyword_only(change: Any, *, needed: int) -> None:
    """A handler that nobody passes what it needs."""


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("created", "a handler must be a function, got 'created'"),
        (None, "a handler must be a function, got None"),
        (Orders, "a handler must be a function, got <class"),
        (lambda: None, r"<lambda> cannot be called with \(change\)"),
        (lambda _a, _b, _c: None, r"it has the parameters \(_a, _b, _c\)"),
        (_keyword_only, r"it has the parameters \(change, needed\)"),
        (functools.partial(_keyword_only), r"it has the parameters \(change, needed\)"),
        (_coroutine, "_coroutine is asynchronous or a generator"),
        (_generator, "_generator is asynchronous or a generator"),
        (_async_generator, "_async_generator is asynchronous or a generator"),
        (functools.partial(_coroutine), "is asynchronous or a generator"),
    ],
)
def test_a_handler_that_could_not_be_called_is_refused_when_declared(
    handler: Any, message: str
) -> None:
    with pytest.raises(RouteError, match=message):
        Router().insert(handler)
    with pytest.raises(RouteError, match=message):
        Router().insert(pk="ORDER#")(handler)


@pytest.mark.parametrize("body", [_coroutine, _generator, _async_generator])
def test_a_handler_whose_call_runs_nothing_fails_its_record(body: Any, make_record: Any) -> None:
    on = Router()

    @on.insert
    def handle(change: Any) -> Any:
        return body(change)

    with pytest.raises(RouteError, match=r"handle returned an? .*, so nothing of it ran"):
        on.handler({"Records": [make_record(1)]})


@pytest.mark.parametrize("condition", [_coroutine, _generator])
def test_a_condition_that_no_call_would_run_is_refused_when_declared(condition: Any) -> None:
    with pytest.raises(RouteError, match="is asynchronous or a generator"):
        Router().insert(when=condition)(lambda _change: None)


def test_a_condition_that_returns_a_coroutine_fails_its_record(make_record: Any) -> None:
    on = Router()

    def paid(change: Any) -> Any:
        return _coroutine(change)

    on.insert(when=paid)(lambda _change: None)

    with pytest.raises(RouteError, match="paid returned a coroutine, so nothing of it ran"):
        on.handler({"Records": [make_record(1)]})


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda on: on.insert(pk=""), "pk='' is no condition on a key"),
        (lambda on: on.insert(pk=7), "pk=7 is no condition on a key"),
        (lambda on: on.insert(pk=()), "is no condition on a key"),
        (lambda on: on.insert(pk=("a", b"b")), "is no condition on a key"),
        (lambda on: on.insert(keys={"pk": None}), "pk=None is no condition on a key"),
        (lambda on: on.insert(expired=True), "only a Remove can have expired"),
        (lambda on: on.modify(expired=True), "only a Remove can have expired"),
        (lambda on: on.remove(expired="yes"), "expired must be True"),
        (lambda on: on.remove(was={"a": 1}), "only a Modify has two images"),
        (lambda on: on.insert(was={"a": 1}), "only a Modify has two images"),
        (lambda on: on.insert(where={"a": 1.5}), "'a' can be compared with a str, int, Decimal"),
        (lambda on: on.insert(where={"a": [1]}), "'a' can be compared with a str, int, Decimal"),
        (lambda on: on.insert(where={"a": ()}), "'a' can be compared with a str, int, Decimal"),
        (lambda on: on.insert(when="status"), "when must be a function of the change"),
        (lambda on: on.modify("status", 7), "modify takes names of attributes, got 7"),
        (lambda on: on.modify("status", ""), "modify takes names of attributes, got ''"),
    ],
)
def test_a_condition_that_could_never_hold_is_refused_when_declared(
    declare: Callable[[Router], Any], message: str
) -> None:
    with pytest.raises(RouteError, match=message):
        declare(Router())(lambda _change: None)


def test_a_bare_decorator_takes_no_conditions() -> None:
    on: Any = Router()
    with pytest.raises(RouteError, match="insert is used bare or with conditions"):
        on.insert(lambda _: None, pk="ORDER#")
    with pytest.raises(RouteError, match="insert is used bare or with conditions"):
        on.insert("status", "total")


def test_an_event_that_streams_do_not_have_is_no_decorator() -> None:
    with pytest.raises(AttributeError):
        Router().update(lambda _: None)  # type: ignore[attr-defined]


def untyped(function: Any) -> Any:
    """Return a function as those call it who run no type checker."""
    return function


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (
            lambda: untyped(Router().insert)(where="PAID"),
            "where must be a dict such as {'status': 'PAID'}",
        ),
        (
            lambda: untyped(Router().modify)(was=["PAID"]),
            "was must be a dict such as {'status': 'PAID'}",
        ),
        (
            lambda: untyped(Router)(pause_on=OSError),
            "pause_on must be a Pause, as in Pause(OSError), got",
        ),
        (lambda: Router(concurrency=True), "concurrency must be 1 or more threads, got True"),
    ],
)
def test_a_value_of_another_kind_is_refused_where_it_is_declared(
    declare: Callable[[], Any], message: str
) -> None:
    with pytest.raises(RouteError) as refused:
        declare()(lambda _: None)
    assert message in str(refused.value)


def test_a_router_has_one_default_and_then_nothing_is_unrouted() -> None:
    on = Router()
    on.default(lambda _: None)
    with pytest.raises(RouteError, match="a router has one default route"):
        on.default(lambda _: None)
    with pytest.raises(RouteError, match='omit unrouted="fail"'):
        Router(unrouted="fail").default(lambda _: None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unrouted": "raise"}, "unrouted must be"),
        ({"reserve_ms": -1}, "reserve_ms must be milliseconds from 0, or None, got -1"),
        ({"on_reject": 7}, "on_reject must be a queue's URL or a function, got 7"),
        ({"reserve_ms": 1.5}, "reserve_ms must be milliseconds from 0, or None, got 1.5"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RouteError, match=message):
        Router(**settings)


def test_a_router_without_routes_refuses_to_swallow_a_batch(make_event: Any) -> None:
    with pytest.raises(RouteError, match="this router has no routes"):
        Router().handler(make_event(1))
