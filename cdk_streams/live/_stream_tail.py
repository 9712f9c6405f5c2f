"""All shards of a stream, followed from a moment on, parents before their children.

    tail = StreamTail(api, stream_arn, start="now")
    while True:
        page = tail.read()
        page.records, page.errors
        save(tail.position())

A tail is one of the two readers that DynamoDB gives a shard. It keeps no checkpoint by itself:
`position` is where it stands, and `StreamTail(..., position=...)` goes on from there.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cdk_streams.errors import SourceError
from cdk_streams.live._shard_reader import (
    AfterNumber,
    AtEnd,
    AtStart,
    Page,
    ShardReader,
    Since,
    StartAt,
)
from cdk_streams.live._streams_api import Shard, StreamsApi, list_shards
from cdk_streams.poller import sequence_number

__all__ = ["StreamTail", "TailPage"]

# DescribeStream may be called ten times a second for an account; a split is seen this late.
_LIST_EVERY = 10


@dataclass(frozen=True, slots=True)
class TailPage:
    """What one round over the shards has brought.

    `records` are Lambda's, those of a shard in its order. `trimmed` are the shards of which records
    left the stream before they were read, `errors` what a shard could not be read for; the next
    round tries it again.
    """

    records: tuple[dict[str, Any], ...] = ()
    trimmed: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


class StreamTail:
    """Reads every shard of a stream; `start` is "horizon", the oldest record kept, or "now".

    Raises:
        SourceError: `position` is of another stream, or is none.

    """

    def __init__(
        self,
        api: StreamsApi,
        stream_arn: str,
        *,
        start: Literal["now", "horizon"] = "now",
        position: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._api = api
        self._stream_arn = stream_arn
        self._rounds = 0
        self._readers: dict[str, ShardReader] = {}
        self._shards: dict[str, Shard] = {}
        self._numbers: dict[str, str] = {}
        self._done: set[str] = set()
        # The last page with the shard of each record, and where the tail stood before it.
        self._page: list[tuple[str, dict[str, Any]]] = []
        self._before: tuple[dict[str, str], set[str]] = ({}, set())
        self._since: float | None = clock() if start == "now" else None
        # Shards that are there now are read from their end, later ones from their start.
        self._begins_now = start == "now" and position is None
        if position is not None:
            self._take(position)

    def position(self, *, without_last: int = 0) -> dict[str, Any]:
        """Return where the tail stands, as plain JSON.

        `without_last` records of the last page, counted from its end, are read again by a tail that
        goes on from there.
        """
        numbers, done = dict(self._numbers), set(self._done)
        if without_last:
            numbers, done = dict(self._before[0]), set(self._before[1])
            taken = self._page[: len(self._page) - without_last]
            numbers |= {shard: sequence_number(record) for shard, record in taken}
        return {
            "stream": self._stream_arn,
            "since": self._since,
            "shards": numbers,
            "done": sorted(done),
        }

    def read(self) -> TailPage:
        """Read each open shard once.

        Raises:
            ClientError: The stream cannot be described: it is not there, or not allowed.

        """
        if self._rounds % _LIST_EVERY == 0:
            self._look_for_shards()
        self._rounds += 1
        self._before = (dict(self._numbers), set(self._done))
        pages = {shard: self._readers[shard].read() for shard in self._readable()}
        for shard, page in pages.items():
            if page.records:
                self._numbers[shard] = sequence_number(page.records[-1])
            if page.closed or page.gone:
                self._done.add(shard)
                self._rounds = 0 if page.closed else self._rounds  # Its children are there now.
        of_shards = ([(shard, one) for one in each.records] for shard, each in pages.items())
        self._page = list(heapq.merge(*of_shards, key=lambda each: _made(each[1])))
        return TailPage(
            records=tuple(record for _, record in self._page),
            trimmed=tuple(shard for shard, each in pages.items() if each.trimmed),
            errors=tuple(_errors(pages)),
        )

    def _readable(self) -> list[str]:
        """Return the shards whose parent, if it is known, is read to its end."""
        waiting = self._readers.keys() - self._done
        return [
            each for each in self._readers if each in waiting and self._parent(each) not in waiting
        ]

    def _parent(self, shard: str) -> str | None:
        return self._shards[shard].parent

    def _look_for_shards(self) -> None:
        for shard in list_shards(self._api, self._stream_arn):
            self._shards[shard.id] = shard
            if shard.id in self._readers or shard.id in self._done:
                continue
            if self._begins_now and shard.closed:
                self._done.add(shard.id)  # All of it was written before.
                continue
            start = self._start(shard.id)
            self._readers[shard.id] = ShardReader(self._api, self._stream_arn, shard.id, start)
        self._begins_now = False

    def _start(self, shard: str) -> StartAt:
        if (number := self._numbers.get(shard)) is not None:
            return AfterNumber(number)
        if self._since is None:
            return AtStart()
        return AtEnd(self._since) if self._begins_now else Since(self._since)

    def _take(self, position: Mapping[str, Any]) -> None:
        match position:
            case {
                "stream": str(arn),
                "since": None | int() | float() as since,
                "shards": dict(shards),
                "done": list(done),
            }:
                pass
            case _:
                raise SourceError(
                    "the position of a tail must be one that a tail has saved, got another text; "
                    "name another file, or delete this one"
                )
        if arn != self._stream_arn:
            raise SourceError(
                f"the position must be one of {self._stream_arn}, got one of {arn}; name another "
                "file, or delete this one"
            )
        self._since, self._numbers, self._done = since, dict(shards), set(done)


def _made(record: Mapping[str, Any]) -> float:
    made: float = record["dynamodb"].get("ApproximateCreationDateTime", 0)
    return made


def _errors(pages: Mapping[str, Page]) -> Iterator[str]:
    for shard, page in pages.items():
        if page.error is not None and not page.gone:
            yield f"{shard}: {page.error}"
