"""A tail reads all shards, parents first, from now or the horizon, and goes on from a position."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_streams.errors import SourceError
from cdk_streams.live import StreamTail
from cdk_streams.testing import FakeStreams

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def write(streams: FakeStreams, shard: str, name: str, minutes: int = 0) -> None:
    streams.write(shard, {"pk": {"S": name}}, created=START + timedelta(minutes=minutes))


def names(records: Iterable[dict[str, Any]]) -> list[str]:
    return [each["dynamodb"]["Keys"]["pk"]["S"] for each in records]


def tail(streams: FakeStreams, **more: Any) -> StreamTail:
    return StreamTail(streams, streams.arn, clock=(START + timedelta(hours=1)).timestamp, **more)


@pytest.fixture
def streams() -> FakeStreams:
    made = FakeStreams()
    made.add_shard("a")
    made.add_shard("b")
    return made


def test_from_the_horizon_everything_is_read_in_the_order_of_time(streams: FakeStreams) -> None:
    write(streams, "a", "1", 1)
    write(streams, "b", "2", 2)
    write(streams, "a", "3", 3)
    assert names(tail(streams, start="horizon").read().records) == ["1", "2", "3"]


def test_the_order_of_a_shard_is_kept_whatever_its_times_say(streams: FakeStreams) -> None:
    write(streams, "a", "1", 5)
    write(streams, "a", "2", 1)
    assert names(tail(streams, start="horizon").read().records) == ["1", "2"]


def test_from_now_only_later_records_are_read(streams: FakeStreams) -> None:
    write(streams, "a", "before")
    found = tail(streams, start="now")
    assert found.read().records == ()
    write(streams, "a", "after", 61)
    assert names(found.read().records) == ["after"]


def test_a_shard_that_had_ended_before_now_is_not_read(streams: FakeStreams) -> None:
    write(streams, "a", "before")
    streams.add_shard("a1", parent="a")
    write(streams, "a1", "after", 0)
    found = tail(streams, start="now")
    assert found.read().records == ()
    write(streams, "a1", "later", 61)
    assert names(found.read().records) == ["later"]


def test_children_are_read_after_their_parent_and_from_their_start(streams: FakeStreams) -> None:
    found = tail(streams, start="now")
    assert found.read().records == ()
    write(streams, "a", "parent", 62)
    streams.add_shard("a1", parent="a")
    write(streams, "a1", "child", 61)
    assert names(found.read().records) == ["parent"]
    assert names(found.read().records) == ["child"]


def test_it_goes_on_from_a_position_without_gap_or_repetition(streams: FakeStreams) -> None:
    write(streams, "a", "1", 1)
    first = tail(streams, start="horizon")
    assert names(first.read().records) == ["1"]
    saved = json.loads(json.dumps(first.position()))
    write(streams, "a", "2", 2)
    write(streams, "b", "3", 3)
    assert names(tail(streams, position=saved).read().records) == ["2", "3"]


def test_a_position_can_leave_the_end_of_a_page_to_the_next_tail(streams: FakeStreams) -> None:
    for minutes, (shard, name) in enumerate([("a", "1"), ("b", "2"), ("a", "3"), ("b", "4")]):
        write(streams, shard, name, minutes)
    streams.close_shard("a")
    first = tail(streams, start="horizon")
    assert names(first.read().records) == ["1", "2", "3", "4"]
    for left in range(5):
        saved = json.loads(json.dumps(first.position(without_last=left)))
        again = names(tail(streams, position=saved).read().records)
        assert again == ["1", "2", "3", "4"][4 - left :]


def test_a_tail_that_had_read_nothing_goes_on_from_when_it_began(streams: FakeStreams) -> None:
    write(streams, "a", "before")
    first = tail(streams, start="now")
    first.read()
    write(streams, "a", "meanwhile", 61)
    assert names(tail(streams, position=first.position()).read().records) == ["meanwhile"]


def test_a_shard_that_is_read_to_its_end_is_not_read_again(streams: FakeStreams) -> None:
    write(streams, "a", "1")
    streams.close_shard("a")
    first = tail(streams, start="horizon")
    assert names(first.read().records) == ["1"]
    assert first.position()["done"] == ["a"]
    assert tail(streams, position=first.position()).read().records == ()


def test_trimmed_records_and_errors_are_said_and_reading_goes_on(streams: FakeStreams) -> None:
    found = tail(streams, start="horizon")
    write(streams, "a", "1")
    streams.fail("get_records", "ThrottlingException")
    page = found.read()
    assert len(page.errors) == 1
    assert page.errors[0].startswith("a: ThrottlingException")
    assert names(found.read().records) == ["1"]
    write(streams, "a", "2")
    streams.trim("a", streams.write("a", {"pk": {"S": "3"}}))
    write(streams, "a", "4")
    pages = [found.read(), found.read()]
    assert [shard for page in pages for shard in page.trimmed] == ["a"]
    assert names(record for page in pages for record in page.records) == ["4"]


def test_a_stream_that_cannot_be_described_is_an_error(streams: FakeStreams) -> None:
    streams.fail("describe_stream", "AccessDeniedException")
    with pytest.raises(ClientError):
        tail(streams).read()


@pytest.mark.parametrize("position", [{}, {"stream": 1}, {"stream": "x", "since": "y"}])
def test_a_position_that_is_none_is_refused(streams: FakeStreams, position: Any) -> None:
    with pytest.raises(SourceError, match="one that a tail has saved"):
        tail(streams, position=position)


def test_a_position_of_another_stream_is_refused(streams: FakeStreams) -> None:
    other = tail(streams).position() | {"stream": "arn:other"}
    with pytest.raises(SourceError, match="got one of arn:other"):
        tail(streams, position=other)
