"""Entries and calls: nothing is over a limit, nothing is dropped, nothing overtakes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_runtime import parse
from lambda_runtime.forward import ForwardError
from lambda_runtime.forward._entries import Entry, Limits, entry_of, packed
from lambda_runtime.forward._events import Event


class FakeEvent:
    def __init__(self, subject: str) -> None:
        self.subject = subject


def entries(*subjects: str, size_bytes: int = 10) -> list[Entry]:
    made: list[Any] = [FakeEvent(subject) for subject in subjects]
    return [Entry(at, event, "", size_bytes) for at, event in enumerate(made)]


def subjects(calls: Any) -> list[str]:
    return ["".join(entry.event.subject for entry in call) for call in calls]


def test_a_call_has_so_many_entries_at_most() -> None:
    assert subjects(packed(entries(*"abcde"), Limits(2, 1_000), apart=False)) == ["ab", "cd", "e"]


def test_a_call_has_so_many_bytes_at_most() -> None:
    calls = packed(entries(*"abcde", size_bytes=10), Limits(10, 25), apart=False)

    assert subjects(calls) == ["ab", "cd", "e"]


def test_an_entry_as_large_as_a_call_goes_alone() -> None:
    assert subjects(packed(entries("a", "b", size_bytes=25), Limits(10, 25), apart=False)) == [
        "a",
        "b",
    ]


def test_no_entries_make_no_call() -> None:
    assert list(packed([], Limits(10, 25), apart=True)) == []


def test_two_changes_of_an_item_never_share_a_call_of_an_ordered_target() -> None:
    limits = Limits(10, 1_000)

    assert subjects(packed(entries(*"abacc"), limits, apart=True)) == ["ab", "ac", "c"]
    assert subjects(packed(entries(*"abacc"), limits, apart=False)) == ["abacc"]


@pytest.fixture
def large(make_record: Any) -> Event:
    new = {"text": {"S": "x" * 5_000}}
    (change,) = parse({"Records": [make_record(1, "MODIFY", new=new)]})
    return Event(change)


def test_an_event_at_the_limit_goes_whole(large: Event) -> None:
    size_bytes = len(large.text()) + 7

    entry = entry_of(0, large, Limits(1, size_bytes), 7, None)

    assert entry.text == large.text()
    assert entry.size_bytes == size_bytes


def test_an_event_over_the_limit_goes_without_images_and_says_so(large: Event) -> None:
    entry = entry_of(0, large, Limits(1, len(large.text()) - 1), 0, None)

    event = json.loads(entry.text)
    assert event["data"] == {
        "keys": {"pk": "item-1"},
        "changed": ["text"],
        "size_bytes": 61,
        "omitted": ["before", "after"],
    }
    assert "dataref" not in event


def test_the_names_of_changed_attributes_are_left_out_when_they_are_too_many(
    make_record: Any,
) -> None:
    new = {f"{number:0300}": {"SS": ["x"]} for number in range(30)}
    (change,) = parse({"Records": [make_record(1, "MODIFY", new=new)]})

    entry = entry_of(0, Event(change), Limits(1, 2_000), 0, None)

    data = json.loads(entry.text)["data"]
    assert data["omitted"] == ["before", "after", "changed"]
    assert data["keys"] == {"pk": "item-1"}


def test_an_event_without_images_still_tells_the_types_of_its_keys(make_record: Any) -> None:
    record = make_record(
        keys={"pk": {"B": "aGk="}, "sk": {"N": "12345678901234567890"}},
        new={"text": {"S": "x" * 5_000}, "tags": {"SS": ["a"]}},
    )
    (change,) = parse({"Records": [record]})

    entry = entry_of(0, Event(change), Limits(1, 2_000), 0, None)

    event = json.loads(entry.text)
    assert event["data"]["types"] == {"/keys/pk": "B", "/keys/sk": "N"}
    (arrived,) = parse(event)
    assert arrived.keys == change.keys


def test_an_event_is_refused_only_when_its_keys_are_too_large(large: Event) -> None:
    with pytest.raises(ForwardError, match=r"bytes without its images, more than the 100 bytes"):
        entry_of(0, large, Limits(1, 100), 0, None)


def test_the_data_of_a_large_event_is_kept_when_asked(large: Event) -> None:
    kept: list[str] = []

    def keep(event: Event) -> str:
        kept.append(event.data())
        return "s3://bucket/key"

    entry = entry_of(0, large, Limits(1, 2_000), 0, keep)

    assert json.loads(entry.text)["dataref"] == "s3://bucket/key"
    assert json.loads(kept[0])["after"]["text"] == "x" * 5_000


def test_what_fits_is_kept_nowhere(large: Event) -> None:
    def keep(_: Event) -> str:
        raise AssertionError

    entry_of(0, large, Limits(1, 100_000), 0, keep)
