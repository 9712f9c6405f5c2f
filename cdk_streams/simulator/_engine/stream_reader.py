"""What a simulated poller reads from, and the polls that answer its reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from cdk_streams.poller import PollBudget, Read, RecordsRead, ShardSeen, payload_bytes_at_most
from cdk_streams.simulator._engine.event_queue import EventQueue

__all__ = ["Polling", "ShardCursor", "StreamReader"]

Records = list[dict[str, Any]]


class ShardCursor(Protocol):
    """One mapping's place in a shard; times are milliseconds since 1970."""

    @property
    def next_ms(self) -> int | None:
        """When the next record arrived or will; None when none is known of."""
        ...

    @property
    def closed(self) -> bool:
        """Whether nothing will ever be added behind the records that are known of."""
        ...

    def read(self, limit: int, now_ms: int) -> tuple[Records, Records]:
        """Return the next records that have arrived, and those trimmed before anyone read them."""
        ...


class StreamReader(Protocol):
    """One mapping's view of a stream: records given beforehand, or the log of a table."""

    def shards(self, now_ms: int) -> tuple[ShardSeen, ...]:
        """Return the shards that exist by now."""
        ...

    def seek(self, read: Read, now_ms: int) -> ShardCursor:
        """Go to the place of a read; `LATEST` is the shard's end at its first read."""
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
        # The newest read of each shard, with its place among the shards; what waits to be woken.
        self._asked: dict[str, Read] = {}
        self._ranks: dict[str, int] = {}
        self._held: dict[str, tuple[Read, ShardCursor]] = {}

    def take(self, read: Read) -> None:
        """Plan the answer to a read, or hold the read until its shard has something to tell."""
        shard_id = read.shard_id
        self._asked[shard_id] = read
        if shard_id not in self._ranks:
            self._ranks[shard_id] = len(self._ranks) + 1
        self._plan(read, self._reader.seek(read, self._queue.now_ms))

    def wake(self, shard_id: str) -> None:
        """Look again at a shard that was written to, or closed."""
        held = self._held.pop(shard_id, None)
        if held is not None:
            self._plan(*held)

    def _plan(self, read: Read, cursor: ShardCursor) -> None:
        arrival_ms = cursor.next_ms
        if arrival_ms is None:
            if not cursor.closed:
                self._held[read.shard_id] = read, cursor
                return
            arrival_ms = self._queue.now_ms
        at_ms = self._poll_ms(read.at_ms, arrival_ms)
        self._queue.add_poll(at_ms, self._ranks[read.shard_id], self._poll, read, cursor)

    def _poll(self, read: Read, cursor: ShardCursor) -> None:
        """Answer with what is there by now, or at a later poll for which the poller can wait."""
        now_ms = self._queue.now_ms
        if self._asked[read.shard_id] is not read:
            return  # The poller was restarted, and has asked anew.
        records = self._fetch(read, cursor, now_ms)
        next_ms = cursor.next_ms
        if read.budget is not None and next_ms is not None and next_ms > now_ms:
            at_ms = self._gather(read, read.budget, cursor, records)
            if at_ms > now_ms:
                rank = self._ranks[read.shard_id]
                self._queue.add_poll(at_ms, rank, self._answer, read, cursor, records)
                return
        self._answer(read, cursor, records)

    def _gather(self, read: Read, budget: PollBudget, cursor: ShardCursor, records: Records) -> int:
        """Poll on while the poller and the run's result may miss it; return when to answer.

        The records are added to those of the polls before.
        """
        held = len(records)
        at_ms, until_ms = self._queue.now_ms, budget.until_ms - 1
        if self._until_ms is not None:
            until_ms = min(until_ms, self._until_ms)
        weight, enough, limit = payload_bytes_at_most(records), budget.enough, self.room
        while len(records) < enough and weight <= budget.room_bytes:
            next_ms = cursor.next_ms
            if next_ms is None or next_ms <= at_ms:
                break
            poll_ms = self._poll_ms(at_ms, next_ms)
            if poll_ms > until_ms:
                break
            found, trimmed = cursor.read(min(read.limit, limit), poll_ms)
            if trimmed:
                self._on_trimmed(read.shard_id, trimmed)
            weight += payload_bytes_at_most(found)
            records += found
            at_ms = poll_ms
        self._on_read(records[held:])
        return at_ms

    def _fetch(self, read: Read, cursor: ShardCursor, now_ms: int) -> Records:
        found, trimmed = cursor.read(min(read.limit, self.room), now_ms)
        if trimmed:
            self._on_trimmed(read.shard_id, trimmed)
        if found:
            self._on_read(found)
        return found

    def _answer(self, read: Read, cursor: ShardCursor, records: Records) -> None:
        next_ms = cursor.next_ms
        more = next_ms is not None and next_ms <= self._queue.now_ms
        closed = next_ms is None and cursor.closed
        self._on_answer(RecordsRead(read.shard_id, read.read, records, more=more, closed=closed))

    def _poll_ms(self, from_ms: int, arrival_ms: int) -> int:
        """Return when a shard polled at a moment and from then on shows what arrives."""
        if arrival_ms <= from_ms:
            return from_ms
        interval_ms = self._interval_ms
        return from_ms + -((from_ms - arrival_ms) // interval_ms) * interval_ms
