from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import NO_FAULTS, Run, World, in_order, insert, simulate, timeline
from cdk_streams.simulator._dynamodb.numbering import sequence_number
from cdk_streams.simulator._timeline.events import TimelineEvent, clock_text, name_records

QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"


def _poison(event: Any, _: Any) -> None:
    if any(record["dynamodb"]["Keys"]["pk"]["S"] == "bad" for record in event["Records"]):
        raise ValueError


def _world() -> World:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    world.consumer(
        "audit",
        _poison,
        table=orders,
        settings=MappingSettings(retry_attempts=1, on_failure=QUEUE),
    )
    orders.put({"pk": "good"})
    world.run_for(timedelta(seconds=1))
    world.split(orders)
    orders.put({"pk": "bad"})
    world.run()
    return world


def test_a_run_is_drawn_a_line_for_each_event_and_a_column_for_each_shard() -> None:
    assert timeline(_world(), title="a title") == (
        """\
a title

  +  an item was inserted
  Y  a shard was closed: split, merged or continued
  >  the consumer begins to read
  o  a batch was handled
  x  the function failed
  F  a failure record reached its destination
  a  shardId-00000001789654273755-3d110129 of Orders
  b  shardId-00000001767225601000-50a622e4 of Orders

              Orders  audit
time          ab      ab
00:00:00.000  +       .      Orders a #1
00:00:00.000  .       .      audit, from TRIM_HORIZON
00:00:00.000  .       o      audit a #1, age 0.0 s
00:00:01.000  Y       .      Orders a, 3d110129 → 25f7a028 and 50a622e4
00:00:01.000   +       .     Orders b #2
00:00:01.000   .       x     audit b #2, age 0.0 s, raised ValueError
00:00:01.200   .       x     audit b #2, attempt 2, age 0.2 s, raised ValueError
00:00:01.200   .       F     audit b #2, RetryAttemptsExhausted, 1 record(s)
"""
    )


def _lines(run: Run) -> list[str]:
    """Return what each line says behind its time, without the columns' blanks."""
    body = timeline(run).partition("\ntime")[2].splitlines()[1:]
    return [" ".join(line.split()[1:]) for line in body]


TWO = in_order(insert({"pk": "good"}), insert({"pk": "bad"}))
BISECT = MappingSettings(bisect_batch_on_error=True, retry_attempts=0)


def test_a_run_of_simulate_is_drawn_the_same_way() -> None:
    run = simulate(_poison, TWO, settings=replace(BISECT, on_failure=QUEUE))

    assert _lines(run) == [
        "function, from TRIM_HORIZON",
        "x function a #1-#2 (2), age 0.0 s, raised ValueError",
        "o function a #1, age 0.0 s",
        "x function a #2, age 0.0 s, raised ValueError",
        "F function a #2, RetryAttemptsExhausted, 1 record(s)",
    ]


@pytest.mark.parametrize(
    ("on_failure", "why"),
    [(None, "there is no destination"), (QUEUE, "the destination refused it")],
)
def test_the_timeline_of_a_run_says_that_a_lost_failure_record_is_lost(
    on_failure: str | None, why: str
) -> None:
    run = simulate(
        _poison, TWO, settings=replace(BISECT, on_failure=on_failure), destination_denied=True
    )

    assert _lines(run)[-1] == f"L function a #2, RetryAttemptsExhausted, 1 record(s): {why}"
    assert "reached its destination" not in timeline(run)
    assert run.failures.lost == run.failures != []


def test_a_failure_record_without_a_call_is_drawn_before_the_calls() -> None:
    run = simulate(
        _poison,
        [insert({"pk": "old"}, at=0), insert({"pk": "new"}, number=2, at=600)],
        settings=MappingSettings(max_record_age=60, on_failure=QUEUE),
    )

    assert _lines(run) == [
        "function, from TRIM_HORIZON",
        "a function a #1",
        "F function a #1, RecordAgeExceeded, 1 record(s)",
        "o function a #2, age 0.0 s",
    ]


def test_a_table_and_a_consumer_of_one_name_have_columns_of_their_own() -> None:
    lines = [
        TimelineEvent(0, "insert", "Orders", "shard-1", sequence_numbers=(sequence_number(1),)),
        TimelineEvent(5, "handled", "Orders", "shard-1", consumer="Orders"),
    ]

    assert timeline(lines).splitlines()[-2:] == [
        "00:00:00.000  +       .       Orders a #1",
        "00:00:00.005  .       o       Orders a",
    ]


def test_an_empty_run_is_drawn_as_a_head() -> None:
    assert timeline([]).split() == ["time"]


def test_times_count_from_the_start_and_name_days() -> None:
    assert clock_text(0) == "00:00:00.000"
    assert clock_text(3_723_004) == "01:02:03.004"
    assert clock_text(86_400_000 + 1) == "1d 00:00:00.001"


def test_records_go_by_their_place_or_by_the_end_of_their_number() -> None:
    assert name_records(tuple(map(sequence_number, (3, 4, 9)))) == "#3-#9 (3)"
    assert name_records(("3800002862244222465263",)) == "…465263"
    assert name_records(()) == "no records"
