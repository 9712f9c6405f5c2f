"""A reader of one shard, in order, across expired iterators and failed requests.

A reader keeps the number of the last record that it returned, so it recovers from every problem
in the same way: with a new iterator behind that number. An iterator lives 15 minutes, a record 24
hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.live._event_records import event_record
from cdk_streams.live._streams_api import ReadError, StreamsApi, read_error
from cdk_streams.poller import sequence_number

__all__ = ["AfterNumber", "AtEnd", "AtNumber", "AtStart", "Page", "ShardReader", "Since", "StartAt"]

_MOST_RECORDS = 1000


@dataclass(frozen=True, slots=True)
class AtStart:
    """A start at the oldest record that is kept: TRIM_HORIZON."""


@dataclass(frozen=True, slots=True)
class AtEnd:
    """A start at what is written from now on: LATEST; `epoch_s` is now, in s since 1970."""

    epoch_s: float


@dataclass(frozen=True, slots=True)
class AtNumber:
    """A start at the record with this sequence number: AT_SEQUENCE_NUMBER."""

    number: str


@dataclass(frozen=True, slots=True)
class AfterNumber:
    """A start behind the record with this sequence number: AFTER_SEQUENCE_NUMBER."""

    number: str


@dataclass(frozen=True, slots=True)
class Since:
    """A start at the oldest record that is kept, without those made before `epoch_s`.

    A stream cannot be read from a time. This is how a reader that began at the end, and stopped
    before its first record, continues without a gap: creation times are rounded down, so it may
    return a few earlier records again, and never misses one.
    """

    epoch_s: float


StartAt = AtStart | AtEnd | AtNumber | AfterNumber | Since


@dataclass(frozen=True, slots=True)
class Page:
    """The result of one read.

    `records` are Lambda's, in order. `closed`: the shard is read to its end. `error`: the read
    failed and the next one continues where this one stopped; `gone`: because there is no such shard
    (any more). `trimmed`: records between the last page and this one left the stream unread.
    """

    records: tuple[dict[str, Any], ...] = ()
    closed: bool = False
    error: str | None = None
    gone: bool = False
    trimmed: bool = False


class ShardReader:
    """Reads the shard from `start` on; `read` again and again until a page is `closed`.

    A request that fails is no exception: the page has the `error`, and the next `read` continues
    where this one stopped.
    """

    def __init__(self, api: StreamsApi, stream_arn: str, shard_id: str, start: StartAt) -> None:
        self.shard_id = shard_id
        self._api = api
        self._stream_arn = stream_arn
        self._start = start
        self._iterator: str | None = None
        self._trimmed = False

    def read(self, most: int = _MOST_RECORDS) -> Page:
        """Return the next records, 1 to 1,000 at most; an empty page when there are none yet."""
        try:
            if self._iterator is None:
                self._iterator = self._new_iterator()
            answer = self._api.get_records(ShardIterator=self._iterator, Limit=most)
        except (ClientError, BotoCoreError) as error:
            return self._recover(read_error(error))
        following = answer.get("NextShardIterator")
        self._iterator = following
        records = tuple(
            event_record(each, self._stream_arn)
            for each in answer["Records"]
            if _is_new(each, self._start)
        )
        if records:
            self._start = AfterNumber(sequence_number(records[-1]))
        trimmed, self._trimmed = self._trimmed, False
        return Page(records, closed=following is None, trimmed=trimmed)

    def _new_iterator(self) -> str:
        request: dict[str, str] = {"StreamArn": self._stream_arn, "ShardId": self.shard_id}
        match self._start:
            case AtStart() | Since():
                request["ShardIteratorType"] = "TRIM_HORIZON"
            case AtEnd():
                request["ShardIteratorType"] = "LATEST"
            case AtNumber(number):
                request["ShardIteratorType"] = "AT_SEQUENCE_NUMBER"
                request["SequenceNumber"] = number
            case AfterNumber(number):
                request["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER"
                request["SequenceNumber"] = number
        iterator: str = self._api.get_shard_iterator(**request)["ShardIterator"]
        if isinstance(self._start, AtEnd):
            # A second LATEST would skip what was written since the first.
            self._start = Since(self._start.epoch_s)
        return iterator

    def _recover(self, error: ReadError) -> Page:
        if error.kind in {"later", "gone"}:
            return Page(error=error.text, gone=error.kind == "gone")
        self._iterator = None
        if error.kind == "trimmed":
            self._trimmed = True
            self._start = AtStart()
        return Page(error=error.text)


def _is_new(record: Mapping[str, Any], start: StartAt) -> bool:
    """Tell whether a record is behind `start`; a repeated answer must not repeat its records."""
    change = record["dynamodb"]
    match start:
        case AfterNumber(number):
            return int(change["SequenceNumber"]) > int(number)
        case Since(epoch_s):
            made_s: float = change["ApproximateCreationDateTime"].timestamp()
            # Made times are rounded down, by DynamoDB Local to the minute.
            return made_s >= epoch_s - epoch_s % 60
        case _:
            return True
