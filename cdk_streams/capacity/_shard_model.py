"""Lambda's poller over counts of records instead of records: exact at every batch.

The rules are those of `cdk_streams.poller`, on the raster and in the order that its simulator
has. A queue holds pieces `(count, first, last)`: so many records, evenly between two numbers of
their shard, whose times `Arrivals` knows. So a batch costs the same whatever it holds.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any, Final

from cdk_streams.capacity._draws import fails, lane_of
from cdk_streams.capacity._pieces import Pieces, count_before, moved, take
from cdk_streams.capacity._totals import Totals
from cdk_streams.capacity._workload import ConsumerSize, Workload
from cdk_streams.capacity._write_rate import Arrivals
from cdk_streams.mapping import GET_RECORDS_LIMIT, STREAM_RETENTION
from cdk_streams.poller import DEFAULT_ASSUMPTIONS, Assumptions

__all__ = ["ShardModel"]

# Records of a read that each lane gets at the least, before shares replace single records.
_MANY: Final = 500
_RETENTION_MS: Final = STREAM_RETENTION.total_seconds() * 1000
_MOST_DOUBLINGS: Final = 32
_IDLE, _GATHERING, _CALLING, _WAITING = range(4)
_FIRST, _POLL_LAST = 0, 1


class _Lane:
    """One of a shard's lanes; `work` are batches `[count, pieces, failures, throttles]`."""

    __slots__ = ("held", "phase", "pieces", "since_ms", "token", "work")

    def __init__(self) -> None:
        self.pieces: Pieces = deque()
        self.held = 0
        self.work: deque[list[Any]] = deque()
        self.phase = _IDLE
        self.since_ms: float | None = None
        self.token = 0


class _Shard:
    """Where a shard was read to, and its lanes."""

    __slots__ = ("after", "answered_ms", "lanes", "more", "reading")

    def __init__(self, lanes: int) -> None:
        self.lanes = [_Lane() for _ in range(lanes)]
        self.after = 0
        self.answered_ms: float | None = None
        self.more = False
        self.reading = False


class ShardModel:
    """Shards of one stream, each with the same arrivals, and the calls that their records make.

    `run` goes on to a time, `leap` passes over a length of time in which `advance` more records
    are taken from each shard. `slots` is how many calls run at once; None: no limit.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        workload: Workload,
        size: ConsumerSize,
        *,
        shards: int = 1,
        slots: int | None = None,
        seed: int = 0,
        assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
    ) -> None:
        settings = size.settings
        self.arrivals = arrivals
        self.now_ms = 0.0
        self.totals = Totals()
        self.shards = [_Shard(settings.parallelization_factor) for _ in range(shards)]
        self._workload = workload
        self._size = settings.batch_size
        self._fits = min(settings.batch_size, workload.most_records_of_a_call)
        self._window_ms = settings.max_batching_window.total_seconds() * 1000
        self._limit = settings.retry_attempts
        self._bisect = settings.bisect_batch_on_error
        age = settings.max_record_age
        self._age_ms = math.inf if age is None else age.total_seconds() * 1000
        self._timeout_ms = size.timeout.total_seconds() * 1000
        self._slots = math.inf if slots is None else slots
        self._running = 0
        self._assumptions = assumptions
        self._read_ahead = max(assumptions.read_ahead, self._size)
        self._room = min(GET_RECORDS_LIMIT, self._size * settings.parallelization_factor)
        self._seed = seed
        self._failure_share = workload.failure_share
        self._outage_ms = workload.outage.total_seconds() * 1000
        self._heap: list[tuple[float, int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = 0
        for shard in self.shards:
            self._ask(shard)

    @property
    def batch_records(self) -> int:
        """How many records a batch holds at most."""
        return self._fits

    @property
    def most_per_ms(self) -> float:
        """How many records of a shard its lanes take in a millisecond when batches are full."""
        lanes = len(self.shards[0].lanes)
        length_ms = max(1, self._workload.call_length_ms(self._fits))
        return lanes * self._fits / length_ms / self._workload.matched_share

    @property
    def backlog(self) -> int:
        """Records written and not settled, in all shards."""
        written = self.arrivals.count(self.now_ms)
        return sum(written - shard.after + sum(map(_in_lane, shard.lanes)) for shard in self.shards)

    def oldest_age_ms(self) -> float:
        """Return the age of the oldest record that is not settled, 0 when there is none."""
        firsts = [first for shard in self.shards for first in _firsts(shard)]
        written = self.arrivals.written_ms(math.floor(min(firsts)))
        return max(0.0, self.now_ms - written)

    def run(self, until_ms: float) -> None:
        """Go on to a time, everything at that time included."""
        heap = self._heap
        while heap and heap[0][0] <= until_ms:
            self.now_ms, _, _, react, given = heappop(heap)
            react(*given)
        self.now_ms = max(self.now_ms, until_ms)

    def leap(self, length_ms: float, advance: int) -> None:
        """Pass over a length of time; what is under way goes on after it as it stood before."""
        self.now_ms += length_ms
        self._heap = [(at + length_ms, *rest) for at, *rest in self._heap]  # type: ignore[misc] # mypy loses a tuple's length after *
        heapify(self._heap)
        for shard in self.shards:
            shard.after += advance
            if shard.answered_ms is not None:
                shard.answered_ms += length_ms
            for lane in shard.lanes:
                lane.pieces = moved(lane.pieces, advance)
                if lane.since_ms is not None:
                    lane.since_ms += length_ms
                for batch in lane.work:
                    batch[1] = moved(batch[1], advance)

    # Reads.

    def _at(self, at_ms: float, order: int, react: Callable[..., None], *given: Any) -> None:
        self._sequence += 1
        heappush(self._heap, (at_ms, order, self._sequence, react, given))

    def _ask(self, shard: _Shard) -> None:
        held = [lane.held for lane in shard.lanes]
        if shard.reading or min(held) >= self._size or sum(held) >= self._read_ahead:
            return
        at_ms = self.now_ms
        interval_ms = self._assumptions.poll_interval_ms
        if shard.answered_ms is not None and not shard.more:
            at_ms = max(at_ms, shard.answered_ms + interval_ms)
        shard.reading = True
        arrival_ms = self.arrivals.written_ms(shard.after)
        if arrival_ms > at_ms:
            if arrival_ms == math.inf:
                return  # Nothing is written any more.
            at_ms += math.ceil((arrival_ms - at_ms) / interval_ms) * interval_ms
        self._at(at_ms, _POLL_LAST, self._poll, shard)

    def _poll(self, shard: _Shard) -> None:
        now_ms, arrivals = self.now_ms, self.arrivals
        written = arrivals.count(now_ms)
        read = min(written - shard.after, self._room)
        first = shard.after
        shard.after += read
        trimmed = 0
        if now_ms > _RETENTION_MS:
            kept = arrivals.count(now_ms - _RETENTION_MS - 1)
            trimmed = min(read, max(0, kept - first))
        self.totals.reads += 1
        self.totals.trimmed += trimmed
        shard.reading, shard.answered_ms = False, now_ms
        shard.more = arrivals.written_ms(shard.after) <= now_ms
        self._spread(shard, first + trimmed, shard.after)
        if shard.more:
            self._ask(shard)
        for lane in shard.lanes:
            if lane.held and lane.phase <= _GATHERING:
                self._proceed(shard, lane)
        self._ask(shard)

    def _spread(self, shard: _Shard, first: int, end: int) -> None:
        """Append the records that a filter lets through to the lanes of their items."""
        count, share = end - first, self._workload.matched_share
        if share < 1:
            count = math.floor(end * share) - math.floor(first * share)
            self.totals.filtered += end - first - count
        if not count:
            return
        lanes = shard.lanes
        if len(lanes) == 1:
            _append(lanes[0], count, first, end - 1)
            return
        if count >= _MANY * len(lanes):
            # Of so many, each lane gets its share: they are counted, and not told apart.
            for at, lane in enumerate(lanes):
                share_of_lane = count // len(lanes) + (at < count % len(lanes))
                _append(lane, share_of_lane, first, end - 1)
            return
        step, seed = (end - first) / count, self._seed
        for place in range(count):
            number = math.floor(first + place * step)
            _append(lanes[lane_of(number, len(lanes), seed)], 1, number, number)

    # Batches.

    def _proceed(self, shard: _Shard, lane: _Lane) -> None:
        """Take a lane on until it waits."""
        while lane.work or self._gather(shard, lane):
            if self._attempt(shard, lane):
                return

    def _gather(self, shard: _Shard, lane: _Lane) -> bool:
        """Form the next batch, or wait for the records that complete it."""
        held = lane.held
        lane.phase = _IDLE
        if not held:
            return False
        if held < self._size and held <= self._fits:
            since_ms, window_ms = lane.since_ms, self._window_ms
            if (since_ms is not None and self.now_ms < since_ms + window_ms) or (
                shard.more and (shard.reading or len(shard.lanes) == 1)
            ):
                lane.phase = _GATHERING
                return False
            if since_ms is None and window_ms:
                lane.since_ms = self.now_ms
                self._wake(shard, lane, _GATHERING, self.now_ms + window_ms)
                return False
        count = min(self._fits, held)
        lane.work.append([count, take(lane.pieces, count), 0, 0])
        lane.held -= count
        lane.since_ms = None
        return True

    def _wake(self, shard: _Shard, lane: _Lane, phase: int, at_ms: float) -> None:
        lane.phase = phase
        lane.token += 1
        self._at(at_ms, _FIRST, self._woken, shard, lane, lane.token)

    def _woken(self, shard: _Shard, lane: _Lane, token: int) -> None:
        if token == lane.token and lane.phase in (_GATHERING, _WAITING):
            lane.phase = _IDLE
            self._proceed(shard, lane)
            self._ask(shard)

    # Calls.

    def _attempt(self, shard: _Shard, lane: _Lane) -> bool:
        """Make the call of the first batch; whether the lane waits for it."""
        batch, totals = lane.work[0], self.totals
        if self.now_ms > min(self._age_ms, _RETENTION_MS) and self._discard_old(lane, batch):
            return False
        if self._running >= self._slots:
            totals.throttles += 1
            batch[3] += 1
            self._wait(shard, lane, batch[3])
            return True
        count = batch[0]
        length_ms: float = self._workload.call_length_ms(count)
        failed = self.now_ms < self._outage_ms or fails(
            round(batch[1][0][1]), count, batch[2], self._failure_share
        )
        if length_ms >= self._timeout_ms:
            length_ms, failed = self._timeout_ms, True
            totals.timeouts += 1
        self._running += 1
        totals.called(count, length_ms, self._running)
        totals.aged(self.now_ms - self.arrivals.written_ms(round(batch[1][-1][2])))
        lane.phase = _CALLING
        self._at(self.now_ms + length_ms, _FIRST, self._ended, shard, lane, failed)
        return True

    def _ended(self, shard: _Shard, lane: _Lane, failed: bool) -> None:
        self._running -= 1
        batch = lane.work[0]
        lane.phase = _IDLE
        if not failed:
            lane.work.popleft()
            written = self.arrivals.written_ms
            oldest_ms = written(round(batch[1][0][1]))
            middle_ms = (oldest_ms + written(round(batch[1][-1][2]))) / 2
            self.totals.settled(batch[0], self.now_ms, oldest_ms, middle_ms)
        elif self._failed(shard, lane, batch):
            self._ask(shard)
            return
        self._proceed(shard, lane)
        self._ask(shard)

    def _failed(self, shard: _Shard, lane: _Lane, batch: list[Any]) -> bool:
        """Halve, retry or discard a batch; whether the lane waits for a retry."""
        self.totals.failed_calls += 1
        count, pieces = batch[:2]
        if self._bisect and count > 1:
            half = count // 2
            left = take(pieces, half)
            lane.work[0] = [count - half, pieces, 0, 0]
            lane.work.appendleft([half, left, 0, 0])
            return False
        batch[2] += 1
        if self._limit < 0 or batch[2] <= self._limit:
            self._wait(shard, lane, batch[2])
            return True
        lane.work.popleft()
        self.totals.discarded += count
        return False

    def _wait(self, shard: _Shard, lane: _Lane, times: int) -> None:
        doubled = self._assumptions.backoff_first_ms << min(times - 1, _MOST_DOUBLINGS)
        wait_ms = min(doubled, self._assumptions.backoff_cap_ms)
        self.totals.waited_ms += wait_ms
        self._wake(shard, lane, _WAITING, self.now_ms + wait_ms)

    def _discard_old(self, lane: _Lane, batch: list[Any]) -> bool:
        """Take records that are too old from the front of a batch; whether there were any."""
        count, pieces = batch[:2]
        for limit_ms, by_age in ((self._age_ms, True), (_RETENTION_MS, False)):
            kept = self.arrivals.count(self.now_ms - limit_ms - 1)
            old = count_before(pieces, kept)
            if not old:
                continue
            if by_age:
                self.totals.age_exceeded += old
            else:
                self.totals.trimmed += old
            lane.work.popleft()
            if old < count:
                take(pieces, old)
                lane.work.appendleft([count - old, pieces, 0, 0])
            return True
        return False


def _append(lane: _Lane, count: int, first: float, last: float) -> None:
    lane.pieces.append((count, first, last))
    lane.held += count


def _in_lane(lane: _Lane) -> int:
    batches: int = sum(batch[0] for batch in lane.work)
    return lane.held + batches


def _firsts(shard: _Shard) -> list[float]:
    """Return the number of the first record of each queue."""
    firsts: list[float] = [shard.after]
    for lane in shard.lanes:
        firsts += [batch[1][0][1] for batch in lane.work] + [piece[1] for piece in lane.pieces]
    return firsts
