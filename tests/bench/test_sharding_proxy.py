"""One shard presented as several, before a stream in memory that answers like a real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_streams.live import AfterNumber, AtEnd, AtNumber, AtStart, ShardReader, list_shards
from cdk_streams.local import LocalAws, client
from cdk_streams.testing import FakeStreams
from tests.bench.loopback_proxy import LoopbackProxy, Reply, Request
from tests.bench.sharding_proxy import ProxiedShard, ShardingProxy

PARENT = "shardId-00000000000000000001-parent"
LEFT = "shardId-00000000000000000002-left"
RIGHT = "shardId-00000000000000000003-right"
SHARDS = {
    PARENT: ProxiedShard((1, 2)),
    LEFT: ProxiedShard(range(3, 100, 2), PARENT),
    RIGHT: ProxiedShard(range(4, 100, 2), PARENT),
}


def _seconds(value: Any) -> Any:
    assert isinstance(value, datetime)
    return value.timestamp()


def _over_http(streams: FakeStreams, request: Request) -> Reply:
    operation = {
        "DescribeStream": streams.describe_stream,
        "GetShardIterator": streams.get_shard_iterator,
        "GetRecords": streams.get_records,
    }[request.operation]
    try:
        answer = operation(**json.loads(request.body))
    except ClientError as error:
        return Reply(400, json.dumps({"__type": error.response["Error"]["Code"]}).encode())
    return Reply(200, json.dumps(answer, default=_seconds).encode())


@dataclass
class Proxied:
    """The real stream, and a client of the proxy's."""

    streams: FakeStreams
    api: Any

    def write(self, count: int) -> list[str]:
        return [self.streams.write("real", {"pk": {"S": str(each)}}) for each in range(count)]

    def read(self, shard_id: str, start: Any) -> list[str]:
        page = ShardReader(self.api, self.streams.arn, shard_id, start).read()
        return [each["dynamodb"]["SequenceNumber"] for each in page.records]


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Proxied]:
    streams = FakeStreams()
    streams.add_shard("real")
    with (
        LoopbackProxy(lambda request: _over_http(streams, request)) as real,
        ShardingProxy(real.endpoint_url, shards=SHARDS, made_s={2: 1_789_654_328.0}) as proxy,
    ):
        yield Proxied(streams, client(LocalAws(proxy.endpoint_url, tmp_path), "dynamodbstreams"))


def test_children_are_listed_when_their_parent_has_its_last_record(proxied: Proxied) -> None:
    proxied.write(1)
    (shard,) = list_shards(proxied.api, proxied.streams.arn)
    assert (shard.id, shard.closed) == (PARENT, False)
    proxied.write(1)
    described = list_shards(proxied.api, proxied.streams.arn)
    assert [(each.id, each.parent, each.closed) for each in described] == [
        (PARENT, None, True),
        (LEFT, PARENT, False),
        (RIGHT, PARENT, False),
    ]


def test_a_shard_holds_its_own_records_and_ends_when_it_is_closed(proxied: Proxied) -> None:
    numbers = proxied.write(6)
    assert proxied.read(PARENT, AtStart()) == numbers[:2]
    assert proxied.read(LEFT, AtStart()) == [numbers[2], numbers[4]]
    assert proxied.read(RIGHT, AtStart()) == [numbers[3], numbers[5]]
    reader = ShardReader(proxied.api, proxied.streams.arn, PARENT, AtStart())
    assert [reader.read(1).closed, reader.read(1).closed] == [False, True]


def test_a_shard_is_read_from_where_it_is_asked_for(proxied: Proxied) -> None:
    numbers = proxied.write(6)
    assert proxied.read(LEFT, AtNumber(numbers[4])) == [numbers[4]]
    assert proxied.read(LEFT, AfterNumber(numbers[2])) == [numbers[4]]
    latest = ShardReader(proxied.api, proxied.streams.arn, LEFT, AtEnd(0))
    assert latest.read().records == ()
    later = proxied.write(1)
    assert [each["dynamodb"]["SequenceNumber"] for each in latest.read().records] == later


def test_creation_times_are_replaced_where_asked_for(proxied: Proxied) -> None:
    proxied.write(2)
    page = ShardReader(proxied.api, proxied.streams.arn, PARENT, AtStart()).read()
    times = [each["dynamodb"]["ApproximateCreationDateTime"] for each in page.records]
    assert times == [1_767_225_600.0, 1_789_654_328.0]


def test_an_error_of_the_real_endpoint_is_passed_on(proxied: Proxied) -> None:
    proxied.streams.fail("describe_stream", "ResourceNotFoundException")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        list_shards(proxied.api, proxied.streams.arn)
