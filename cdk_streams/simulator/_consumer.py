"""A consumer of a world: a function, the settings of its mapping, and what both did so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, get_args

from cdk_streams._argument_checks import check_instance, whole_number
from cdk_streams.errors import SourceError
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Fate
from cdk_streams.simulator._dynamodb.table import Table
from cdk_streams.simulator._engine.functions import Function
from cdk_streams.simulator._engine.record_fates import RecordFates
from cdk_streams.simulator._engine.recorder import Recorder
from cdk_streams.simulator._records import Record
from cdk_streams.simulator._results import Counts, Delivery, FailureRecords, Invocation
from cdk_streams.simulator._timeline.timeline_setup import ConsumerSetup

__all__ = ["Consumer", "check_consumer", "check_table"]


class Consumer:
    """What a consumer did so far; make one with `World.consumer`.

    Its results have the names and meanings of a `Run`, which `simulate` returns.
    """

    def __init__(
        self, name: str, table: Table, settings: MappingSettings, function: Function
    ) -> None:
        self.name = name
        self.table = table
        self.settings = settings
        self.function = function
        self._fates = RecordFates()
        self.recorder = Recorder(self._fates)

    def __repr__(self) -> str:
        """`<Consumer inventory: 12 handled, 1 failed, 0 waiting>`."""
        counts = Counter(self._fates.fates.values())
        parts = [f"{count} {fate}" for fate, count in counts.items()]
        return f"<Consumer {self.name}: {', '.join([*parts, f'{len(self.waiting)} waiting'])}>"

    @property
    def setup(self) -> ConsumerSetup:
        """The settings of its mapping and its function, as a page of the run shows them."""
        timeout = timedelta(milliseconds=self.function.configuration.timeout_ms)
        reserve = self.function.reserved_concurrency
        return ConsumerSetup(self.name, self.settings, timeout, reserve)

    @property
    def invocations(self) -> Sequence[Invocation]:
        """The function's calls, in the order in which they began; one under way is not there."""
        return self.recorder.invocations

    @property
    def failures(self) -> FailureRecords:
        """Every failure record that Lambda made; its parts are `.delivered` and `.lost`."""
        return self.recorder.failures

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """What was sent to the configured destination; empty without one."""
        return self.recorder.deliveries

    @property
    def checkpoints(self) -> dict[str, str]:
        """The last sequence number that each shard is done with."""
        return self.recorder.checkpoints

    @property
    def metrics(self) -> dict[str, int]:
        """The sum of each CloudWatch metric that has a point; of `IteratorAge` the maximum."""
        return self.recorder.metrics

    @property
    def counts(self) -> Counts:
        """How the records that were read ended, each counted once."""
        fates = Counter[str](self._fates.fates.values())
        return Counts(**fates, waiting=len(self.waiting))

    def records(self, fate: Fate) -> list[Record]:
        """Return the records that left the poller in this way, in the order they were read.

        Raises:
            SourceError: The fate is none; `waiting` has those that are not settled.

        """
        if fate not in get_args(Fate):
            raise SourceError(f"fate must be one of {', '.join(get_args(Fate))}, got {fate!r}")
        fates = self._fates.fates
        return [each for number, each in self._fates.polled.items() if fates.get(number) == fate]

    @property
    def waiting(self) -> list[Record]:
        """The records that were read and are not settled yet."""
        fates = self._fates.fates
        return [each for number, each in self._fates.polled.items() if number not in fates]


def check_consumer(
    name: Any, handler: Any, table: Any, settings: Any, reserved_concurrency: Any
) -> None:
    """Refuse arguments of `World.consumer` that are of the wrong kind.

    Raises:
        SourceError: One of them is; they may have changed places.

    """
    example = 'world.consumer("Audit", handler, table=world.tables["Orders"])'
    if not isinstance(name, str):
        raise SourceError(f"name must be a text, got {type(name).__name__}; write {example}")
    if not callable(handler):
        raise SourceError(
            f"handler must be a function of event and context, got {type(handler).__name__}; write "
            f"{example}"
        )
    check_table(table, example)
    if settings is not None:
        check_instance("settings", settings, MappingSettings, "write MappingSettings(batch_size=…)")
    if reserved_concurrency is not None:
        whole_number("reserved_concurrency", reserved_concurrency, 0)


def check_table(table: Any, example: str = 'table = world.table("Orders")') -> None:
    """Refuse what is no table of a world, such as its name.

    Raises:
        SourceError: It is of another class.

    """
    if not isinstance(table, Table):
        raise SourceError(
            f"table must be a table of this world, got {type(table).__name__}; write {example}"
        )
