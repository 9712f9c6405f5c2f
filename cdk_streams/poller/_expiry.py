"""Records that are too old: past the mapping's maximum age, or past the stream's 24 hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cdk_streams.mapping import STREAM_RETENTION
from cdk_streams.poller._batches import created_ms
from cdk_streams.poller._events import Record

__all__ = ["RETENTION_MS", "count_older"]

RETENTION_MS: Final = round(STREAM_RETENTION.total_seconds() * 1000)


def count_older(records: Sequence[Record], age_ms: int, at_ms: int) -> int:
    """Return how many records at the front are older than an age; exactly as old is not older.

    Only the front counts: an old record behind a younger one waits its turn.
    """
    count = 0
    while count < len(records) and at_ms - created_ms(records[count], at_ms) > age_ms:
        count += 1
    return count
