"""What all parts of one world share: its seed, its time, its faults, its log."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from cdk_streams.poller import DEFAULT_ASSUMPTIONS, Assumptions
from cdk_streams.simulator._engine.event_queue import EventQueue
from cdk_streams.simulator._faults import Faults
from cdk_streams.simulator._records import START_MS
from cdk_streams.simulator._timeline.events import EventKind, TimelineEvent

__all__ = ["SimulationState"]


@dataclass(slots=True)
class SimulationState:
    """The shared state of a world."""

    seed: int
    faults: Faults
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS
    queue: EventQueue = field(default_factory=lambda: EventQueue(START_MS))
    timeline: list[TimelineEvent] = field(default_factory=list)
    _running: Counter[str] = field(default_factory=Counter)

    @property
    def since_start_ms(self) -> int:
        """How long the world has lasted."""
        return self.queue.now_ms - START_MS

    @property
    def since_start(self) -> timedelta:
        """How long the world has lasted."""
        return timedelta(milliseconds=self.since_start_ms)

    def note(
        self,
        kind: EventKind,
        table: str,
        *,
        shard_id: str = "",
        consumer: str = "",
        sequence_numbers: tuple[str, ...] = (),
        took_ms: int = 0,
        attempt: int = 0,
        age_ms: int | None = None,
        detail: str = "",
    ) -> None:
        """Add a line to the log, at this moment."""
        self.timeline.append(
            TimelineEvent(
                at_ms=self.since_start_ms,
                kind=kind,
                table=table,
                shard_id=shard_id,
                consumer=consumer,
                sequence_numbers=sequence_numbers,
                took_ms=took_ms,
                attempt=attempt,
                age_ms=age_ms,
                detail=detail,
            )
        )

    def take_slot(self, function: str, limit: int | None) -> bool:
        """Take one of a function's concurrent calls; False when all are taken."""
        if limit is not None and self._running[function] >= limit:
            return False
        self._running[function] += 1
        return True

    def free_slot(self, function: str) -> None:
        """Give back what `take_slot` took."""
        self._running[function] -= 1
