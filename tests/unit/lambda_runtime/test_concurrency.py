"""A batch on threads: what runs at the same time, what never does, and what Lambda is told."""

from __future__ import annotations

import contextvars
import threading
from typing import Any

import pytest

from lambda_runtime import DeadlineError, RouteError, Router

HANDLED: dict[str, Any] = {"batchItemFailures": []}
PATIENCE_S = 30  # How long a thread waits for another one that never comes, before the test fails.


def number_of(change: Any) -> int:
    return int(change.event_id, 16)


def of_items(make_record: Any, items: str) -> dict[str, Any]:
    """`of_items("ABA")` is a batch of three records, the first and last of item A."""
    records = [make_record(at, keys={"pk": {"S": name}}) for at, name in enumerate(items, start=1)]
    return {"Records": records}


def test_records_of_several_items_are_handled_at_the_same_time(make_event: Any) -> None:
    on = Router(concurrency=3)
    all_at_once = threading.Barrier(3, timeout=PATIENCE_S)
    on.insert(lambda _: all_at_once.wait())

    assert on.handler(make_event(3)) == HANDLED


def test_no_more_threads_are_used_than_asked_for_or_than_there_are_items(make_record: Any) -> None:
    on = Router(concurrency=3)
    threads: set[int] = set()
    on.insert(lambda _: threads.add(threading.get_ident()))

    on.handler(of_items(make_record, "AAAA"))
    assert len(threads) == 1

    threads.clear()
    on.handler(of_items(make_record, "ABCDEFGH"))
    assert len(threads) <= 3


def test_changes_of_one_item_stay_in_order(make_record: Any) -> None:
    on = Router(concurrency=4)
    seen: dict[str, list[int]] = {"A": [], "B": [], "C": []}
    on.insert(lambda change: seen[change.keys["pk"]].append(number_of(change)))

    assert on.handler(of_items(make_record, "ABACABBCA")) == HANDLED
    assert seen == {"A": [1, 3, 5, 9], "B": [2, 6, 7], "C": [4, 8]}


class Failing:
    """A router on two threads whose handler fails for item B, and waits for that for any other."""

    def __init__(self) -> None:
        self.on = Router(concurrency=2)
        self.seen: list[int] = []
        self._failing: threading.Thread | None = None
        self._started = threading.Event()
        self.on.insert(self.handle)

    def handle(self, change: Any) -> None:
        self.seen.append(number_of(change))
        if change.keys["pk"] == "B":
            self._failing = threading.current_thread()
            self._started.set()
            raise ValueError("no stock")
        assert self._started.wait(PATIENCE_S)
        assert self._failing is not None
        self._failing.join(PATIENCE_S)  # The thread of a failed record takes no other one.
        assert not self._failing.is_alive()


@pytest.mark.usefixtures("partial_response")
def test_after_a_failure_nothing_new_starts(make_record: Any, failed_at: Any) -> None:
    failing = Failing()

    assert failing.on.handler(of_items(make_record, "ABCDEF")) == failed_at(2)
    assert sorted(failing.seen) == [1, 2]


@pytest.mark.usefixtures("partial_response")
def test_an_earlier_record_that_had_not_started_is_named_before_the_one_that_failed(
    make_record: Any, failed_at: Any
) -> None:
    # 2 belongs to the same item as 1, which runs while 3 fails: so 2 never starts.
    failing = Failing()

    assert failing.on.handler(of_items(make_record, "AAB")) == failed_at(2)
    assert sorted(failing.seen) == [1, 3]


@pytest.mark.usefixtures("partial_response")
def test_of_two_failures_the_first_in_the_batch_is_named(make_event: Any, failed_at: Any) -> None:
    on = Router(concurrency=3)
    all_at_once = threading.Barrier(3, timeout=PATIENCE_S)

    @on.insert
    def handle(change: Any) -> None:
        all_at_once.wait()
        if number_of(change) > 1:
            raise ValueError("no stock")

    assert on.handler(make_event(3)) == failed_at(2)


def test_without_partial_responses_the_failure_of_a_thread_is_raised(make_event: Any) -> None:
    on = Router(concurrency=2)

    @on.insert
    def handle(change: Any) -> None:
        if number_of(change) == 2:
            raise ValueError("no stock")

    with pytest.raises(ValueError, match="no stock") as raised:
        on.handler(make_event(2))

    assert "STREAM_PARTIAL_RESPONSE is not 1" in raised.value.__notes__[0]


@pytest.mark.usefixtures("partial_response")
def test_a_record_whose_item_cannot_be_told_runs_alone_and_in_its_place(
    make_record: Any, failed_at: Any
) -> None:
    on = Router(concurrency=4)
    seen: list[int] = []
    on.insert(lambda change: seen.append(number_of(change)))
    event = of_items(make_record, "ABCABC")
    event["Records"][3]["dynamodb"]["Keys"] = {"pk": None}

    assert on.handler(event) == HANDLED
    assert sorted(seen[:3]) == [1, 2, 3]
    assert seen[3] == 4
    assert sorted(seen[4:]) == [5, 6]

    event["Records"][3]["eventName"] = "UPSERT"
    assert on.handler(event) == failed_at(4)


@pytest.mark.usefixtures("partial_response")
def test_near_the_deadline_no_thread_starts_another_record(
    make_record: Any, make_context: Any, failed_at: Any
) -> None:
    context = make_context(1_000)
    on = Router(concurrency=2)
    both = threading.Barrier(2, timeout=PATIENCE_S, action=lambda: context.pass_ms(950))
    seen: list[int] = []

    @on.insert
    def handle(change: Any) -> None:
        seen.append(number_of(change))
        both.wait()

    assert on.handler(of_items(make_record, "ABCD"), context) == failed_at(3)
    assert sorted(seen) == [1, 2]


def test_a_deadline_on_threads_without_partial_responses_is_an_error(
    make_event: Any, make_context: Any
) -> None:
    context = make_context(1_000)
    on = Router(concurrency=2)
    on.insert(lambda _: context.pass_ms(950))

    with pytest.raises(DeadlineError, match=r"stopped before record [23] of 4"):
        on.handler(make_event(4), context)


@pytest.mark.usefixtures("partial_response")
def test_a_thread_that_asks_the_process_to_end_is_obeyed(make_event: Any) -> None:
    on = Router(concurrency=2)

    @on.insert
    def handle(change: Any) -> None:
        raise SystemExit(number_of(change))

    with pytest.raises(SystemExit):
        on.handler(make_event(2))


@pytest.mark.usefixtures("partial_response")
def test_a_thread_that_asks_the_process_to_end_is_obeyed_whatever_failed_before(
    make_event: Any,
) -> None:
    on = Router(concurrency=2)
    both = threading.Barrier(2)

    @on.insert
    def handle(change: Any) -> None:
        both.wait()
        raise (ValueError if number_of(change) == 1 else SystemExit)(number_of(change))

    with pytest.raises(SystemExit):
        on.handler(make_event(2))


def test_a_trace_in_a_context_variable_goes_on_in_every_thread(make_event: Any) -> None:
    trace: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="none")
    on = Router(concurrency=3)
    all_at_once = threading.Barrier(3, timeout=PATIENCE_S)
    seen: list[str] = []

    @on.insert
    def handle(_change: Any) -> None:
        all_at_once.wait()
        seen.append(trace.get())

    token = trace.set("1-5759e988")
    on.handler(make_event(3))
    trace.reset(token)

    assert seen == ["1-5759e988"] * 3


def test_an_empty_batch_starts_no_thread() -> None:
    on = Router(concurrency=8)
    on.insert(lambda _: None)

    assert on.handler({"Records": []}) == HANDLED


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "4"])
def test_concurrency_is_a_number_of_threads(concurrency: Any) -> None:
    with pytest.raises(RouteError, match="concurrency must be 1 or more threads"):
        Router(concurrency=concurrency)
