"""The operations of DynamoDB Streams that a reader needs, and the meaning of their errors.

boto3's `dynamodbstreams` client is a `StreamsApi`; `cdk_streams.testing.FakeStreams` is its fake.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError

__all__ = ["ReadError", "Shard", "StreamsApi", "list_shards", "read_error"]


class StreamsApi(Protocol):
    """Three operations of a `dynamodbstreams` client, called with boto3's keywords."""

    def describe_stream(self, **request: Any) -> Any:
        """Return `{"StreamDescription": {"Shards": […], "LastEvaluatedShardId": …}}`."""
        ...

    def get_shard_iterator(self, **request: Any) -> Any:
        """Return `{"ShardIterator": …}`."""
        ...

    def get_records(self, **request: Any) -> Any:
        """Return `{"Records": […], "NextShardIterator": …}`; no iterator at a shard's end."""
        ...


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as DescribeStream lists it; `parent` may be a shard that is trimmed already."""

    id: str
    parent: str | None
    closed: bool


@dataclass(frozen=True, slots=True)
class ReadError:
    """A request that failed: `expired` and `trimmed` need a new iterator, `later` a wait.

    `gone`: there is no such stream or shard; it may come back, as after a permission was missing.
    """

    kind: Literal["expired", "trimmed", "gone", "later"]
    text: str


def list_shards(api: StreamsApi, stream_arn: str) -> tuple[Shard, ...]:
    """Return every shard of the stream, all pages of it, as DescribeStream orders them.

    Shards that are closed are among them for as long as their records are kept: 24 hours.

    Raises:
        ClientError: There is no such stream, or it may not be described.

    """
    shards: list[Shard] = []
    page: dict[str, str] = {}
    while True:
        described = api.describe_stream(StreamArn=stream_arn, **page)["StreamDescription"]
        shards += [_shard(each) for each in described["Shards"]]
        last = described.get("LastEvaluatedShardId")
        if last in (None, page.get("ExclusiveStartShardId")):
            return tuple(shards)
        page = {"ExclusiveStartShardId": last}


def read_error(error: ClientError | BotoCoreError) -> ReadError:
    """Return the meaning of a failed request; any but the iterator's may succeed when repeated.

    A mapping survives a stream that is gone and a permission that is taken away: Lambda keeps
    polling and delivers what waited once it can read again. So does the driver.
    """
    if not isinstance(error, ClientError):
        return ReadError("later", f"{type(error).__name__}: {error}")
    code = error.response.get("Error", {}).get("Code", "")
    # DynamoDB Local leaves the message of some errors empty.
    text = f"{code}: {error.response.get('Error', {}).get('Message', '')}"
    match code:
        case "ExpiredIteratorException":
            return ReadError("expired", text)
        case "TrimmedDataAccessException":
            return ReadError("trimmed", text)
        case "ResourceNotFoundException":
            return ReadError("gone", text)
        case _:
            return ReadError("later", text)


def _shard(described: Any) -> Shard:
    # An open shard has no ending number.
    closed = "EndingSequenceNumber" in described.get("SequenceNumberRange", {})
    return Shard(described["ShardId"], described.get("ParentShardId"), closed)
