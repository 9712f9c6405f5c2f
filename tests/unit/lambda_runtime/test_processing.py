"""One batch: its order, its first failure, its deadline, and what Lambda is told."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from lambda_runtime import DeadlineError, EventError, MissingImageError, Router

HANDLED: dict[str, Any] = {"batchItemFailures": []}


def failing_at(*numbers: int) -> tuple[Router, list[int]]:
    """A router whose handler fails at these records, and the list of the records it saw."""
    on = Router()
    seen: list[int] = []

    @on.insert
    def handle(change: Any) -> None:
        number = int(change.event_id, 16)
        seen.append(number)
        if number in numbers:
            raise ValueError("no stock")

    return on, seen


def test_records_are_handled_in_the_order_of_the_batch(make_event: Any) -> None:
    on, seen = failing_at()

    assert on.handler(make_event(5)) == HANDLED
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.usefixtures("partial_response")
def test_a_failed_record_stops_the_batch(make_event: Any, failed_at: Any) -> None:
    on, seen = failing_at(2, 4)

    assert on.handler(make_event(5)) == failed_at(2)
    assert seen == [1, 2]


@pytest.mark.usefixtures("partial_response")
def test_a_batch_of_one_failing_record_is_answered_not_raised(
    make_event: Any, failed_at: Any
) -> None:
    on, _ = failing_at(1)

    assert on.handler(make_event(1)) == failed_at(1)


def test_without_partial_responses_the_failure_is_raised(make_event: Any) -> None:
    # Lambda ignores the answer of such a mapping: a partial response would lose records 2 to 5.
    on, seen = failing_at(2)

    with pytest.raises(ValueError, match="no stock") as raised:
        on.handler(make_event(5))

    assert seen == [1, 2]
    (note,) = raised.value.__notes__
    assert "STREAM_PARTIAL_RESPONSE is not 1: set it, and report_batch_item_failures=True" in note


def test_the_note_on_an_error_that_is_raised_again_and_again_does_not_pile_up(
    make_event: Any,
) -> None:
    on = Router()
    always_the_same = ValueError("no stock")

    @on.insert
    def handle(_change: Any) -> None:
        raise always_the_same

    for _ in range(3):
        with pytest.raises(ValueError, match="no stock"):
            on.handler(make_event(1))

    assert len(always_the_same.__notes__) == 1


def test_the_environment_is_read_when_the_function_is_called(
    make_event: Any, failed_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    on, _ = failing_at(1)
    with pytest.raises(ValueError, match="no stock"):
        on.handler(make_event(1))

    monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", "1")

    assert on.handler(make_event(1)) == failed_at(1)


@pytest.mark.parametrize("value", ["0", "", "true"])
def test_only_1_asks_for_partial_responses(
    make_event: Any, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", value)
    on, _ = failing_at(1)

    with pytest.raises(ValueError, match="no stock"):
        on.handler(make_event(1))


@pytest.mark.usefixtures("partial_response")
@pytest.mark.parametrize(
    "spoil",
    [
        {"eventName": "UPSERT"},
        {"eventSource": "aws:kinesis"},
    ],
)
def test_a_record_that_cannot_be_read_fails_alone(
    make_event: Any, failed_at: Any, spoil: dict[str, Any]
) -> None:
    on, seen = failing_at()
    event = make_event(4)
    event["Records"][2].update(spoil)

    assert on.handler(event) == failed_at(3)
    assert seen == [1, 2]


@pytest.mark.usefixtures("partial_response")
def test_an_attribute_that_cannot_be_decoded_fails_its_record_alone(
    make_event: Any, failed_at: Any
) -> None:
    on = Router()
    seen: list[Any] = []
    on.insert(lambda change: seen.append(change.new["total"]))
    event = make_event(2)
    for record, value in zip(event["Records"], ({"N": "1"}, {"X": "1"}), strict=True):
        record["dynamodb"]["NewImage"]["total"] = value

    assert on.handler(event) == failed_at(2)
    assert seen == [1]


def test_an_image_that_the_stream_does_not_carry_fails_the_record_and_names_the_setting(
    make_record: Any,
) -> None:
    on = Router()
    on.insert(lambda change: change.new["status"])
    record = make_record()
    record["dynamodb"]["StreamViewType"] = "KEYS_ONLY"
    del record["dynamodb"]["NewImage"]

    with pytest.raises(MissingImageError, match="set stream_view_type=NEW_IMAGE on the table"):
        on.handler({"Records": [record]})


@pytest.mark.usefixtures("partial_response")
@pytest.mark.parametrize("number", ["", "abc", None, 3800002862244222465263, "\uff13\uff18"])
def test_a_record_that_no_response_can_name_is_raised(make_event: Any, number: Any) -> None:
    # Lambda fails the whole batch for an identifier that is no sequence number, without a word.
    on, _ = failing_at(2)
    event = make_event(2)
    event["Records"][1]["dynamodb"]["SequenceNumber"] = number

    with pytest.raises(ValueError, match="no stock") as raised:
        on.handler(event)

    assert "no sequence number that a partial response could name" in raised.value.__notes__[0]


@pytest.mark.usefixtures("partial_response")
def test_a_record_that_is_no_record_is_raised(make_event: Any) -> None:
    on, _ = failing_at()
    event = make_event(1)
    event["Records"].append("a text")

    with pytest.raises(EventError, match=r"\$\.Records\[1\]: got a str"):
        on.handler(event)


@pytest.mark.parametrize("event", [None, {}, {"Records": None}, {"detail": {}}])
def test_an_event_that_is_no_stream_event_is_refused(event: Any) -> None:
    on, _ = failing_at()

    with pytest.raises(EventError, match="Records"):
        on.handler(event)


def test_an_empty_batch_is_handled() -> None:
    on, seen = failing_at()

    assert on.handler({"Records": []}) == HANDLED
    assert seen == []


@pytest.mark.usefixtures("partial_response")
def test_a_handler_that_asks_the_process_to_end_is_obeyed(make_event: Any) -> None:
    on = Router()

    @on.insert
    def handle(_change: Any) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        on.handler(make_event(1))


@pytest.mark.usefixtures("partial_response")
def test_what_a_handler_returns_is_no_answer_to_lambda(make_event: Any) -> None:
    on = Router()
    on.insert(lambda change: {"batchItemFailures": [{"itemIdentifier": change.sequence_number}]})

    assert on.handler(make_event(2)) == HANDLED


# --- the deadline ---


def slow(context: Any, each_ms: int, **settings: Any) -> tuple[Router, list[int]]:
    """A router whose handler takes this long for each record."""
    on = Router(**settings)
    seen: list[int] = []

    @on.insert
    def handle(change: Any) -> None:
        context.pass_ms(each_ms)
        seen.append(int(change.event_id, 16))

    return on, seen


@pytest.mark.usefixtures("partial_response")
@pytest.mark.parametrize(
    ("timeout_ms", "each_ms", "reserve_ms", "handled"),
    [
        (1_000, 100, None, 8),  # a tenth is 100 ms: with 200 ms left, a ninth might not fit
        (10_000, 1_000, None, 8),  # a tenth is 1,000 ms
        (2_000, 400, None, 4),  # with 400 ms left a fifth would end at the very timeout
        (600_000, 99_000, None, 6),  # at most 5,000 ms: 105,000 ms are left, a sixth fits
        (600_000, 99_200, None, 5),  # 104,000 ms are left, and 104,200 would be needed
        (10_000, 1_000, 4_000, 5),
        (1_000, 100, 4_000, 4),  # a reserve above half of the time counts as half of it
        (10_000, 1_000, 0, 9),
    ],
)
def test_near_the_deadline_it_stops_and_names_the_first_unhandled_record(
    *,
    make_event: Any,
    make_context: Any,
    failed_at: Any,
    timeout_ms: int,
    each_ms: int,
    reserve_ms: int | None,
    handled: int,
) -> None:
    context = make_context(timeout_ms)
    on, seen = slow(context, each_ms, reserve_ms=reserve_ms)

    assert on.handler(make_event(20), context) == failed_at(handled + 1)
    assert len(seen) == handled


@pytest.mark.usefixtures("partial_response")
def test_without_time_for_even_the_first_record_that_record_is_named(
    make_event: Any, make_context: Any, failed_at: Any
) -> None:
    context = make_context(0)
    on, seen = slow(context, 1)

    assert on.handler(make_event(3), context) == failed_at(1)
    assert seen == []


@pytest.mark.usefixtures("partial_response")
def test_after_one_slow_record_no_other_starts_that_might_be_as_slow(
    make_event: Any, make_context: Any, failed_at: Any
) -> None:
    context = make_context(10_000)
    on = Router()

    @on.insert
    def handle(change: Any) -> None:
        context.pass_ms(4_600 if change.event_id.endswith("2") else 100)

    assert on.handler(make_event(9), context) == failed_at(3)


def test_a_batch_that_counts_as_a_whole_is_tried_to_the_end(
    make_event: Any, make_context: Any
) -> None:
    # Ended early it would be delivered whole again, and the slow record would end it each time.
    context = make_context(10_000)
    on = Router()

    @on.insert
    def handle(change: Any) -> None:
        context.pass_ms(4_600 if change.event_id.endswith("2") else 100)

    assert on.handler(make_event(9), context) == HANDLED


def test_a_deadline_without_partial_responses_is_an_error_that_says_what_to_change(
    make_event: Any, make_context: Any
) -> None:
    context = make_context(1_000)
    on, _ = slow(context, 950)

    with pytest.raises(DeadlineError, match="stopped before record 2 of 3") as raised:
        on.handler(make_event(3), context)

    assert "set a longer timeout or a smaller batch_size" in str(raised.value)


@pytest.mark.parametrize("context", [None, object(), MagicMock()])
def test_a_context_that_does_not_tell_the_time_means_no_deadline(
    make_event: Any, context: Any
) -> None:
    on, seen = failing_at()

    assert on.handler(make_event(3), context) == HANDLED
    assert seen == [1, 2, 3]
