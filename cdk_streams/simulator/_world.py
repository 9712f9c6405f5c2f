"""A small world in virtual time: tables, consumers, faults drawn from a seed, and invariants.

    world = World(seed=7)
    orders = world.table("Orders", keys=("pk",))
    audit = world.consumer("audit", handler, table=orders)
    world.always(lambda: stock.lowest() >= 0, name="stock is never negative")
    orders.put({"pk": "ORDER#1", "status": "PLACED"})
    world.run()

The seed is the reproduction: the same seed and the same code give the same run, line for line, on
every machine and every Python.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self

from cdk_streams._argument_checks import check_instance, whole_number
from cdk_streams.errors import SourceError
from cdk_streams.mapping import LAMBDA_DEFAULT_TIMEOUT, MappingSettings, TableStream, ViewType
from cdk_streams.poller import DEFAULT_ASSUMPTIONS, Assumptions, sequence_number
from cdk_streams.simulator._arguments import Length, milliseconds
from cdk_streams.simulator._consumer import Consumer, check_consumer, check_table
from cdk_streams.simulator._dynamodb.resharding import change_shards, describe_change
from cdk_streams.simulator._dynamodb.shards import Shard, Shards
from cdk_streams.simulator._dynamodb.stream_log import LogReader, StreamLog
from cdk_streams.simulator._dynamodb.table import Table
from cdk_streams.simulator._dynamodb.tables import Tables
from cdk_streams.simulator._engine.driver import Driver
from cdk_streams.simulator._engine.functions import Function, partial_response
from cdk_streams.simulator._engine.handler_calls import FunctionConfiguration, Handler
from cdk_streams.simulator._engine.rng import Rng
from cdk_streams.simulator._engine.settings_update import check_update
from cdk_streams.simulator._engine.state import SimulationState
from cdk_streams.simulator._engine.write_chains import WriteChains
from cdk_streams.simulator._faults import Faults
from cdk_streams.simulator._invariants import Invariant, check_invariant
from cdk_streams.simulator._records import START, Record
from cdk_streams.simulator._timeline.events import TimelineEvent, write_kind
from cdk_streams.simulator._timeline.timeline_setup import TimelineSetup

__all__ = ["World"]

_LATE_START_MS = 60_000
# A default lets `check_consumer` explain a call without a handler; Python's TypeError would not.
_LEFT_OUT: Final[Any] = None
# Faults stop changing shards here, so that a long run still fits a page.
_MOST_SHARDS_EVER = 24


class World:
    """Tables, their consumers, and the faults that they meet.

    Args:
        seed: Decides every fault and every draw of the run.
        faults: How often things go wrong; `NO_FAULTS` for a world in which only handlers fail.
        replay: The command that runs this seed again, for the note on an error.
        assumptions: What is not recorded of Lambda.
        max_steps: A run that takes more steps than this does not come to rest.

    `tables` and `consumers` hold what was made, by name; `rng` is for the scenario's own chance.

    """

    def __init__(
        self,
        seed: int = 0,
        *,
        faults: Faults | None = None,
        replay: str = "",
        assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
        max_steps: int = 1_000_000,
    ) -> None:
        self.seed = seed
        self.faults = Faults() if faults is None else faults
        check_instance("faults", self.faults, Faults, "write Faults(crash=0.1), or NO_FAULTS")
        self.replay = replay or f"World(seed={seed})"
        self.rng = Rng(seed, "scenario")
        self.tables = Tables()
        self.consumers: dict[str, Consumer] = {}
        self.max_steps = whole_number("max_steps", max_steps, 0)
        self._chains = WriteChains()
        self._state = SimulationState(seed, self.faults, assumptions, chains=self._chains)
        self._shard_rng = Rng(seed, "shards")
        self._logs: dict[str, StreamLog] = {}
        self._drivers: dict[str, Driver] = {}
        self._always: list[Invariant] = []
        self._eventually: list[Invariant] = []

    # Making it.

    def table(
        self,
        name: str,
        *,
        keys: str | Sequence[str] = ("pk",),
        view_type: ViewType = "NEW_AND_OLD_IMAGES",
        shards: int = 1,
        ttl: str | None = None,
    ) -> Table:
        """Make a table with a stream.

        Args:
            name: The table's name.
            keys: Names of the key attributes, the partition key first.
            view_type: What its records carry.
            shards: How many shards its stream begins with.
            ttl: The attribute that says when an item expires, in seconds since 1970.

        """
        names: Any = (keys,) if isinstance(keys, str) else keys
        return self.add_table(TableStream(name, names, view_type), shards=shards, ttl=ttl)

    def add_table(
        self,
        stream: TableStream,
        *,
        shards: int = 1,
        ttl: str | None = None,
        logical_id: str | None = None,
    ) -> Table:
        """Make the table that a stream belongs to; `tables` finds it by its logical id too."""
        if stream.table in self.tables:
            raise SourceError(f"this world has a table {stream.table} already; use another name")
        whole_number("shards", shards, 1)
        table = Table(stream, Shards(stream.arn, shards), self, ttl)
        self.tables.add(table, logical_id)
        self._logs[table.name] = StreamLog(table.shards)
        return table

    def consumer(
        self,
        name: str,
        handler: Handler = _LEFT_OUT,
        *,
        table: Table,
        settings: MappingSettings | None = None,
        timeout: Length = LAMBDA_DEFAULT_TIMEOUT,
        duration: Length = 0,
        reserved_concurrency: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Consumer:
        """Let a handler consume a table's stream.

        Args:
            name: The consumer's and its function's name.
            handler: `handler(event, context)`.
            table: A table of this world.
            settings: The mapping's; left out, Lambda's defaults.
            timeout: The function's. Lengths of time are a `timedelta` or seconds.
            duration: What a call takes beside what its handler spends, when no fault slows it down;
                at or over the timeout, every call times out.
            reserved_concurrency: Calls at once, at most; None: no limit; 0: none is ever made.
            environment: What the handler finds in `os.environ`; left out, the variable that tells
                our runtime whether the mapping reads partial responses.

        """
        check_consumer(name, handler, table, settings, reserved_concurrency)
        mapping = settings or MappingSettings()
        if environment is None:
            environment = partial_response(asked=mapping.report_batch_item_failures)
        stream = table.stream
        function = Function(
            handler=handler,
            configuration=FunctionConfiguration(
                name=name,
                arn=f"arn:aws:lambda:{stream.region}:{stream.account}:function:{name}",
                timeout_ms=milliseconds("timeout", timeout),
            ),
            duration_ms=milliseconds("duration", duration),
            reserved_concurrency=reserved_concurrency,
            environment=environment,
        )
        return self.add_consumer(Consumer(name, table, mapping, function))

    def add_consumer(self, consumer: Consumer) -> Consumer:
        """Add a consumer that was put together elsewhere."""
        if consumer.name in self.consumers:
            raise SourceError(f"this world has a consumer {consumer.name} already; rename one")
        table = consumer.table.name
        if self.tables.get(table) is not consumer.table:
            raise SourceError(f"{table} is no table of this world; make it with world.table")
        self.consumers[consumer.name] = consumer
        log = self._logs[table]
        driver = Driver(
            consumer.name,
            consumer.settings,
            function=consumer.function,
            stream_arn=consumer.table.stream.arn,
            reader=LogReader(log),
            recorder=consumer.recorder,
            state=self._state,
        )
        log.subscribers.append(driver)
        self._drivers[consumer.name] = driver
        if consumer.settings.enabled:
            late = Rng(self.seed, f"start of {consumer.name}")
            delay_ms = late.integer(1, _LATE_START_MS) if late.chance(self.faults.late_start) else 0
            self._state.queue.add(
                self._state.queue.now_ms + delay_ms, lambda: self._start(consumer, driver, log)
            )
        return consumer

    def _start(self, consumer: Consumer, driver: Driver, log: StreamLog) -> None:
        """Start a poller, and warn of earlier records that LATEST makes it skip."""
        is_latest = consumer.settings.starting_position == "LATEST"
        passed_over = log.length if is_latest else 0
        driver.start(passed_over)
        if passed_over and not self.faults.late_start:
            what = "a record" if passed_over == 1 else f"any of {passed_over} records"
            warnings.warn(
                f"{consumer.name} starts at LATEST and never gets {what} that was written to "
                f"{consumer.table.name} before its poller began; "
                "call world.run() once before the first write, or start at TRIM_HORIZON",
                stacklevel=2,
            )

    def update(self, consumer: Consumer, settings: MappingSettings) -> None:
        """Give a consumer's mapping other settings, as an update of the stack does.

        Retries, record age, bisect and partial responses hold from the next failure on, for a batch
        that is being retried too; the other settings hold from the next batch on. The checkpoints
        stay. `replace(settings, enabled=False)` stops the mapping, and another update lets it go
        on. A handler that learns from the simulator whether partial responses are read learns anew.

        Raises:
            SettingsError: A change of `starting_position`, which Lambda refuses; or of
                `parallelization_factor` or `tumbling_window`, which the simulator cannot make.

        """
        before = consumer.settings
        check_update(before, settings)
        if self.consumers.get(consumer.name) is not consumer:
            raise SourceError(f"{consumer.name} is no consumer of this world; pass one of its own")
        told = partial_response(asked=before.report_batch_item_failures)
        if consumer.function.environment == told:
            environment = partial_response(asked=settings.report_batch_item_failures)
            consumer.function = replace(consumer.function, environment=environment)
        consumer.settings = settings
        # Not at once: the update may come out of a handler, while its poller is at work.
        driver = self._drivers[consumer.name]
        self.call_after(timedelta(0), lambda: driver.update(settings, consumer.function))

    def always(self, predicate: Callable[[], Any], *, name: str) -> None:
        """State what must hold after every single thing that happens.

        `predicate` says so by returning something true or nothing at all; an `AssertionError`
        counts as not holding.
        """
        self._always.append(Invariant(name, predicate))

    def eventually(
        self, predicate: Callable[[], Any], *, name: str, within: Length | None = None
    ) -> None:
        """State what must hold once: at the end of `run`, or so long after now."""
        invariant = Invariant(name, predicate)
        if within is None:
            self._eventually.append(invariant)
        else:
            self.call_after(within, lambda: check_invariant(invariant, self._state, self.seed))

    def split(self, table: Table) -> tuple[str, ...]:
        """Split the table's widest open shard; return the ids of the two that continue it."""
        check_table(table)
        widest = max(table.shards.open, key=lambda shard: shard.high - shard.low)
        made = table.shards.split(widest, self._state.since_start_ms / 1000)
        self._changed(table, made)
        return tuple(shard.shard_id for shard in made)

    def merge(self, table: Table) -> str:
        """Merge the table's first two neighbouring shards; return the id of the one made."""
        check_table(table)
        pairs = table.shards.neighbours()
        if not pairs:
            raise SourceError(f"{table.name} has one open shard, and two are needed to merge")
        made = table.shards.merge(*pairs[0], self._state.since_start_ms / 1000)
        self._changed(table, made)
        return made[0].shard_id

    # Running it.

    @property
    def now(self) -> datetime:
        """The virtual time."""
        return START + self._state.since_start

    @property
    def timeline(self) -> Sequence[TimelineEvent]:
        """What happened so far, one for each line of the timeline."""
        return self._state.timeline

    @property
    def timeline_setup(self) -> TimelineSetup:
        """The seed, the command that replays it, and the consumers, for a page of the run."""
        return TimelineSetup(
            tuple(each.setup for each in self.consumers.values()),
            seed=self.seed,
            replay=self.replay,
            tables=tuple(self._logs),
            invariants=tuple(each.name for each in (*self._always, *self._eventually)),
        )

    def call_after(self, delay: Length, action: Callable[[], None]) -> None:
        """Plan an action for later in the run, such as a write; SourceError for a value."""
        if not callable(action):
            raise SourceError(f"action must be a function, got {action!r}; write lambda: ...")
        self._state.queue.add(self._state.queue.now_ms + milliseconds("delay", delay), action)

    def run_for(self, duration: Length) -> None:
        """Let so much virtual time pass.

        Raises:
            InvariantBroken: One does not hold; a note has the seed and the command to replay it.

        """
        until_ms = self._state.queue.now_ms + milliseconds("duration", duration)
        with self, self._state.process:
            self._go(until_ms)
            self._state.queue.now_ms = until_ms

    def run(self) -> None:
        """Go on until nothing is left to do: every record is dealt with, every retry over.

        Raises:
            InvariantBroken: One does not hold; a note has the seed and the command to replay it.
            SourceError: It does not come to rest: consumers write what they read again.

        """
        with self, self._state.process:
            self._go(None)
            for invariant in self._eventually:
                check_invariant(invariant, self._state, self.seed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Add the command that repeats the run to an error that leaves the block."""
        note = f"seed {self.seed}; to replay: {self.replay}"
        if error is not None and note not in getattr(error, "__notes__", ()):
            error.add_note(note)

    def _go(self, until_ms: int | None) -> None:
        state = self._state
        for _ in range(self.max_steps):
            for invariant in self._always:
                check_invariant(invariant, state, self.seed)
            next_ms = state.queue.next_ms()
            if next_ms is None or (until_ms is not None and next_ms > until_ms):
                return
            state.queue.step()
            if self._chains.loop:
                raise SourceError(
                    f"the world must come to rest, got a loop: {self._chains.loop}; let a filter "
                    "or the handler pass over what the consumer itself has written"
                )
        raise SourceError(
            f"the world must come to rest, got {self.max_steps:,} steps and no end; end what plans "
            "itself again (call_after, time to live), or raise max_steps"
        )

    # What tables ask for (`StreamSink`).

    def now_s(self) -> float:
        """Return the virtual time, in seconds since 1970."""
        return self._state.queue.now_ms / 1000

    def call_at(self, at_s: float, action: Callable[[], None]) -> None:
        """Plan an action for a moment, in seconds since 1970."""
        self._state.queue.add(int(at_s * 1000), action)

    def written(self, table: Table, shard: Shard, change: Record) -> None:
        """Take a record that has just entered a shard."""
        state, number = self._state, sequence_number(change)
        state.note(
            write_kind(change), table.name, shard_id=shard.shard_id, sequence_numbers=(number,)
        )
        self._chains.written(table.name, number)
        self._logs[table.name].append(shard, change, state.queue.now_ms)
        strikes = self._shard_rng.chance(self.faults.shard_change)
        if strikes and len(table.shards.all) <= _MOST_SHARDS_EVER:
            at_s = state.since_start_ms / 1000
            self._changed(table, change_shards(table.shards, self._shard_rng, at_s))

    def _changed(self, table: Table, made: tuple[Shard, ...]) -> None:
        detail = describe_change(made)
        for parent in made[0].parents:
            self._state.note("shards", table.name, shard_id=parent, detail=detail)
        # Not at once: a write may come out of a handler, while its poller is at work.
        self.call_after(timedelta(0), self._logs[table.name].changed)
