"""Routes that see a batch as a whole: each item's last change, handled when the rest is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from lambda_runtime import Change, Modify, Reject, RouteError, Router

pytestmark = pytest.mark.usefixtures("partial_response")

NOTHING: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture
def batch(make_record: Any) -> Any:
    """`batch("ABA")` has three records of two items: A, B and A again."""

    def make(items: str) -> dict[str, Any]:
        records = [
            make_record(number, "MODIFY", keys={"pk": {"S": item}})
            for number, item in enumerate(items, start=1)
        ]
        return {"Records": records}

    return make


def name_of(change: Change) -> str:
    """`A3` is the third record of the batch, a change of item A."""
    return f"{change.keys['pk']}{int(change.event_id, 16)}"


def seen_by(on: Router, **failing: Exception) -> list[str]:
    """Declare a latest route; return the changes it handles, as a list that grows."""
    seen: list[str] = []

    @on.latest
    def index(change: Change) -> None:
        if error := failing.get(name_of(change)):
            raise error
        seen.append(name_of(change))

    return seen


def test_only_the_last_change_of_each_item_is_handled_in_the_order_they_were_made(
    batch: Any,
) -> None:
    on = Router()
    seen = seen_by(on)

    assert on.handler(batch("ABACB")) == NOTHING
    assert seen == ["A3", "C4", "B5"]


def test_a_condition_on_keys_leaves_the_other_items_out(batch: Any) -> None:
    on = Router()
    seen: list[str] = []
    on.latest(pk="A")(lambda change: seen.append(name_of(change)))

    on.handler(batch("ABA"))

    assert seen == ["A3"]


def test_a_latest_route_may_ask_for_the_context(batch: Any) -> None:
    on = Router()
    seen: list[Any] = []
    on.latest(lambda _change, context: seen.append(context))

    on.handler(batch("A"), "the context")

    assert seen == ["the context"]


def test_other_routes_still_see_every_change_and_see_it_first(batch: Any) -> None:
    on = Router()
    seen = seen_by(on)
    on.modify(lambda change: seen.append(f"modify {name_of(change)}"))

    on.handler(batch("AA"))

    assert seen == ["modify A1", "modify A2", "A2"]


def test_a_change_that_a_latest_route_takes_is_not_the_default_route_s(batch: Any) -> None:
    on = Router()
    seen: list[str] = []
    on.latest(pk="A")(lambda _: None)
    on.default(lambda change: seen.append(name_of(change)))

    on.handler(batch("AB"))

    assert seen == ["B2"]


def test_what_was_taken_before_another_route_failed_is_handled(batch: Any, failed_at: Any) -> None:
    on = Router()
    seen = seen_by(on)

    @on.modify(pk="P")
    def poison(_change: Modify) -> None:
        raise ValueError("poison")

    assert on.handler(batch("ABAPA")) == failed_at(4)
    assert seen == ["B2", "A3"]


def test_a_failed_item_is_named_by_its_first_record(batch: Any, failed_at: Any) -> None:
    # A1 was left out because of A3: where A3 fails alone, A1 has to be handled after all.
    on = Router()
    seen = seen_by(on, A3=ValueError("poison"))

    assert on.handler(batch("ABAB")) == failed_at(1)
    assert seen == []


def test_what_was_not_reached_is_named_too(batch: Any, failed_at: Any) -> None:
    on = Router()
    seen = seen_by(on, B3=ValueError("poison"))

    assert on.handler(batch("CABC")) == failed_at(1)
    assert seen == ["A2"]


def test_a_rejected_change_is_sent_away_and_the_rest_goes_on(batch: Any) -> None:
    sent: list[str] = []
    on = Router(on_reject=sent.append)
    seen = seen_by(on, A1=Reject("no such product"))

    assert on.handler(batch("AB")) == NOTHING
    assert seen == ["B2"]
    assert len(sent) == 1


def test_near_the_deadline_the_rest_is_left_but_one_step_is_made(
    batch: Any, failed_at: Any, make_context: Any
) -> None:
    on = Router()
    context = make_context(10_000)
    seen: list[str] = []

    @on.latest
    def slow(change: Change) -> None:
        seen.append(name_of(change))
        context.pass_ms(9_500)

    assert on.handler(batch("ABC"), context) == failed_at(2)
    assert seen == ["A1"]


def test_without_partial_responses_a_failure_is_raised(
    batch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STREAM_PARTIAL_RESPONSE")
    on = Router()
    seen_by(on, A1=ValueError("poison"))

    with pytest.raises(ValueError, match="poison"):
        on.handler(batch("AB"))


def test_threads_change_nothing_of_it(batch: Any) -> None:
    on = Router(concurrency=4)
    seen = seen_by(on)

    on.handler(batch("ABACB"))

    assert seen == ["A3", "C4", "B5"]


@pytest.mark.parametrize("condition", ["where", "when", "was", "expired"])
def test_a_condition_on_attributes_is_refused(condition: str) -> None:
    with pytest.raises(RouteError, match=f"takes conditions on keys alone, got {condition}"):
        Router().latest(**{condition: {}})(lambda _: None)


class Writer:
    """A writer of two changes at a time; `fails` is the change that it cannot write."""

    def __init__(self, fails: str = "") -> None:
        self.written: list[str] = []
        self.fails = fails

    def prepare(self, change: Change) -> str:
        if change.keys["pk"] == "P":
            raise ValueError("poison")
        return name_of(change)

    def write(self, prepared: Sequence[str]) -> Iterator[int]:
        for start in range(0, len(prepared), 2):
            two = prepared[start : start + 2]
            if self.fails in two:
                raise ConnectionError
            self.written += two
            yield start + len(two)


def test_a_writer_gets_each_item_s_last_change_at_once(batch: Any) -> None:
    on, writer = Router(), Writer()
    on.aggregate(writer)

    assert on.handler(batch("ABACB")) == NOTHING
    assert writer.written == ["A3", "C4", "B5"]


def test_a_record_that_cannot_be_prepared_fails_alone(batch: Any, failed_at: Any) -> None:
    on, writer = Router(), Writer()
    on.aggregate(writer)

    assert on.handler(batch("ABPA")) == failed_at(3)
    assert writer.written == ["A1", "B2"]


def test_what_a_writer_has_written_before_it_failed_is_not_named(
    batch: Any, failed_at: Any
) -> None:
    on, writer = Router(), Writer(fails="D4")
    on.aggregate(writer)

    assert on.handler(batch("ABCDE")) == failed_at(3)
    assert writer.written == ["A1", "B2"]


def test_two_writers_go_on_from_the_earlier_of_their_failures(batch: Any, failed_at: Any) -> None:
    on, first, second = Router(), Writer(fails="D4"), Writer(fails="A1")
    on.aggregate(first)
    on.aggregate(second)

    assert on.handler(batch("ABCDE")) == failed_at(1)


def test_a_writer_gets_nothing_behind_what_another_one_could_not_write(
    batch: Any, failed_at: Any
) -> None:
    on, first, second = Router(), Writer(fails="D4"), Writer()
    on.aggregate(first)
    on.aggregate(second)

    assert on.handler(batch("ABCDE")) == failed_at(3)
    assert second.written == ["A1", "B2"]


def test_what_is_no_writer_is_refused() -> None:
    with pytest.raises(RouteError, match="aggregate takes a writer"):
        Router().aggregate(object())  # type: ignore[arg-type] # that is what is refused


def test_a_window_has_no_batch_routes() -> None:
    on = Router()
    on.window(initial={})(lambda state, _: state)

    with pytest.raises(RouteError, match="a router with a window has no other routes"):
        on.latest(lambda _: None)
    with pytest.raises(RouteError, match="a router with a window has no other routes"):
        on.aggregate(Writer())
