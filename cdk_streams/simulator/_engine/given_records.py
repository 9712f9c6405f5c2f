"""Records given to a run: shards read lazily, whose records arrive when they were written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from cdk_streams._argument_checks import list_of_names
from cdk_streams.errors import SourceError
from cdk_streams.mapping import STREAM_RETENTION
from cdk_streams.poller import Read, ShardSeen
from cdk_streams.simulator._records import Record

__all__ = ["GivenRecords", "GivenShard", "newest_ms"]


_RETENTION_MS: Final = round(STREAM_RETENTION.total_seconds() * 1000)
# The year 10000: no text of AWS tells a later moment.
_END_OF_TIME_MS: Final = 253_402_300_800_000


def newest_ms(records: Sequence[Record]) -> int | None:
    """Return when the last of the records was written; None when none says."""
    # What is no record is refused when it is read, with a better error.
    changes = [each.get("dynamodb") for each in records if isinstance(each, dict)]
    stamps = [each.get("ApproximateCreationDateTime") for each in changes if each]
    return max((round(stamp * 1000) for stamp in stamps if _is_time(stamp)), default=None)


def _is_time(stamp: Any) -> bool:
    # NaN compares as False, so that it is none.
    return isinstance(stamp, (int, float)) and 0 <= stamp * 1000 < _END_OF_TIME_MS


class GivenRecords:
    """The shards of a run, for the one mapping that reads them; a `StreamReader`.

    `parents` are those of shards that continue others; a parent ends with its last record.
    `closed`: every shard does.
    """

    def __init__(
        self,
        shards: Mapping[str, GivenShard],
        parents: Mapping[str, Sequence[str]],
        *,
        closed: bool,
    ) -> None:
        self._shards = shards
        self._parents = {
            child: list_of_names(f"the parents of {child}", each, what="shard ids")
            for child, each in parents.items()
        }
        named = {one for each in self._parents.values() for one in each}
        self._ending = set(shards) if closed else named
        self._sought: set[str] = set()

    def shards(self, now_ms: int) -> tuple[ShardSeen, ...]:
        """Return the shards that exist by now: children begin when their parents have ended."""
        parents = self._parents
        over = {one for each in parents.values() for one in each if self._is_over(one, now_ms)}
        return tuple(
            ShardSeen(name, parents.get(name, ()), closed=name in over)
            for name in self._shards
            if over.issuperset(parents.get(name, ()))
        )

    def seek(self, read: Read, now_ms: int) -> GivenShard:
        """Pass over what is older than `LATEST`; there is no way back to what was read."""
        shard = self._shards[read.shard_id]
        if read.shard_id not in self._sought:
            self._sought.add(read.shard_id)
            shard.closed = read.shard_id in self._ending
            if read.start == "LATEST" and read.after is None:
                shard.skip_to(now_ms)
        return shard

    def _is_over(self, name: str, now_ms: int) -> bool:
        """Whether a parent has ended by now; one without records has been trimmed."""
        shard = self._shards.get(name)
        if shard is None or shard.next_ms is None:
            return True
        last_ms = shard.last_created_ms
        return last_ms is not None and last_ms <= now_ms


class GivenShard:
    """One shard's records, one of them looked ahead of those that have arrived; a `ShardCursor`.

    A record arrives when it was written, and no sooner than the run starts or the record before
    it arrived. `skipped` counts the records before `LATEST`, `taken` all of a list, or those an
    iterator has brought. `next_ms` is when the next record arrives or did, None when none is
    left; `last_created_ms` when the last one was written, None while an iterator may have more.
    `closed`: the shard ends with its last record.
    """

    def __init__(self, shard_id: str, records: Iterable[Record], start_ms: int) -> None:
        self.shard_id = shard_id
        self.skipped = 0
        self.closed = False
        self._length = len(records) if isinstance(records, Sequence) else None
        self._brought = 0
        last = records[-1:] if isinstance(records, Sequence) else ()
        self.last_created_ms = newest_ms(last)
        self.last_arrival_ms = start_ms
        self.next_ms: int | None = None
        self._arriving = self._arrive(records, start_ms)
        self._ahead: tuple[int, int, Record] | None = None
        self._look(next(self._arriving, None))

    @property
    def taken(self) -> int:
        """How many records there are, as far as that is known."""
        return self._brought if self._length is None else self._length

    @property
    def stream_arn(self) -> str | None:
        """The `eventSourceARN` of the next record."""
        return None if self._ahead is None else self._ahead[2].get("eventSourceARN")

    def read(self, limit: int, now_ms: int) -> tuple[list[Record], list[Record]]:
        """Return the next records that have arrived, and those whose 24 hours are over."""
        records: list[Record] = []
        trimmed: list[Record] = []
        ahead, arriving = self._ahead, self._arriving
        for _ in range(limit):
            if ahead is None or ahead[0] > now_ms:
                break
            _, created_ms, record = ahead
            (trimmed if now_ms - created_ms > _RETENTION_MS else records).append(record)
            ahead = next(arriving, None)
        self._look(ahead)
        return records, trimmed

    def skip_to(self, now_ms: int) -> None:
        """Pass over everything that was written up to now."""
        ahead = self._ahead
        while ahead is not None and ahead[1] <= now_ms:
            self.skipped += 1
            ahead = next(self._arriving, None)
        self._look(ahead)

    def _look(self, ahead: tuple[int, int, Record] | None) -> None:
        self._ahead = ahead
        self.next_ms = None if ahead is None else ahead[0]

    def _arrive(self, records: Iterable[Record], at_ms: int) -> Iterator[tuple[int, int, Record]]:
        """Yield (arrival, creation, record); each must follow the one before it.

        Plain tuples: this is done for every record of a run.
        """
        before = -1
        for record in records:
            try:
                change = record["dynamodb"]
                text = change["SequenceNumber"]
            except (KeyError, TypeError, IndexError):
                raise self._foreign(record) from None
            number = int(text) if text.__class__ is str and text.isdecimal() else -1
            if number <= before:
                raise self._misplaced(text, before)
            before = number
            self._brought += 1
            stamp = change.get("ApproximateCreationDateTime")
            try:
                created_ms = at_ms if stamp is None else round(stamp * 1000)
            except (TypeError, ValueError, OverflowError):
                raise self._timeless(stamp) from None
            if created_ms > at_ms:
                if created_ms >= _END_OF_TIME_MS:
                    raise self._timeless(stamp)
                self.last_arrival_ms = at_ms = created_ms
            yield at_ms, created_ms, record

    def _timeless(self, stamp: Any) -> SourceError:
        return SourceError(
            f"a record of {self.shard_id} has the ApproximateCreationDateTime {stamp!r}; expected "
            "seconds since 1970 as Lambda sends them, such as 1789654328.0"
        )

    def _foreign(self, record: Any) -> SourceError:
        what = sorted(record) if isinstance(record, dict) else type(record).__name__
        return SourceError(
            f"{self.shard_id} must hold records of a DynamoDB stream, with "
            f"dynamodb.SequenceNumber, got {what}"
        )

    def _misplaced(self, text: Any, before: int) -> SourceError:
        if not isinstance(text, str) or not text.isdecimal():
            return SourceError(
                f"a record of {self.shard_id} has the sequence number {text!r}; "
                "expected decimal text such as '3800002862244222465263'"
            )
        return SourceError(
            f"the records of {self.shard_id} must be in stream order, got sequence number "
            f"{text} after {before}; sort them by that number, or number them with in_order(…)"
        )
