"""What all parts of one simulation share: its seed, its time, its faults, its timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import MutableSequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cdk_streams.poller import DEFAULT_ASSUMPTIONS, Assumptions
from cdk_streams.simulator._engine.event_queue import EventQueue
from cdk_streams.simulator._engine.process_state import ProcessState
from cdk_streams.simulator._engine.write_chains import WriteChains
from cdk_streams.simulator._faults import Faults
from cdk_streams.simulator._records import START_MS
from cdk_streams.simulator._timeline.events import EventKind, TimelineEvent

__all__ = ["SimulationState"]


@dataclass(slots=True)
class SimulationState:
    """The shared state of a simulation; times are milliseconds since 1970."""

    seed: int | str
    faults: Faults
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS
    start_ms: int = START_MS
    timeline: MutableSequence[TimelineEvent] = field(default_factory=list)
    queue: EventQueue = field(init=False)
    chains: WriteChains | None = None
    process: ProcessState = field(default_factory=ProcessState)
    _running: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Begin at the start."""
        self.queue = EventQueue(self.start_ms)

    @property
    def since_start_ms(self) -> int:
        """How long the simulation has lasted."""
        return self.queue.now_ms - self.start_ms

    @property
    def since_start(self) -> timedelta:
        """How long the simulation has lasted."""
        return timedelta(milliseconds=self.since_start_ms)

    def note(self, kind: EventKind, table: str, **rest: Any) -> None:
        """Add an event to the timeline, at this moment; `rest` are fields of `TimelineEvent`."""
        self.timeline.append(TimelineEvent(self.since_start_ms, kind, table, **rest))

    def count_handled(self, count: int) -> None:
        """Say of the call that was just noted how many records its partial response settled."""
        if self.timeline and self.timeline[-1].kind == "partial":
            self.timeline[-1] = self.timeline[-1]._replace(handled=count)

    def take_slot(self, function: str, limit: int) -> bool:
        """Take one of a function's concurrent calls; False when all are taken."""
        if self._running[function] >= limit:
            return False
        self._running[function] += 1
        return True

    def free_slot(self, function: str) -> None:
        """Give back what `take_slot` took."""
        self._running[function] -= 1
