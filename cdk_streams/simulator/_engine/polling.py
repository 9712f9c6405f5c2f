"""The reads of one consumer: held until a shard has something to tell, then answered."""

from __future__ import annotations

from collections.abc import Callable

from cdk_streams.poller import Read, RecordsRead
from cdk_streams.simulator._consumer import Consumer
from cdk_streams.simulator._dynamodb.stream_log import StreamLog
from cdk_streams.simulator._engine.state import SimulationState

__all__ = ["Reads"]


class Reads:
    """Answers a poller's reads from a stream's log; `answered` takes each answer."""

    def __init__(
        self,
        consumer: Consumer,
        log: StreamLog,
        state: SimulationState,
        answered: Callable[[RecordsRead], object],
    ) -> None:
        self._consumer = consumer
        self._log = log
        self._state = state
        self._answered = answered
        self._held: dict[str, Read] = {}
        self._planned: set[str] = set()
        self._latest: dict[str, int] = {}

    def take(self, read: Read) -> None:
        """Hold a read until there is something to answer."""
        self._held[read.shard_id] = read
        self._latest.setdefault(read.shard_id, self._log.end(read.shard_id))
        self._answer_when_ready(read)

    def wake(self) -> None:
        """Look again: something was written, or a shard was closed."""
        for read in list(self._held.values()):
            self._answer_when_ready(read)

    def _answer_when_ready(self, read: Read) -> None:
        shard_id = read.shard_id
        ready = self._place(read) < self._log.end(shard_id) or self._log.closed(shard_id)
        if not ready or shard_id in self._planned:
            return
        self._planned.add(shard_id)
        # Empty reads change nothing, so they are left out: the answer comes at the time of the
        # first one that would find something.
        late_ms = max(0, self._state.queue.now_ms - read.at_ms)
        interval_ms = self._state.assumptions.poll_interval_ms
        at_ms = read.at_ms + -(-late_ms // interval_ms) * interval_ms
        self._state.queue.add(at_ms, lambda: self._answer(shard_id))

    def _answer(self, shard_id: str) -> None:
        self._planned.discard(shard_id)
        read = self._held.pop(shard_id)
        place = self._place(read)
        records = self._log.records(shard_id, place, read.limit)
        more = place + len(records) < self._log.end(shard_id)
        closed = not more and self._log.closed(shard_id)
        self._consumer.read(records)
        self._answered(RecordsRead(shard_id, read.read, records, more=more, closed=closed))

    def _place(self, read: Read) -> int:
        return self._log.place_after(read, self._latest[read.shard_id])
