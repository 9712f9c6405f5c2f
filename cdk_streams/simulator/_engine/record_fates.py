"""How the records that a simulated poller was given have left it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from cdk_streams.poller import Fate, sequence_number
from cdk_streams.simulator._records import Record

__all__ = ["FateCounts", "Fates", "RecordFates"]


class Fates(Protocol):
    """Notices about records: that they were read, and how they left the poller."""

    def read(self, records: Sequence[Any]) -> None:
        """Take records that the poller was given."""
        ...

    def settle(self, fate: Fate, records: Sequence[Any]) -> None:
        """Take records that have left the poller."""
        ...


class FateCounts:
    """Counts alone, for a run that may be as long as it likes."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def read(self, records: Sequence[Any]) -> None:
        """Pass over them: the reader knows how many there were."""

    def settle(self, fate: Fate, records: Sequence[Any]) -> None:
        """Count them."""
        self.counts[fate] += len(records)


class RecordFates:
    """Each record and its fate, by sequence number; a record that came again has the last one."""

    def __init__(self) -> None:
        self.fates: dict[str, Fate] = {}
        self.polled: dict[str, Record] = {}

    def read(self, records: Sequence[Any]) -> None:
        """Keep records that the poller was given."""
        for each in records:
            self.polled.setdefault(sequence_number(each), each)

    def settle(self, fate: Fate, records: Sequence[Any]) -> None:
        """Keep how records left the poller."""
        for each in records:
            self.fates[sequence_number(each)] = fate
