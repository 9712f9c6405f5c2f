from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cdk_streams.live._shard_reader import (
    AfterNumber,
    AtEnd,
    AtStart,
    Page,
    ShardReader,
    Since,
    StartAt,
)
from cdk_streams.live._streams_api import Shard, list_shards
from cdk_streams.testing import FakeStreams

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def streams() -> FakeStreams:
    made = FakeStreams(page_size=2)
    made.add_shard("s")
    return made


def reader(streams: FakeStreams, start: StartAt | None = None) -> ShardReader:
    return ShardReader(streams, streams.arn, "s", start or AtStart())


def write(streams: FakeStreams, count: int) -> list[str]:
    return [streams.write("s", {"pk": {"S": str(number)}}) for number in range(count)]


def numbers(*pages: Page) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for page in pages for record in page.records]


def test_pages_follow_each_other_in_order(streams: FakeStreams) -> None:
    written = write(streams, 5)
    read = reader(streams)
    pages = [read.read(2), read.read(2), read.read(2)]
    assert [len(page.records) for page in pages] == [2, 2, 1]
    assert numbers(*pages) == written


def test_an_empty_page_is_no_end(streams: FakeStreams) -> None:
    read = reader(streams)
    assert read.read() == Page()
    written = write(streams, 1)
    assert numbers(read.read()) == written


def test_a_closed_shard_ends_with_its_last_page(streams: FakeStreams) -> None:
    write(streams, 3)
    streams.close_shard("s")
    read = reader(streams)
    assert not read.read(2).closed
    assert read.read(2).closed


def test_an_expired_iterator_is_replaced_behind_the_last_record(streams: FakeStreams) -> None:
    written = write(streams, 4)
    read = reader(streams)
    first = read.read(2)
    streams.expire_iterators()
    assert read.read().error is not None
    assert numbers(first, read.read()) == written


def test_an_iterator_at_the_end_that_expires_unused_misses_nothing(streams: FakeStreams) -> None:
    streams.write("s", {"pk": {"S": "before"}}, created=datetime(2026, 1, 1, 11, tzinfo=UTC))
    read = reader(streams, AtEnd(NOON.timestamp()))
    assert read.read().records == ()
    written = streams.write("s", {"pk": {"S": "after"}}, created=NOON)
    streams.expire_iterators()
    read.read()
    assert numbers(read.read()) == [written]


@pytest.mark.parametrize("operation", ["get_shard_iterator", "get_records"])
@pytest.mark.parametrize(
    "code", ["ThrottlingException", "LimitExceededException", "InternalServerError"]
)
def test_a_read_that_fails_is_repeated_and_loses_nothing(
    streams: FakeStreams, operation: str, code: str
) -> None:
    written = write(streams, 2)
    streams.fail(operation, code, code)
    read = reader(streams)
    for _ in range(2):
        page = read.read()
        assert page.records == ()
        assert page.error is not None
        assert page.error.startswith(code)
    assert numbers(read.read()) == written


def test_trimmed_records_are_told_and_reading_goes_on_with_the_oldest_kept(
    streams: FakeStreams,
) -> None:
    written = write(streams, 4)
    read = reader(streams, AfterNumber(written[0]))
    streams.trim("s", through=written[2])
    assert read.read().error is not None
    page = read.read()
    assert page.trimmed
    assert numbers(page) == [written[3]]
    assert not read.read().trimmed


def test_reading_goes_on_behind_a_kept_number(streams: FakeStreams) -> None:
    written = write(streams, 3)
    assert numbers(reader(streams, AfterNumber(written[0])).read()) == written[1:]


def test_at_the_end_only_later_records_count(streams: FakeStreams) -> None:
    write(streams, 2)
    read = reader(streams, AtEnd(0))
    read.read()
    assert numbers(read.read(), read.read()) == []
    written = write(streams, 1)
    assert numbers(read.read()) == written


def test_since_gives_the_minute_again_rather_than_a_gap(streams: FakeStreams) -> None:
    streams.write("s", {"pk": {"S": "long before"}}, created=datetime(2026, 1, 1, tzinfo=UTC))
    same_minute = streams.write("s", {"pk": {"S": "rounded down"}}, created=NOON)
    read = reader(streams, Since(NOON.timestamp() + 59.9))
    assert numbers(read.read()) == [same_minute]


def test_every_page_of_shards_is_listed(streams: FakeStreams) -> None:
    streams.add_shard("left", parent="s")
    streams.add_shard("right", parent="s")
    assert list_shards(streams, streams.arn) == (
        Shard("s", None, closed=True),
        Shard("left", "s", closed=False),
        Shard("right", "s", closed=False),
    )
    assert streams.calls == ["describe_stream", "describe_stream"]


def test_a_shard_that_is_gone_is_told(streams: FakeStreams) -> None:
    streams.fail("get_shard_iterator", "ResourceNotFoundException")
    page = reader(streams).read()
    assert page.gone
    assert page.error is not None
