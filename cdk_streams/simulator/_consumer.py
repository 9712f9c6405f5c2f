"""A consumer of a world: a function, the settings of its mapping, and what has become of both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Fate, sequence_number
from cdk_streams.simulator._dynamodb.table import Table
from cdk_streams.simulator._engine.functions import Function
from cdk_streams.simulator._records import Record
from cdk_streams.simulator._results import Invocation

__all__ = ["Consumer"]


class Consumer:
    """What a consumer did so far; make one with `World.consumer`.

    Attributes:
        invocations: The function's calls, in the order in which they ended.
        failures: The failure records that reached the destination, as it got them.
        lost: The failure records that did not: refused, or there is no destination.
        checkpoints: The last sequence number that each shard is done with.
        metrics: The mapping's metrics and IteratorAge, each a list of (time, value).

    """

    def __init__(
        self, name: str, table: Table, settings: MappingSettings, function: Function
    ) -> None:
        self.name = name
        self.table = table
        self.settings = settings
        self.function = function
        self.invocations: list[Invocation] = []
        self.failures: list[dict[str, Any]] = []
        self.lost: list[dict[str, Any]] = []
        self.checkpoints: dict[str, str] = {}
        self.metrics: dict[str, list[tuple[timedelta, int]]] = {}
        self._fates: dict[str, Fate] = {}
        self._polled: dict[str, Record] = {}

    def __repr__(self) -> str:
        """`<Consumer inventory: 12 handled, 1 failed, 0 waiting>`."""
        counts: dict[str, int] = {}
        for fate in self._fates.values():
            counts[fate] = counts.get(fate, 0) + 1
        parts = [f"{count} {fate}" for fate, count in counts.items()]
        return f"<Consumer {self.name}: {', '.join([*parts, f'{len(self.waiting)} waiting'])}>"

    def fate_of(self, record: Record) -> Fate | None:
        """Return how a record left the poller: handled, filtered, failed, expired or trimmed.

        None: it is waiting, or was never read.
        """
        return self._fates.get(sequence_number(record))

    def records(self, fate: Fate) -> list[Record]:
        """Return the records that left the poller in this way, in the order they were read."""
        return [each for number, each in self._polled.items() if self._fates.get(number) == fate]

    @property
    def waiting(self) -> list[Record]:
        """The records that were read and are not dealt with yet."""
        return [each for number, each in self._polled.items() if number not in self._fates]

    def read(self, records: Sequence[Record]) -> None:
        """Note records that the poller was given."""
        for each in records:
            self._polled.setdefault(sequence_number(each), each)

    def settle(self, fate: Fate, records: Sequence[Any]) -> None:
        """Note how records left the poller."""
        for each in records:
            self._fates[sequence_number(each)] = fate
