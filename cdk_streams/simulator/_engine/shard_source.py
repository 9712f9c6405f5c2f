"""The shards of a simulated stream: records read lazily, that arrive when they were written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from cdk_streams.errors import SourceError
from cdk_streams.mapping import STREAM_RETENTION

__all__ = ["ShardSource", "newest_ms"]

Record: TypeAlias = dict[str, Any]

_RETENTION_MS: Final = round(STREAM_RETENTION.total_seconds() * 1000)


def newest_ms(records: Sequence[Record]) -> int | None:
    """Return when the last of the records was written; None when none says."""
    # What is no record is refused when it is read, with a better error.
    changes = [each.get("dynamodb") for each in records if isinstance(each, dict)]
    stamps = [each.get("ApproximateCreationDateTime") for each in changes if each]
    return max(
        (round(stamp * 1000) for stamp in stamps if isinstance(stamp, (int, float))), default=None
    )


class ShardSource:
    """One shard's records, one of which is looked ahead of those that have arrived.

    A record arrives when it was written, and no sooner than the run starts or the record before
    it arrived. `trimmed` counts the records whose 24 hours had passed before anyone read them,
    `skipped` those before `LATEST`, `taken` all of a list, or those an iterator has brought.
    `last_created_ms` is when its last record was written, None while an iterator may have more.
    """

    def __init__(self, shard_id: str, records: Iterable[Record], start_ms: int) -> None:
        self.shard_id = shard_id
        self.trimmed = self.skipped = 0
        self._length = len(records) if isinstance(records, Sequence) else None
        self._brought = 0
        last = records[-1:] if isinstance(records, Sequence) else ()
        self.last_created_ms = newest_ms(last)
        self.last_arrival_ms = start_ms
        self._arriving = self._arrive(records, start_ms)
        self._ahead = next(self._arriving, None)

    @property
    def taken(self) -> int:
        """How many records there are, as far as that is known."""
        return self._brought if self._length is None else self._length

    @property
    def next_arrival_ms(self) -> int | None:
        """When the next record arrives or did; None when none is left."""
        return None if self._ahead is None else self._ahead[0]

    @property
    def stream_arn(self) -> str | None:
        """The `eventSourceARN` of the next record."""
        return None if self._ahead is None else self._ahead[2].get("eventSourceARN")

    def read(self, limit: int, now_ms: int) -> list[Record]:
        """Return the next records that have arrived and are still kept."""
        records: list[Record] = []
        ahead, arriving = self._ahead, self._arriving
        while ahead is not None and len(records) < limit:
            at_ms, created_ms, record = ahead
            if at_ms > now_ms:
                break
            if now_ms - created_ms > _RETENTION_MS:
                self.trimmed += 1
            else:
                records.append(record)
            ahead = next(arriving, None)
        self._ahead = ahead
        return records

    def skip_to(self, now_ms: int) -> None:
        """Pass over everything that was written up to now."""
        while self._ahead is not None and self._ahead[1] <= now_ms:
            self.skipped += 1
            self._ahead = next(self._arriving, None)

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
            except TypeError:
                raise self._timeless(stamp) from None
            if created_ms > at_ms:
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
