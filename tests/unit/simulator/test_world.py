from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from cdk_streams.errors import SettingsError, SourceError
from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator._consumer import Consumer
from cdk_streams.simulator._dynamodb.table import Table
from cdk_streams.simulator._faults import NO_FAULTS, Faults
from cdk_streams.simulator._invariants import InvariantBroken
from cdk_streams.simulator._records import START
from cdk_streams.simulator._timeline.events import TimelineEvent
from cdk_streams.simulator._world import World
from lambda_runtime import Insert, Router

QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def _nothing(_event: Any, _context: Any) -> None:
    return None


def _only(**faults: float) -> Faults:
    none = dict.fromkeys(Faults.__dataclass_fields__, 0.0)
    return Faults(**(none | faults))


def _keys(event: dict[str, Any]) -> list[str]:
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]


def _busy(seed: int) -> World:
    world = World(seed)
    orders = world.table("Orders", shards=2)

    def handler(event: Any, _: Any) -> None:
        if "7" in _keys(event):
            raise ValueError

    settings = MappingSettings(
        batch_size=4, retry_attempts=2, bisect_batch_on_error=True, on_failure=QUEUE
    )
    world.consumer("picky", handler, table=orders, settings=settings)
    world.consumer("plain", _nothing, table=orders)
    for number in range(60):
        orders.put({"pk": str(number % 20), "n": number})
        world.run_for(timedelta(milliseconds=world.rng.integer(0, 500)))
    world.run()
    return world


def test_a_run_is_a_function_of_its_seed() -> None:
    assert _busy(3).timeline == _busy(3).timeline
    assert _busy(3).timeline != _busy(4).timeline


def test_without_faults_only_handlers_fail() -> None:
    world = World(5, faults=NO_FAULTS)
    orders = world.table("Orders", shards=3)
    audit = world.consumer("audit", _nothing, table=orders)
    for number in range(30):
        orders.put({"pk": str(number)})
    world.run()

    assert {each.kind for each in world.timeline} == {"insert", "start", "handled"}
    assert len(audit.records("handled")) == 30


@pytest.mark.parametrize("seed", range(8))
def test_under_every_fault_each_record_has_a_fate_in_each_consumer(seed: int) -> None:
    world = _busy(seed)
    for consumer in world.consumers.values():
        assert consumer.waiting == []
        fates = [
            consumer.records(fate) for fate in ("handled", "failed", "age_exceeded", "trimmed")
        ]
        assert sum(len(each) for each in fates) == 60
    picky = world.consumers["picky"]
    # Maybe twice: a failure record is repeated when the poller forgets that it was sent.
    named = [body["DDBStreamBatchInfo"] for body in picky.failures]
    for record in picky.records("failed"):
        number = int(record["dynamodb"]["SequenceNumber"])
        assert any(
            int(batch["startSequenceNumber"]) <= number <= int(batch["endSequenceNumber"])
            for batch in named
        )


def test_an_invariant_that_breaks_tells_when_and_how_to_see_it_again() -> None:
    world = World(11, faults=NO_FAULTS, replay="run it --seed 11")
    orders = world.table("Orders")
    seen: list[str] = []
    world.consumer("count", lambda event, _: seen.extend(_keys(event)), table=orders)
    world.always(lambda: len(seen) < 3, name="fewer than three")
    for number in range(3):
        world.call_after(number * SECOND, partial(orders.put, {"pk": str(number)}))

    with pytest.raises(InvariantBroken) as broken:
        world.run()

    assert str(broken.value) == (
        "'fewer than three' does not hold at 00:00:02.000, line 7 of the timeline: it gave False"
    )
    assert (broken.value.seed, broken.value.line) == (11, len(world.timeline))
    assert world.timeline[-1].kind == "broken"
    assert broken.value.__notes__ == ["seed 11; to replay: run it --seed 11"]


def test_an_invariant_may_assert_instead_of_answering() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")

    def empty() -> None:
        assert not orders.items(), "the table is not empty"

    world.always(empty, name="stays empty")
    world.call_after(SECOND, lambda: orders.put({"pk": "1"}))

    with pytest.raises(InvariantBroken, match="line 2 of the timeline: the table is not empty"):
        world.run()


def test_what_holds_eventually_is_asked_at_the_end() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    seen: list[str] = []
    world.consumer("count", lambda event, _: seen.extend(_keys(event)), table=orders)
    world.eventually(lambda: seen == ["1"], name="the order was seen")
    orders.put({"pk": "1"})
    world.run()

    world.eventually(lambda: "2" in seen, name="another order was seen")
    with pytest.raises(InvariantBroken, match="'another order was seen' does not hold"):
        world.run()


def test_what_holds_within_a_time_is_asked_then() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    seen: list[str] = []
    world.consumer(
        "slow",
        lambda event, _: seen.extend(_keys(event)),
        table=orders,
        settings=MappingSettings(max_batching_window=60),
    )
    world.eventually(lambda: bool(seen), name="seen soon", within=30 * SECOND)
    orders.put({"pk": "1"})

    with pytest.raises(InvariantBroken, match=r"'seen soon' does not hold at 00:00:30\.000"):
        world.run()


def test_any_error_that_leaves_a_world_has_its_seed_once() -> None:
    world = World(9)

    def broken() -> None:
        raise ZeroDivisionError

    world.call_after(SECOND, broken)

    with pytest.raises(ZeroDivisionError) as error, world:
        world.run()

    assert error.value.__notes__ == ["seed 9; to replay: World(seed=9)"]


def test_a_consumer_that_writes_what_it_reads_is_a_loop_and_named() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    numbers = iter(range(10_000))
    world.consumer("loop", lambda _event, _: orders.put({"pk": str(next(numbers))}), table=orders)
    orders.put({"pk": "first"})

    with pytest.raises(SourceError, match="got a loop: loop writes to Orders; let a filter"):
        world.run()
    assert orders.written < 1_100


def test_a_loop_through_several_consumers_is_named_whole() -> None:
    world = World(faults=NO_FAULTS)
    orders, copies = world.table("Orders"), world.table("Copies")
    numbers = iter(range(10_000))
    world.consumer("copy", lambda _e, _c: copies.put({"pk": str(next(numbers))}), table=orders)
    world.consumer("back", lambda _e, _c: orders.put({"pk": str(next(numbers))}), table=copies)
    orders.put({"pk": "first"})

    with pytest.raises(SourceError, match=r"got a loop: (copy|back) writes to \w+, (copy|back) w"):
        world.run()


def test_a_loop_that_forks_ends_early_too() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    numbers = iter(range(100_000))

    def fork(event: Any, _: Any) -> None:
        for _ in event["Records"]:
            orders.put({"pk": str(next(numbers))})
            orders.put({"pk": str(next(numbers))})

    world.consumer("fork", fork, table=orders)
    orders.put({"pk": "first"})

    with pytest.raises(SourceError, match="got a loop: fork writes to Orders"):
        world.run()
    assert orders.written < 25_000


def test_a_consumer_may_write_to_its_own_table_when_it_comes_to_an_end() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")

    def count_down(event: Any, _: Any) -> None:
        for record in event["Records"]:
            left = int(record["dynamodb"]["NewImage"]["left"]["N"])
            if left:
                orders.put({"pk": "1", "left": left - 1})

    consumer = world.consumer("count", count_down, table=orders)
    orders.put({"pk": "1", "left": 500})
    world.run()

    assert consumer.counts.handled == 501


def test_a_world_that_never_rests_ends_after_its_steps() -> None:
    world = World(faults=NO_FAULTS, max_steps=500)

    def again() -> None:
        world.call_after(SECOND, again)

    again()

    with pytest.raises(SourceError, match="must come to rest, got 500 steps and no end"):
        world.run()


def test_an_update_holds_from_the_next_batch_on_and_keeps_the_position() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    sizes: list[int] = []
    told: list[str | None] = []

    def handler(event: Any, _: Any) -> None:
        sizes.append(len(event["Records"]))
        told.append(os.environ.get("STREAM_PARTIAL_RESPONSE"))

    before = MappingSettings(batch_size=2)
    consumer = world.consumer("audit", handler, table=orders, settings=before)
    for number in range(4):
        orders.put({"pk": str(number)})
    world.run()
    after = replace(before, batch_size=5, report_batch_item_failures=True)
    world.update(consumer, after)
    for number in range(4, 11):
        orders.put({"pk": str(number)})
    world.run()

    assert sizes == [2, 2, 5, 2]
    assert told == [None, None, "1", "1"]
    assert consumer.settings == after
    assert consumer.counts.handled == 11
    (update,) = [each for each in world.timeline if each.kind == "update"]
    assert update.detail == "batch_size 2 → 5, report_batch_item_failures False → True"


def test_an_update_ends_what_has_been_retried_often_enough() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    settings = MappingSettings(on_failure=QUEUE)
    consumer = world.consumer("one", lambda _e, _c: 1 // 0, table=orders, settings=settings)
    orders.put({"pk": "1"})
    world.run_for(2 * SECOND)
    assert consumer.failures == []

    world.update(consumer, replace(settings, retry_attempts=2))
    world.run()

    (failure,) = consumer.failures
    assert failure["requestContext"]["condition"] == "RetryAttemptsExhausted"


def test_an_update_disables_a_mapping_and_enables_it_where_it_stopped() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    seen: list[str] = []
    on = MappingSettings()
    consumer = world.consumer("audit", lambda event, _: seen.extend(_keys(event)), table=orders)
    orders.put({"pk": "1"})
    world.run()
    world.update(consumer, replace(on, enabled=False))
    world.run()
    orders.put({"pk": "2"})
    world.run()
    assert seen == ["1"]

    world.update(consumer, on)
    world.run()

    assert seen == ["1", "2"]


def test_a_mapping_that_was_never_enabled_starts_with_its_update() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    off = MappingSettings(enabled=False)
    consumer = world.consumer("audit", _nothing, table=orders, settings=off)
    orders.put({"pk": "1"})
    world.run()
    world.update(consumer, replace(off, enabled=True))
    world.run()

    assert consumer.counts.handled == 1


@pytest.mark.parametrize(
    "change",
    [
        {"starting_position": "LATEST"},
        {"parallelization_factor": 2},
        {"tumbling_window": timedelta(seconds=10)},
    ],
)
def test_an_update_of_what_cannot_change_is_refused(change: dict[str, Any]) -> None:
    world = World(faults=NO_FAULTS)
    consumer = world.consumer("audit", _nothing, table=world.table("Orders"))

    with pytest.raises(SettingsError, match=f"{next(iter(change))} must stay .* during a run"):
        world.update(consumer, replace(consumer.settings, **change))


def _one_order(
    faults: Faults, handler: Callable[[Any, Any], Any] = _nothing, **settings: Any
) -> Consumer:
    world = World(2, faults=faults)
    orders = world.table("Orders")
    consumer = world.consumer(
        "one", handler, table=orders, settings=MappingSettings(on_failure=QUEUE, **settings)
    )
    orders.put({"pk": "1"})
    world.run()
    return consumer


def test_a_crash_fails_the_call_before_or_after_its_work() -> None:
    done: list[str] = []
    consumer = _one_order(
        _only(crash=1), lambda event, _: done.extend(_keys(event)), retry_attempts=19
    )

    assert [each.outcome for each in consumer.invocations] == ["failed"] * 20
    assert 0 < len(done) < 20
    assert consumer.failures[0]["requestContext"]["approximateInvokeCount"] == 20


def test_a_timeout_takes_the_whole_timeout_and_fails_the_call() -> None:
    consumer = _one_order(_only(timeout=1), retry_attempts=2)

    assert [(each.outcome, each.took) for each in consumer.invocations] == [
        ("timeout", 3 * SECOND)
    ] * 3


def test_a_throttle_calls_nothing_and_spends_no_attempt() -> None:
    called: list[Any] = []
    consumer = _one_order(_only(throttle=0.8), lambda event, _: called.append(event))

    assert len(called) == len(consumer.invocations) == 1
    assert consumer.invocations[0].attempt == 1
    assert consumer.invocations[0].at > timedelta(0)


def test_a_function_without_concurrency_is_never_called_and_its_records_are_trimmed() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    consumer = world.consumer("none", _nothing, table=orders, reserved_concurrency=0)
    orders.put({"pk": "1"})
    world.run()

    assert consumer.invocations == []
    assert len(consumer.records("trimmed")) == 1


def test_no_more_calls_run_at_once_than_are_reserved() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders", shards=4)
    consumer = world.consumer(
        "narrow", _nothing, table=orders, reserved_concurrency=1, duration=SECOND
    )
    for number in range(40):
        orders.put({"pk": str(number)})
    world.run()

    spans = sorted((each.at, each.at + each.took) for each in consumer.invocations)
    assert len(spans) == 4
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert len(consumer.records("handled")) == 40


def test_a_duplicate_is_handled_twice_and_settled_once() -> None:
    done: list[str] = []
    consumer = _one_order(_only(duplicate=0.7), lambda event, _: done.extend(_keys(event)))

    assert len(done) == len(consumer.invocations) > 1
    assert {each.outcome for each in consumer.invocations} == {"handled"}
    assert len(consumer.records("handled")) == 1
    assert consumer.failures == []


def test_a_refused_failure_record_is_lost_and_the_shard_goes_on() -> None:
    def poison(event: Any, _: Any) -> None:
        if "1" in _keys(event):
            raise ValueError

    world = World(faults=_only(destination_denied=1))
    orders = world.table("Orders")
    settings = MappingSettings(batch_size=1, retry_attempts=0, on_failure=QUEUE)
    consumer = world.consumer("one", poison, table=orders, settings=settings)
    orders.put({"pk": "1"})
    orders.put({"pk": "2"})
    world.run()

    assert len(consumer.failures) == 1
    assert (consumer.failures.delivered, consumer.failures.lost) == ([], consumer.failures)
    assert [each.delivered for each in consumer.deliveries] == [False]
    assert [each["dynamodb"]["Keys"]["pk"]["S"] for each in consumer.records("handled")] == ["2"]


def test_without_a_destination_a_failure_record_is_lost() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    consumer = world.consumer(
        "one", lambda _e, _c: 1 // 0, table=orders, settings=MappingSettings(retry_attempts=0)
    )
    orders.put({"pk": "1"})
    world.run()

    assert [body["requestContext"]["condition"] for body in consumer.failures.lost] == [
        "RetryAttemptsExhausted"
    ]


@pytest.mark.parametrize(("position", "handled"), [("TRIM_HORIZON", 10), ("LATEST", 9)])
def test_a_consumer_that_starts_late_misses_records_only_at_latest(
    position: Any, handled: int
) -> None:
    world = World(1, faults=_only(late_start=1))
    orders = world.table("Orders")
    settings = MappingSettings(starting_position=position)
    consumer = world.consumer("late", _nothing, table=orders, settings=settings)
    orders.put({"pk": "before"})
    world.run_for(2 * MINUTE)
    for number in range(9):
        orders.put({"pk": str(number)})
    world.run()

    assert len(consumer.records("handled")) == handled
    assert next(each for each in world.timeline if each.kind == "start").at_ms > 0


def test_a_slow_call_shows_its_context_the_time_it_takes() -> None:
    left: list[int] = []

    def handler(event: Any, context: Any) -> None:
        left.extend(context.get_remaining_time_in_millis() for _ in event["Records"])

    world = World(3, faults=_only(slow=1))
    orders = world.table("Orders")
    consumer = world.consumer("slow", handler, table=orders)
    for number in range(10):
        orders.put({"pk": str(number)})
    world.run()

    first = left[:10]
    assert first[0] == 3_000
    assert sorted(first, reverse=True) == first
    assert 0 < first[-1] < 2_600
    # The last record takes its time too, after the clock was read.
    a_record = timedelta(milliseconds=first[-2] - first[-1])
    assert consumer.invocations[0].took == timedelta(milliseconds=3_000 - first[-1]) + a_record


@pytest.mark.parametrize("reads", [0, 1, 2, 7])
def test_how_often_a_slow_handler_reads_the_clock_changes_nothing(reads: int) -> None:
    def story(reads: int) -> Sequence[TimelineEvent]:
        world = World(3, faults=_only(slow=0.8))
        orders = world.table("Orders")

        def handler(event: Any, context: Any) -> None:
            for _ in event["Records"]:
                for _ in range(reads):
                    context.get_remaining_time_in_millis()

        settings = MappingSettings(batch_size=3)
        world.consumer("slow", handler, table=orders, settings=settings)
        for number in range(20):
            orders.put({"pk": str(number)})
        world.run()
        return world.timeline

    assert story(reads) == story(3)


def test_a_slow_handler_that_ignores_the_clock_is_stopped_between_two_records() -> None:
    done: list[str] = []
    handle = done.append

    def handler(event: Any, _context: Any) -> None:
        for record in event["Records"]:
            handle(record["dynamodb"]["Keys"]["pk"]["S"])

    world = World(0, faults=_only(slow=1))
    orders = world.table("Orders")
    consumer = world.consumer("slow", handler, table=orders)
    for number in range(30):
        orders.put({"pk": str(number)})
    world.run_for(SECOND)

    assert 0 < len(done) < 30
    world.run_for(4 * SECOND)
    assert consumer.invocations[0].outcome == "timeout"


@pytest.mark.parametrize(("seed", "outcome"), [(3, "handled"), (0, "timeout")])
def test_a_slow_function_that_ignores_the_clock_may_time_out(seed: int, outcome: str) -> None:
    world = World(seed, faults=_only(slow=1))
    orders = world.table("Orders")
    consumer = world.consumer("slow", _nothing, table=orders)
    orders.put({"pk": "1"})
    world.run_for(4 * SECOND)

    assert consumer.invocations[0].outcome == outcome
    assert consumer.invocations[0].took > timedelta(milliseconds=800)


def test_a_slow_function_stops_before_its_deadline_and_goes_on_where_it_was() -> None:
    on, seen = Router(), list[str]()

    @on.insert
    def created(change: Insert) -> None:
        seen.append(change.keys["pk"])

    world = World(4, faults=_only(slow=0.9))
    orders = world.table("Orders")
    settings = MappingSettings(report_batch_item_failures=True)
    consumer = world.consumer("slow", on.handler, table=orders, settings=settings)
    for number in range(50):
        orders.put({"pk": str(number)})
    world.run()

    assert seen == [str(number) for number in range(50)]
    assert {each.outcome for each in consumer.invocations} <= {"handled", "partial"}


def test_children_are_read_after_all_their_parents() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders", shards=1)
    seen: list[int] = []
    world.consumer(
        "order",
        lambda event, _: seen.extend(int(key) for key in _keys(event)),
        table=orders,
        settings=MappingSettings(batch_size=3),
    )
    for number in range(40):
        orders.put({"pk": str(number)})
    world.split(orders)
    for number in range(40, 80):
        orders.put({"pk": str(number)})
    world.merge(orders)
    for number in range(80, 120):
        orders.put({"pk": str(number)})
    world.run()

    assert seen[:40] == list(range(40))
    assert sorted(seen[40:80]) == list(range(40, 80))
    assert seen[80:] == list(range(80, 120))


def test_a_handler_may_write_to_another_table_of_the_world() -> None:
    world = World(faults=NO_FAULTS)
    orders, copies = world.table("Orders"), world.table("Copies")
    seen: list[str] = []

    def copy(event: Any, _: Any) -> None:
        for key in _keys(event):
            copies.put({"pk": key})

    world.consumer("copy", copy, table=orders)
    world.consumer("watch", lambda event, _: seen.extend(_keys(event)), table=copies)
    orders.put({"pk": "1"})
    world.run()

    assert seen == ["1"]


@pytest.mark.parametrize("asked", [True, False])
def test_a_handler_finds_its_environment_and_leaves_none_behind(
    asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", "from outside")
    found: list[str | None] = []
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    world.consumer(
        "env",
        lambda _event, _: found.append(os.environ.get("STREAM_PARTIAL_RESPONSE")),
        table=orders,
        settings=MappingSettings(report_batch_item_failures=asked),
    )
    orders.put({"pk": "1"})
    world.run()

    assert found == ["1" if asked else None]
    assert os.environ["STREAM_PARTIAL_RESPONSE"] == "from outside"


def test_a_disabled_mapping_reads_nothing() -> None:
    consumer = _one_order(NO_FAULTS, enabled=False)

    assert consumer.invocations == []
    assert consumer.waiting == []


def test_names_are_given_once() -> None:
    world = World()
    orders = world.table("Orders")
    world.consumer("audit", _nothing, table=orders)

    with pytest.raises(SourceError, match="has a table Orders already"):
        world.table("Orders")
    with pytest.raises(SourceError, match="has a consumer audit already"):
        world.consumer("audit", _nothing, table=orders)


def test_a_consumer_reads_a_table_of_its_own_world() -> None:
    other: Table = World().table("Orders")

    with pytest.raises(SourceError, match="Orders is no table of this world"):
        World().consumer("audit", _nothing, table=other)


def test_a_fault_is_a_probability() -> None:
    with pytest.raises(SettingsError, match="crash must be a probability from 0 to 1, got 5"):
        Faults(crash=5)


def test_time_passes_only_when_a_world_runs() -> None:
    world = World(faults=NO_FAULTS)

    assert world.now == START
    world.run_for(MINUTE)
    assert world.now == START + MINUTE


def test_metrics_and_positions_are_those_of_the_mapping() -> None:
    consumer = _one_order(NO_FAULTS)

    assert consumer.metrics["InvokedEventCount"] == consumer.metrics["Invocations"] == 1
    (number,) = consumer.checkpoints.values()
    assert number == consumer.records("handled")[0]["dynamodb"]["SequenceNumber"]
    assert repr(consumer) == "<Consumer one: 1 handled, 0 waiting>"
