"""Tumbling windows: the state in and out, the end of a window, and what must not happen to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from lambda_runtime import (
    AttributeValueError,
    DeadlineError,
    Reject,
    RouteError,
    Router,
    Window,
    WindowError,
)


def windowed(records: list[Any], state: dict[str, Any] | None = None, **more: Any) -> Any:
    """An invocation of a mapping with a tumbling window, in the recorded order of its keys."""
    return {
        "Records": records,
        "shardId": "shardId-00000001789654273755-3d110129",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/x",
        "window": {"start": "2026-09-17T14:11:10Z", "end": "2026-09-17T14:11:20Z"},
        "state": state or {},
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
        **more,
    }


FINAL: dict[str, Any] = {"isFinalInvokeForWindow": True}
EARLY: dict[str, Any] = {"isFinalInvokeForWindow": True, "isWindowTerminatedEarly": True}


def through_lambda(response: dict[str, Any]) -> dict[str, Any]:
    """The state as the next batch gets it: it has been JSON in between."""
    state: dict[str, Any] = json.loads(json.dumps(response))["state"]
    return state


def totals(**settings: Any) -> tuple[Router, list[tuple[dict[str, Any], Window]]]:
    """A router that counts orders and adds their totals, and what its windows ended with."""
    on = Router(**settings)
    ended: list[tuple[dict[str, Any], Window]] = []

    @on.window(initial={"orders": 0, "total": 0})
    def add(state: dict[str, Any], change: Any) -> dict[str, Any]:
        total = state["total"] + change.new["total"]
        return {"orders": state["orders"] + 1, "total": total}

    @on.window_end
    def publish(state: dict[str, Any], window: Window) -> None:
        ended.append((state, window))

    return on, ended


@pytest.fixture
def order(make_record: Any) -> Any:
    return lambda number, total: make_record(number, new={"total": {"N": total}})


def test_the_state_goes_from_batch_to_batch_and_to_the_end(order: Any) -> None:
    on, ended = totals()

    first = on.handler(windowed([order(1, "12.50"), order(2, "0.10")]))
    second = on.handler(windowed([order(3, "7")], through_lambda(first)))
    last = on.handler(windowed([], through_lambda(second), **FINAL))

    assert second["batchItemFailures"] == []
    assert last == {"state": {}, "batchItemFailures": []}
    ((state, window),) = ended
    assert state == {"orders": 3, "total": Decimal("19.60")}
    assert (window.start, window.end) == (
        datetime(2026, 9, 17, 14, 11, 10, tzinfo=UTC),
        datetime(2026, 9, 17, 14, 11, 20, tzinfo=UTC),
    )
    assert window.shard_id == "shardId-00000001789654273755-3d110129"
    assert window.ended_early is False


def test_numbers_in_a_state_keep_all_their_digits(order: Any) -> None:
    on = Router()
    on.window(initial={})(lambda _state, change: {"last": change.new["total"]})
    on.window_end(lambda _state: None)
    exact = "1234567890123456789012345678901234567.8"

    assert through_lambda(on.handler(windowed([order(1, exact)]))) == {"last": {"N": exact}}


def test_a_state_holds_whatever_an_item_holds(order: Any) -> None:
    on = Router()
    seen: list[dict[str, Any]] = []
    content = {"ids": frozenset({"a"}), "raw": b"\x00", "nested": [{"x": None}], "flag": True}

    @on.window(initial=content)
    def add(state: dict[str, Any], _change: Any) -> dict[str, Any]:
        seen.append(state)
        return state

    on.window_end(lambda _state: None)
    response = on.handler(windowed([order(1, "1")]))
    on.handler(windowed([order(2, "1")], through_lambda(response)))

    assert seen == [content, content]


@pytest.mark.parametrize(
    ("numbers", "kind"), [("decimal", Decimal), ("int", int), ("float", float)]
)
def test_numbers_of_the_first_state_are_of_the_same_kind_as_of_later_ones(
    order: Any, numbers: Any, kind: type
) -> None:
    on = Router(numbers=numbers)
    kinds: list[type] = []

    @on.window(initial={"last": 0})
    def add(state: dict[str, Any], change: Any) -> dict[str, Any]:
        kinds.append(type(state["last"]))
        return {"last": change.new["total"]}

    on.window_end(lambda _state: None)
    response = on.handler(windowed([order(1, "1")]))
    on.handler(windowed([order(2, "1")], through_lambda(response)))

    assert kinds == [kind, kind]


def test_every_window_starts_with_a_fresh_initial_state(order: Any) -> None:
    on = Router()
    initial: dict[str, Any] = {"ids": []}

    @on.window(initial=initial)
    def add(state: dict[str, Any], change: Any) -> dict[str, Any]:
        state["ids"].append(change.event_id[-1])
        return state

    on.window_end(lambda _state: None)
    first = on.handler(windowed([order(1, "1")]))
    second = on.handler(windowed([order(2, "1")]))

    assert first["state"] == {"ids": {"L": [{"S": "1"}]}}
    assert second["state"] == {"ids": {"L": [{"S": "2"}]}}
    assert initial == {"ids": []}


def test_initial_can_be_a_function(order: Any) -> None:
    on = Router()
    on.window(initial=lambda: {"count": 40})(lambda state, _: {"count": state["count"] + 2})
    on.window_end(lambda _state: None)

    assert on.handler(windowed([order(1, "1")]))["state"] == {"count": {"N": "42"}}


def test_an_empty_batch_keeps_the_state() -> None:
    on, ended = totals()
    state = {"orders": {"N": "2"}, "total": {"N": "3"}}

    assert on.handler(windowed([], state)) == {"state": state, "batchItemFailures": []}
    assert ended == []


def test_an_empty_first_batch_answers_with_the_initial_state() -> None:
    on, _ = totals()

    assert on.handler(windowed([]))["state"] == {"orders": {"N": "0"}, "total": {"N": "0"}}


def test_a_window_that_saw_no_record_ends_with_the_initial_state() -> None:
    on, ended = totals()

    on.handler(windowed([], **FINAL))

    assert ended[0][0] == {"orders": 0, "total": 0}


def test_records_of_the_final_call_are_added_before_the_window_ends(order: Any) -> None:
    on, ended = totals()

    on.handler(windowed([order(1, "5")], **FINAL))

    assert ended[0][0] == {"orders": 1, "total": 5}


def test_a_window_that_lambda_ended_early_says_so() -> None:
    on, ended = totals()

    on.handler(windowed([], {"orders": {"N": "1"}, "total": {"N": "1"}}, **EARLY))

    assert ended[0][1].ended_early is True
    assert repr(ended[0][1]) == (
        "Window(shardId-00000001789654273755-3d110129 2026-09-17T14:11:10Z, ended early)"
    )


@pytest.mark.usefixtures("partial_response")
def test_a_failure_in_a_window_is_raised_so_that_state_and_progress_stay_together(
    order: Any, make_record: Any
) -> None:
    on, _ = totals()

    with pytest.raises(KeyError) as raised:
        on.handler(windowed([order(1, "1"), make_record(2)]))

    assert "the state of a window counts whole batches" in raised.value.__notes__[0]


@pytest.mark.usefixtures("partial_response")
def test_a_failing_end_is_raised_so_that_lambda_calls_it_again() -> None:
    on = Router()
    on.window(initial={})(lambda state, _: state)

    @on.window_end
    def publish(_state: dict[str, Any]) -> None:
        raise ConnectionError("no route to host")

    with pytest.raises(ConnectionError):
        on.handler(windowed([], **FINAL))


@pytest.mark.usefixtures("partial_response")
def test_near_the_deadline_the_whole_window_batch_is_tried_again(
    order: Any, make_context: Any
) -> None:
    context = make_context(1_000)
    on = Router()

    @on.window(initial={})
    def add(state: dict[str, Any], _change: Any) -> dict[str, Any]:
        context.pass_ms(950)
        return state

    on.window_end(lambda _state: None)
    with pytest.raises(DeadlineError, match="stopped before record 2 of 2"):
        on.handler(windowed([order(1, "1"), order(2, "1")]), context)


def test_a_record_rejected_in_a_window_is_left_out_of_the_state(order: Any) -> None:
    messages: list[str] = []
    on = Router(on_reject=messages.append)

    @on.window(initial={"orders": 0})
    def add(state: dict[str, Any], change: Any) -> dict[str, Any]:
        if change.new["total"] < 0:
            raise Reject("negative total")
        return {"orders": state["orders"] + 1}

    on.window_end(lambda _state: None)
    response = on.handler(windowed([order(1, "1"), order(2, "-1"), order(3, "1")]))

    assert response["state"] == {"orders": {"N": "2"}}
    assert len(messages) == 1


def growing(**settings: Any) -> Router:
    """A router whose state is as many characters as the order's total says."""
    on = Router()
    add = on.window(initial={}, **settings)
    add(lambda _state, change: {"text": "x" * int(change.new["total"])})
    on.window_end(lambda _state: None)
    return on


def test_a_state_too_large_for_lambda_is_an_error_before_lambda_ends_the_window(order: Any) -> None:
    with pytest.raises(WindowError, match=r"has 1,000,0\d\d bytes, and Lambda carries 1,000,000"):
        growing().handler(windowed([order(1, "1000000")]))


def test_a_window_that_may_end_early_lets_lambda_end_it(order: Any) -> None:
    on = growing(end_early=True)

    assert len(on.handler(windowed([order(1, "1100000")]))["state"]["text"]["S"]) == 1_100_000
    with pytest.raises(WindowError, match="has 6,000,0"):  # more than any response may hold
        on.handler(windowed([order(1, "6000000")]))


def test_a_state_near_the_limit_is_a_warning(order: Any, caplog: pytest.LogCaptureFixture) -> None:
    on = growing()

    on.handler(windowed([order(1, "700000")]))
    assert caplog.records == []

    on.handler(windowed([order(1, "900000")]))
    (line,) = caplog.records
    assert line.levelname == "WARNING"
    assert json.loads(line.getMessage())["largest_state_bytes"] == 1_000_000


def test_letters_outside_ascii_count_as_what_lambdas_client_makes_of_them() -> None:
    on = Router()
    on.window(initial=lambda: {"text": "é" * 200_000})(lambda state, _: state)
    on.window_end(lambda _state: None)

    with pytest.raises(WindowError, match="has 1,200,0"):
        on.handler(windowed([]))


def test_a_forgotten_return_is_an_error(order: Any) -> None:
    on = Router()

    @on.window(initial={"orders": 0})
    def add(state: dict[str, Any], _change: Any) -> Any:
        state["orders"] += 1

    on.window_end(lambda _state: None)
    with pytest.raises(WindowError, match="add returned nothing, expected the state after"):
        on.handler(windowed([order(1, "1")]))


def test_a_state_that_dynamodb_has_no_types_for_is_an_error(order: Any) -> None:
    on = Router()
    on.window(initial={})(lambda _state, _change: {"mean": 0.1})
    on.window_end(lambda _state: None)

    with pytest.raises(WindowError, match=r"must fit into JSON: \$\.mean"):
        on.handler(windowed([order(1, "1")]))


def test_a_state_of_somebody_else_is_an_error() -> None:
    on, _ = totals()

    with pytest.raises(AttributeValueError):
        on.handler(windowed([], {"orders": 3}))


def test_an_event_without_a_window_is_an_error(make_event: Any) -> None:
    on, _ = totals()

    with pytest.raises(WindowError, match="set tumbling_window on the mapping"):
        on.handler(make_event(1))


@pytest.mark.parametrize("window", [None, {}, {"start": "soon", "end": "later"}])
def test_a_window_that_cannot_be_read_is_an_error(window: Any) -> None:
    on, _ = totals()

    with pytest.raises(WindowError, match="the window of this event cannot be read"):
        on.handler(windowed([], window=window))


def test_routes_on_a_mapping_with_a_window_hand_its_state_on(make_record: Any) -> None:
    # A response without a state counts as a failed invocation.
    on = Router()
    on.insert(lambda _: None)
    state = {"somebody": "else's"}

    response = on.handler(windowed([make_record()], state))

    assert response == {"batchItemFailures": [], "state": state}
    assert on.handler(windowed([]))["state"] == {}


@pytest.mark.usefixtures("partial_response")
def test_a_partial_response_to_a_window_has_a_state_too(make_record: Any, failed_at: Any) -> None:
    on = Router()
    on.insert(lambda change: change.new["missing"])

    assert on.handler(windowed([make_record(1)])) == {**failed_at(1), "state": {}}


def test_the_third_parameter_of_a_window_is_the_window(order: Any) -> None:
    on = Router()
    on.window(initial={})(lambda _state, _change, window: {"shard": window.shard_id})
    on.window_end(lambda _state: None)

    assert on.handler(windowed([order(1, "1")]))["state"]["shard"]["S"].startswith("shardId-")


def test_a_window_without_an_end_would_lose_its_state(order: Any) -> None:
    on = Router()
    on.window(initial={})(lambda state, _change: state)

    with pytest.raises(RouteError, match=r"add @on\.window_end"):
        on.handler(windowed([order(1, "1")]))


def _declare_two_windows(on: Router) -> None:
    on.window(initial={})(lambda state, _change: state)
    on.window(initial={})(lambda state, _change: state)


def _declare_two_ends(on: Router) -> None:
    on.window(initial={})(lambda state, _change: state)
    on.window_end(lambda _state: None)
    on.window_end(lambda _state: None)


def _declare_a_route_then_a_window(on: Router) -> None:
    on.insert(lambda _change: None)
    on.window(initial={})(lambda state, _change: state)


def _declare_a_window_then_a_route(on: Router) -> None:
    on.window(initial={})(lambda state, _change: state)
    on.insert(lambda _change: None)


def _declare_a_window_then_a_default(on: Router) -> None:
    on.window(initial={})(lambda state, _change: state)
    on.default(lambda _change: None)


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (_declare_two_windows, "a router has one window"),
        (_declare_two_ends, "a window has one end"),
        (_declare_a_route_then_a_window, "a router has one window and then no other routes"),
        (_declare_a_window_then_a_route, "a router with a window has no other routes"),
        (_declare_a_window_then_a_default, "a router with a window has no other routes"),
        (lambda on: on.window_end(lambda _state: None), r"declare it with @on.window\(...\) first"),
        (lambda on: on.window(initial=[])(lambda s, _: s), "must be a dict, got a list"),
        (lambda on: on.window(initial={})(lambda s: s), r"cannot be called with \(state, change\)"),
    ],
)
def test_a_window_that_cannot_work_is_refused_when_declared(declare: Any, message: str) -> None:
    with pytest.raises(RouteError, match=message):
        declare(Router())


def test_a_window_is_added_up_one_change_after_the_other() -> None:
    with pytest.raises(RouteError, match="leave concurrency out"):
        Router(concurrency=2).window(initial={})(lambda state, _change: state)
