"""Routers under Lambda's own polling rules: any mapping, and handlers that fail as they like."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from cdk_streams.simulator import MappingSettings, insert, modify, remove, simulate
from cdk_streams.simulator._records import START
from lambda_runtime import Change, MemoryTable, Router, Window, write_once

# Whether the attempts of the calls, in their order, fail; after the last none does.
whims = st.lists(st.booleans(), max_size=30)


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One shard: a few items written, changed and deleted, some seconds apart."""
    records: list[dict[str, Any]] = []
    there: dict[str, dict[str, Any]] = {}
    second = 0.0
    for number in range(1, draw(st.integers(1, 14)) + 1):
        second += draw(st.sampled_from([0, 0.5, 4, 30]))
        at, item = START + timedelta(seconds=second), draw(st.sampled_from("ABC"))
        before, after = there.get(item), {"pk": item, "number": number}
        if before is None:
            records.append(insert(after, number=number, at=at))
            there[item] = after
        elif draw(st.booleans()):
            records.append(modify(before, after, number=number, at=at))
            there[item] = after
        else:
            records.append(remove(before, number=number, at=at))
            del there[item]
    return records


def mapping(draw: st.DataObject, **settings: Any) -> MappingSettings:
    """Settings that never give a record up, so that whatever fails is tried again."""
    options: dict[str, Any] = {
        "batch_size": draw.draw(st.integers(1, 8), label="batch_size"),
        "bisect_batch_on_error": draw.draw(st.booleans(), label="bisect"),
        "report_batch_item_failures": draw.draw(st.booleans(), label="report"),
    }
    return MappingSettings(**options | settings)


def number_of(change: Change) -> int:
    return int(change.sequence_number)


@given(records=histories(), fails=whims, data=st.data())
def test_with_partial_responses_every_record_is_handled_once_and_in_order(
    records: list[dict[str, Any]], fails: list[bool], data: st.DataObject
) -> None:
    on, handled, verdicts = Router(), list[int](), iter(fails)

    @on.default
    def handle(change: Change) -> None:
        if next(verdicts, False):
            raise ValueError("no stock")
        handled.append(number_of(change))

    settings = mapping(data, report_batch_item_failures=True)
    simulate(on.handler, records, settings=settings)

    assert handled == [int(record["dynamodb"]["SequenceNumber"]) for record in records]


@given(
    records=histories(),
    costs=st.lists(st.sampled_from([0.1, 0.4, 1.0]), max_size=30),
    data=st.data(),
)
def test_with_partial_responses_the_deadline_makes_nothing_run_twice(
    records: list[dict[str, Any]], costs: list[float], data: st.DataObject
) -> None:
    # The slowest record takes a third of the timeout: never too long for a call of its own.
    on, handled, left = Router(), list[int](), iter(costs)

    @on.default
    def handle(change: Change, context: Any) -> None:
        context.spend(next(left, 0.1))
        handled.append(number_of(change))

    settings = mapping(data, report_batch_item_failures=True)
    simulate(on.handler, records, settings=settings, timeout=timedelta(seconds=3))

    # A record that is slower than all before it may still meet the end, and is then tried again.
    assert sorted(set(handled)) == [int(record["dynamodb"]["SequenceNumber"]) for record in records]


@given(records=histories(), fails=whims, threads=st.integers(1, 4), data=st.data())
def test_a_guarded_target_ends_as_its_source_whatever_the_mapping(
    records: list[dict[str, Any]], fails: list[bool], threads: int, data: st.DataObject
) -> None:
    on, table, verdicts = Router(concurrency=threads), MemoryTable("pk"), iter(fails)

    @on.default
    def copy(change: Change) -> None:
        write_once(table, change)
        if next(verdicts, False):
            raise ConnectionError("the answer was lost")

    simulate(on.handler, records, settings=mapping(data))

    source: dict[str, Any] = {}
    for record in records:
        key = record["dynamodb"]["Keys"]["pk"]["S"]
        image = record["dynamodb"].get("NewImage")
        source[key] = None if image is None else image["number"]["N"]
    expected = {key: number for key, number in source.items() if number is not None}
    assert {item["pk"]: str(item["number"]) for item in table.live()} == expected


@given(records=histories(), fails=whims, data=st.data())
def test_a_window_counts_every_record_once_whatever_fails(
    records: list[dict[str, Any]], fails: list[bool], data: st.DataObject
) -> None:
    on, verdicts = Router(), iter(fails)
    ended: dict[Any, list[int]] = defaultdict(list)

    @on.window(initial={"numbers": []})
    def add(state: dict[str, Any], change: Change) -> dict[str, Any]:
        if next(verdicts, False):
            raise ValueError("no stock")
        return {"numbers": [*state["numbers"], number_of(change)]}

    @on.window_end
    def end(state: dict[str, Any], window: Window) -> None:
        ended[window.start] = [int(number) for number in state["numbers"]]

    settings = mapping(data, tumbling_window=10)
    simulate(on.handler, records, settings=settings, closed=True)

    expected: dict[Any, list[int]] = defaultdict(list)
    for record in records:
        created = record["dynamodb"]["ApproximateCreationDateTime"]
        expected[created // 10 * 10].append(int(record["dynamodb"]["SequenceNumber"]))
    counted = {start.timestamp(): numbers for start, numbers in ended.items() if numbers}
    assert counted == expected
