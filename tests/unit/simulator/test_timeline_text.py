from __future__ import annotations

from datetime import timedelta
from typing import Any

from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import NO_FAULTS, World, in_order, insert, simulate, timeline
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
  a  shardId-00000001767225600000-2bed7d9d of Orders
  b  shardId-00000001767225601000-50a622e4 of Orders

              Orders  audit
time          ab      ab
00:00:00.000  +       .      Orders a #1
00:00:00.000  .       .      audit, from TRIM_HORIZON
00:00:00.020  .       o      audit a #1, age 0.0 s
00:00:01.000  Y       .      Orders a, 2bed7d9d → 25f7a028 and 50a622e4
00:00:01.000   +       .     Orders b #2
00:00:01.020   .       x     audit b #2, age 0.0 s, raised ValueError
00:00:01.240   .       x     audit b #2, attempt 2, age 0.2 s, raised ValueError
00:00:01.255   .       F     audit b, RetryAttemptsExhausted, 1 record(s)
"""
    )


def test_a_run_of_simulate_is_drawn_the_same_way() -> None:
    run = simulate(
        _poison,
        in_order(insert({"pk": "good"}), insert({"pk": "bad"})),
        settings=MappingSettings(bisect_batch_on_error=True, retry_attempts=0),
    )

    body = timeline(run).splitlines()[-4:]

    assert [line.split("  ", 1)[1] for line in body] == [
        "x      calls a #1-#2 (2), raised ValueError",
        "o      calls a #1",
        "x      calls a #2, raised ValueError",
        "F      calls a, RetryAttemptsExhausted, 1 record(s)",
    ]


def test_a_failure_record_without_a_call_is_drawn_first() -> None:
    run = simulate(
        _poison,
        [insert({"pk": "old"}, at=0), insert({"pk": "new"}, number=2, at=600)],
        settings=MappingSettings(max_record_age=60),
    )

    body = timeline(run).splitlines()[-2:]

    assert "F      calls a, RecordAgeExceeded, 1 record(s)" in body[0]
    assert "o      calls a #2" in body[1]


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
