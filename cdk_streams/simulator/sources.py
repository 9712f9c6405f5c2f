"""The shards of a simulated stream: records read lazily, that arrive when they were written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cdk_streams.errors import SourceError
from cdk_streams.mapping import STREAM_RETENTION

__all__ = ["ShardSource", "newest_ms"]

_RETENTION_MS = round(STREAM_RETENTION.total_seconds() * 1000)


def newest_ms(records: Sequence[dict[str, Any]]) -> int | None:
    """Return when the last of the records was written; None when none says."""
    stamps = [each["dynamodb"].get("ApproximateCreationDateTime") for each in records]
    return max((round(stamp * 1000) for stamp in stamps if stamp is not None), default=None)


class ShardSource:
    """One shard's records, one of which is looked ahead of those that have arrived.

    A record arrives when it was written, and no sooner than the run starts or the record before
    it arrived. `trimmed` counts the records whose 24 hours had passed before anyone read them,
    `skipped` those before `LATEST`, `taken` all that have come from the iterable.
    `last_created_ms` is when its last record was written, None while an iterator may have more.
    """

    def __init__(self, shard_id: str, records: Iterable[dict[str, Any]], start_ms: int) -> None:
        self.shard_id = shard_id
        self.taken = self.trimmed = self.skipped = 0
        last = records[-1:] if isinstance(records, Sequence) else ()
        self.last_created_ms = newest_ms(last)
        self._records = iter(records)
        self._number = -1
        self._ahead: dict[str, Any] | None = None
        self._created_ms = self._arrival_ms = start_ms
        self._look_ahead()

    @property
    def next_arrival_ms(self) -> int | None:
        """When the next record arrives or did; None when none is left."""
        return None if self._ahead is None else self._arrival_ms

    @property
    def last_arrival_ms(self) -> int:
        """When the newest record taken from the iterable arrives."""
        return self._arrival_ms

    @property
    def stream_arn(self) -> str | None:
        """The `eventSourceARN` of the next record."""
        return None if self._ahead is None else self._ahead.get("eventSourceARN")

    def read(self, limit: int, now_ms: int) -> list[dict[str, Any]]:
        """Return the next records that have arrived and are still kept."""
        records: list[dict[str, Any]] = []
        while self._ahead is not None and self._arrival_ms <= now_ms and len(records) < limit:
            if now_ms - self._created_ms > _RETENTION_MS:
                self.trimmed += 1
            else:
                records.append(self._ahead)
            self._look_ahead()
        return records

    def skip_to(self, now_ms: int) -> None:
        """Pass over everything that was written up to now."""
        while self._ahead is not None and self._created_ms <= now_ms:
            self.skipped += 1
            self._look_ahead()

    def _look_ahead(self) -> None:
        record = self._ahead = next(self._records, None)
        if record is None:
            return
        change = record["dynamodb"]
        number = self._checked(change["SequenceNumber"])
        if number <= self._number:
            raise SourceError(
                f"the records of {self.shard_id} must be in stream order, got sequence number "
                f"{number} after {self._number}; sort them by int(SequenceNumber)"
            )
        self._number = number
        self.taken += 1
        stamp = change.get("ApproximateCreationDateTime")
        if stamp is not None:
            self._created_ms = round(stamp * 1000)
            self._arrival_ms = max(self._arrival_ms, self._created_ms)
        else:
            self._created_ms = self._arrival_ms

    def _checked(self, number: Any) -> int:
        if not isinstance(number, str) or not number.isdecimal():
            raise SourceError(
                f"a record of {self.shard_id} has the sequence number {number!r}; "
                "expected decimal text such as '3800002862244222465263'"
            )
        return int(number)
