"""Counts of what a consumer has done so far, from the notices of its driver.

progress = {"audit": Progress()}
progress["audit"].take(at_ms, notice)   # again and again
progress["audit"].handled, progress["audit"].lag_ms(now_ms)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from cdk_streams.live._driver import Notice
from cdk_streams.poller import (
    CallResult,
    FailureSent,
    Invoke,
    Read,
    RecordsRead,
    SendFailure,
    Settled,
    ShardDone,
    ShardsListed,
    WakeAt,
    Woken,
    sequence_number,
)

__all__ = ["Progress", "RetryWait"]


class RetryWait(NamedTuple):
    """A retry that a lane waits for: until when, and which one.

    1 is the first retry; 0 is the first attempt of a batch, whose call was throttled.
    """

    until_ms: int
    retry: int


@dataclass(slots=True)
class Progress:
    """Counts of one consumer; records unless the name says otherwise.

    `errors` are calls of which no record counts as handled, `partial` those of which the first do;
    the poller judges. `splits` are
    calls with a sub-batch of a batch that failed before: bisected, or left by a partial response.
    `sent` and `refused` are failure records. `retry_wait` is the next retry that a lane waits for.
    """

    read: int = 0
    handled: int = 0
    filtered: int = 0
    discarded: int = 0
    calls: int = 0
    retries: int = 0
    splits: int = 0
    errors: int = 0
    partial: int = 0
    throttles: int = 0
    sent: int = 0
    refused: int = 0
    _pending_since_ms: dict[str, int] = field(default_factory=dict)
    _failed: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    _last_calls: dict[tuple[str, int], Invoke] = field(default_factory=dict)
    # When each shard that is read was last found empty; 0 for one that is not known to be.
    _empty_read_ms: dict[str, int] = field(default_factory=dict)
    _children_known: bool = True
    # The retry that follows a lane's failed call, until it is known when, and from then on.
    _retries: dict[tuple[str, int], int] = field(default_factory=dict)
    _waits: dict[tuple[str, int], RetryWait] = field(default_factory=dict)
    # Failure records under way, and whether one is about to be sent: its records are settled first.
    _sending: int = 0
    _must_send: bool = False

    def take(self, at_ms: int, notice: Notice) -> None:
        """Count one notice."""
        self._take_wait(notice)
        match notice:
            case RecordsRead():
                self._take_read(at_ms, notice)
            case Settled():
                self._take_settled(notice)
            case Invoke():
                self._take_call(notice)
            case CallResult():
                self._take_result(notice)
            case SendFailure(destination=destination):
                self._must_send = False
                self._sending += destination is not None
            case FailureSent(delivered=delivered):
                self._sending -= 1
                self.sent += delivered
                self.refused += not delivered
            case Read(shard_id):
                self._empty_read_ms.setdefault(shard_id, 0)
            case ShardDone(shard_id):
                self._empty_read_ms.pop(shard_id, None)
                self._children_known = False
            case ShardsListed():
                self._children_known = True
            case _:
                pass

    @property
    def waiting(self) -> int:
        """Records that were read and are not settled yet."""
        return len(self._pending_since_ms)

    @property
    def retry_wait(self) -> RetryWait | None:
        """The soonest retry of those that lanes wait for; None when none does."""
        return min(self._waits.values(), default=None)

    def lag_ms(self, now_ms: int) -> int:
        """Return for how long the oldest record that waits has been here; 0 when none waits."""
        oldest = next(iter(self._pending_since_ms.values()), now_ms)
        return now_ms - oldest

    def caught_up(self, since_ms: int) -> bool:
        """Tell whether all is settled that was written before `since_ms`.

        A record that is discarded is settled when its failure record has arrived, or was refused.
        Records may be in the children of a shard that has just ended, so those are listed first.
        """
        reads = self._empty_read_ms.values()
        if self.waiting or self._sending or self._must_send or not self._children_known:
            return False
        return bool(reads) and min(reads) >= since_ms

    def _take_wait(self, notice: Notice) -> None:
        """Follow the lanes that wait: a timer after a failed call is the wait before a retry."""
        match notice:
            case CallResult(shard_id, lane, outcome="failed" | "throttled" as outcome):
                call = self._last_calls.get((shard_id, lane))
                attempt = 1 if call is None else call.attempt
                # What was throttled was no attempt: the same one is made again.
                self._retries[shard_id, lane] = attempt - (outcome == "throttled")
            case WakeAt(shard_id, lane, at_ms=at_ms) if (shard_id, lane) in self._retries:
                retry = self._retries.pop((shard_id, lane))
                self._waits[shard_id, lane] = RetryWait(at_ms, retry)
            case Woken(shard_id, lane) | Invoke(shard_id, lane) | SendFailure(shard_id, lane):
                self._retries.pop((shard_id, lane), None)
                self._waits.pop((shard_id, lane), None)
            case _:
                pass

    def _take_read(self, at_ms: int, event: RecordsRead) -> None:
        if not event.records:
            self._empty_read_ms[event.shard_id] = at_ms
            return
        self._empty_read_ms[event.shard_id] = 0
        self.read += len(event.records)
        for record in event.records:
            self._pending_since_ms[sequence_number(record)] = at_ms

    def _take_settled(self, effect: Settled) -> None:
        for record in effect.records:
            self._pending_since_ms.pop(sequence_number(record), None)
        count = len(effect.records)
        if effect.fate == "handled":
            self.handled += count
        elif effect.fate == "filtered":
            self.filtered += count
        else:
            self.discarded += count
            # What DynamoDB has trimmed leaves no failure record.
            self._must_send = effect.fate != "trimmed"

    def _take_call(self, effect: Invoke) -> None:
        lane = (effect.shard_id, effect.lane)
        numbers = _numbers(effect)
        self.calls += 1
        self.retries += effect.attempt > 1
        self.splits += effect.attempt == 1 and bool(numbers & self._failed.get(lane, frozenset()))
        self._last_calls[lane] = effect

    def _take_result(self, result: CallResult) -> None:
        lane = (result.shard_id, result.lane)
        self.errors += result.outcome == "failed"
        self.partial += result.outcome == "partial"
        self.throttles += result.outcome == "throttled"
        if (call := self._last_calls.get(lane)) is not None:
            # Until they are settled, a new call of these records is a sub-batch of this one.
            self._failed[lane] = _numbers(call)


def _numbers(call: Invoke) -> frozenset[str]:
    return frozenset(sequence_number(record) for record in call.records)
