"""Guarded writes: whatever arrives, however often and in whatever order, the newest state stays."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from lambda_runtime import MemoryTable, Router, parse, write_once

EVENTS = ("INSERT", "MODIFY", "REMOVE")


def record(number: int, item: str, event_name: str) -> dict[str, Any]:
    keys = {"pk": {"S": item}}
    image = {} if event_name == "REMOVE" else {"NewImage": {**keys, "at": {"N": "1"}}}
    if image:
        image["NewImage"]["number"] = {"S": str(number)}
    return {
        "eventID": str(number),
        "eventName": event_name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_789_654_328.0,
            "Keys": keys,
            **image,
            "SequenceNumber": str(number),
            "StreamViewType": "NEW_IMAGE",
        },
    }


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What happened to a few items, in order: sequence numbers of 1 to 40 digits, mostly long."""
    numbers = draw(
        st.lists(
            st.one_of(
                st.integers(1, 10**40 - 1), st.integers(10**20, 10**22), st.integers(1, 1_000)
            ),
            min_size=1,
            max_size=12,
            unique=True,
        )
    )
    return [
        record(number, draw(st.sampled_from("ABC")), draw(st.sampled_from(EVENTS)))
        for number in sorted(numbers)
    ]


def newest(history: list[dict[str, Any]]) -> dict[str, str | None]:
    """Each item's last change by its number; None for a removed item."""
    return {
        entry["dynamodb"]["Keys"]["pk"]["S"]: entry["dynamodb"]
        .get("NewImage", {})
        .get("number", {})
        .get("S")
        for entry in history
    }


@given(history=histories(), data=st.data())
def test_any_delivery_of_all_changes_ends_in_the_newest_state(
    history: list[dict[str, Any]], data: st.DataObject
) -> None:
    # Every change at least once, some again, in any order: retries, duplicates, late redrives.
    again = data.draw(st.lists(st.sampled_from(history), max_size=12))
    delivered = data.draw(st.permutations([*history, *again]))
    table = MemoryTable("pk")

    for change in parse({"Records": delivered}):
        write_once(table, change)

    expected = {item: number for item, number in newest(history).items() if number is not None}
    assert {item["pk"]: item["number"] for item in table.live()} == expected


@given(history=histories(), data=st.data())
def test_a_target_never_goes_back_in_time(
    history: list[dict[str, Any]], data: st.DataObject
) -> None:
    delivered = data.draw(st.permutations([*history, *history]))
    table = MemoryTable("pk")
    newest_seen: dict[str, int] = {}

    for change in parse({"Records": delivered}):
        number, item = int(change.sequence_number), change.keys["pk"]
        applied = write_once(table, change)
        assert applied == (number > newest_seen.get(item, 0))
        newest_seen[item] = max(number, newest_seen.get(item, 0))
        assert int(table.items[item,]["_stream_sequence"]) == newest_seen[item]


@given(history=histories(), fails=st.lists(st.booleans(), max_size=40), threads=st.integers(1, 4))
def test_retries_of_failing_batches_end_in_the_newest_state(
    history: list[dict[str, Any]], fails: list[bool], threads: int
) -> None:
    # The handler writes and then fails now and then, so that its effect is there when the batch
    # comes again: the case that makes counters count twice.
    table = MemoryTable("pk")
    verdicts = iter(fails)
    on = Router(concurrency=threads)

    @on.default
    def project(change: Any) -> None:
        write_once(table, change)
        if next(verdicts, False):
            raise ConnectionError("the answer was lost")

    for _ in range(len(fails) + 1):
        try:
            on.handler({"Records": history})
        except ConnectionError:
            continue
        break

    expected = {item: number for item, number in newest(history).items() if number is not None}
    assert {item["pk"]: item["number"] for item in table.live()} == expected
