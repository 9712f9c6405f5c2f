"""What a simulated poller reads from, and the polls that answer its reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from cdk_streams.poller import PollBudget, Read, RecordsRead, ShardSeen, payload_bytes_at_most
from cdk_streams.simulator._engine.event_queue import EventQueue

__all__ = ["Polling", "StreamReader"]

Records = list[dict[str, Any]]


class StreamReader(Protocol):
    """One mapping's view of a stream: records given beforehand, or the log of a table.

    Each shard has a place where reading goes on. Times are milliseconds since 1970.
    """

    def shards(self, now_ms: int) -> tuple[ShardSeen, ...]:
        """Return the shards that exist by now."""
        ...

    def seek(self, read: Read, now_ms: int) -> None:
        """Go to the place of a read; `LATEST` is the shard's end at its first read."""
        ...

    def next_ms(self, shard_id: str) -> int | None:
        """Return when the next record arrived or will; None when none is known of."""
        ...

    def fetch(self, shard_id: str, limit: int, now_ms: int) -> tuple[Records, Records]:
        """Return the next records that have arrived, and those trimmed before anyone read them."""
        ...

    def is_closed(self, shard_id: str) -> bool:
        """Whether nothing will ever be added behind the records that are known of."""
        ...


class Polling:
    """Answers a poller's reads; `read`, `trimmed` and `answer` take what comes of them.

    Polls that find nothing change nothing, so they are left out: an answer comes at the first poll
    that finds something. `room` bounds an answer, so that a long backlog needs little memory.
    `until_ms` is when the run ends: nothing that was read by then may be held back.
    """

    def __init__(
        self,
        reader: StreamReader,
        queue: EventQueue,
        *,
        interval_ms: int,
        room: int,
        until_ms: int | None,
        on_read: Callable[[Sequence[Any]], None],
        on_trimmed: Callable[[str, Sequence[Any]], None],
        on_answer: Callable[[RecordsRead], None],
    ) -> None:
        self.room = room
        self._reader = reader
        self._queue = queue
        self._interval_ms = interval_ms
        self._until_ms = until_ms
        self._on_read = on_read
        self._on_trimmed = on_trimmed
        self._on_answer = on_answer
        # The newest read of each shard, and those that wait for something to happen.
        self._asked: dict[str, Read] = {}
        self._held: dict[str, Read] = {}
        self._ranks: dict[str, int] = {}

    def take(self, read: Read) -> None:
        """Plan the answer to a read, or hold the read until its shard has something to tell."""
        self._reader.seek(read, self._queue.now_ms)
        self._asked[read.shard_id] = read
        self._held.pop(read.shard_id, None)
        self._ranks.setdefault(read.shard_id, len(self._ranks) + 1)
        self._plan(read)

    def wake(self, shard_id: str) -> None:
        """Look again at a shard that was written to, or closed."""
        read = self._held.pop(shard_id, None)
        if read is not None:
            self._plan(read)

    def _plan(self, read: Read) -> None:
        arrival_ms = self._reader.next_ms(read.shard_id)
        if arrival_ms is None:
            if not self._reader.is_closed(read.shard_id):
                self._held[read.shard_id] = read
                return
            arrival_ms = self._queue.now_ms
        at_ms = self._poll_ms(read.at_ms, arrival_ms)
        self._queue.add_poll(at_ms, self._ranks[read.shard_id], self._poll, read)

    def _poll(self, read: Read) -> None:
        """Answer with what is there by now, or at a later poll for which the poller can wait."""
        shard_id, now_ms = read.shard_id, self._queue.now_ms
        if self._asked.get(shard_id) is not read:
            return  # The poller was restarted, and has asked anew.
        records = self._fetch(read, now_ms)
        next_ms = self._reader.next_ms(shard_id)
        more = next_ms is not None and next_ms <= now_ms
        if read.budget is not None and next_ms is not None and not more:
            at_ms = self._gather(read, read.budget, records, now_ms)
            if at_ms > now_ms:
                self._queue.add_poll(at_ms, self._ranks[shard_id], self._answer, read, records)
                return
        self._answer(read, records)

    def _gather(self, read: Read, budget: PollBudget, records: Records, at_ms: int) -> int:
        """Poll on while the poller and the run's result may miss it; return when to answer.

        The records are added to those of the polls before.
        """
        weight = payload_bytes_at_most(records)
        while True:
            next_ms = self._reader.next_ms(read.shard_id)
            if next_ms is None or next_ms <= at_ms:
                return at_ms
            poll_ms = self._poll_ms(at_ms, next_ms)
            if not self._may_hold(budget, len(records), weight, poll_ms):
                return at_ms
            found = self._fetch(read, poll_ms)
            weight += payload_bytes_at_most(found)
            records += found
            at_ms = poll_ms

    def _fetch(self, read: Read, now_ms: int) -> Records:
        found, trimmed = self._reader.fetch(read.shard_id, min(read.limit, self.room), now_ms)
        if trimmed:
            self._on_trimmed(read.shard_id, trimmed)
        self._on_read(found)
        return found

    def _answer(self, read: Read, records: Records) -> None:
        shard_id = read.shard_id
        next_ms = self._reader.next_ms(shard_id)
        more = next_ms is not None and next_ms <= self._queue.now_ms
        closed = next_ms is None and self._reader.is_closed(shard_id)
        self._on_answer(RecordsRead(shard_id, read.read, records, more=more, closed=closed))

    def _poll_ms(self, from_ms: int, arrival_ms: int) -> int:
        """Return when a shard polled at a moment and from then on shows what arrives."""
        if arrival_ms <= from_ms:
            return from_ms
        interval_ms = self._interval_ms
        return from_ms + -((from_ms - arrival_ms) // interval_ms) * interval_ms

    def _may_hold(self, budget: PollBudget, count: int, weight: int, next_ms: int) -> bool:
        """Whether the poller and the run's result may miss what was read until the next poll."""
        return (
            count < budget.enough
            and next_ms < budget.until_ms
            and weight <= budget.room_bytes
            and (self._until_ms is None or next_ms <= self._until_ms)
        )
