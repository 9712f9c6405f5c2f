"""A poller driven by hand, step by step: for tests of what it asks and of who drives it.

poller = PollerHarness(MappingSettings(batch_size=2))
poller.list_shards("shard-1")
poller.give("shard-1", [first, second])
assert poller.call("shard-1").records == (first, second)
poller.end("shard-1", Errored())
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import (
    DEFAULT_ASSUMPTIONS,
    Assumptions,
    CallEnded,
    Effect,
    Event,
    EventSourceMapping,
    FailureSent,
    Invoke,
    OpenWindow,
    Outcome,
    Read,
    Record,
    RecordsRead,
    Returned,
    SendFailure,
    ShardSeen,
    ShardsListed,
    WakeAt,
    Woken,
    begin,
    seeded_ids,
    step,
)
from cdk_streams.simulator._records import START_MS

__all__ = ["PollerHarness"]

_Effect = TypeVar("_Effect", Read, Invoke, SendFailure, WakeAt)


class PollerHarness:
    """One mapping's poller; `now_ms` is its time, `asked` every effect so far, in order.

    Each answer takes the newest question of its kind for the shard and lane.
    """

    def __init__(
        self,
        settings: MappingSettings | None = None,
        *,
        assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
        checkpoints: dict[str, str] | None = None,
        windows: dict[str, OpenWindow] | None = None,
        finished: Sequence[str] = (),
    ) -> None:
        self.mapping = EventSourceMapping(
            settings=settings or MappingSettings(),
            function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
            stream_arn="arn:aws:dynamodb:us-east-1:123456789012:table/Table/stream/label",
            uuid="89ab5863-0000-4000-8000-000000000000",
            ids=seeded_ids("by hand"),
            assumptions=assumptions,
        )
        self.poller = begin(
            enabled=self.mapping.settings.enabled,
            checkpoints=checkpoints,
            windows=windows,
            finished=finished,
        )
        self.now_ms = START_MS
        self.asked: list[Effect] = []

    def tell(self, event: Event) -> list[Effect]:
        """Take one step; return what the poller asks for then."""
        self.poller, effects = step(self.mapping, self.poller, event, self.now_ms)
        self.asked += effects
        return effects

    def list_shards(self, *shards: str | ShardSeen) -> list[Effect]:
        """Describe the stream; a name alone is an open shard without parents."""
        seen = [ShardSeen(each) if isinstance(each, str) else each for each in shards]
        return self.tell(ShardsListed(tuple(seen)))

    def give(
        self,
        shard_id: str,
        records: Sequence[Record] = (),
        *,
        more: bool = False,
        closed: bool = False,
    ) -> list[Effect]:
        """Answer the shard's read."""
        read = self.read(shard_id)
        return self.tell(RecordsRead(shard_id, read.read, records, more=more, closed=closed))

    def end(self, shard_id: str, outcome: Outcome | None = None, lane: int = 0) -> list[Effect]:
        """End the lane's call; left out, it returned nothing."""
        call = self.call(shard_id, lane)
        return self.tell(CallEnded(shard_id, lane, call.call, outcome or Returned()))

    def deliver(self, shard_id: str, lane: int = 0, *, delivered: bool = True) -> list[Effect]:
        """Say whether the lane's failure record was accepted."""
        send = self._newest(SendFailure, shard_id, lane)
        return self.tell(FailureSent(shard_id, lane, send.call, delivered))

    def wake(self, shard_id: str, lane: int = 0) -> list[Effect]:
        """Let time pass until the lane's timer, and wake it."""
        timer = self._newest(WakeAt, shard_id, lane)
        self.now_ms = max(self.now_ms, timer.at_ms)
        return self.tell(Woken(shard_id, lane, timer.timer))

    def read(self, shard_id: str) -> Read:
        """Return the newest read of a shard."""
        return self._newest(Read, shard_id, None)

    def call(self, shard_id: str, lane: int = 0) -> Invoke:
        """Return the newest call of a lane."""
        return self._newest(Invoke, shard_id, lane)

    def _newest(self, kind: type[_Effect], shard_id: str, lane: int | None) -> _Effect:
        for effect in reversed(self.asked):
            of: Any = effect
            if not isinstance(of, kind) or of.shard_id != shard_id:
                continue
            if lane is None or isinstance(of, Read) or of.lane == lane:
                return of
        asked = ", ".join(dict.fromkeys(type(each).__name__ for each in self.asked)) or "nothing"
        raise LookupError(
            f"the poller must have asked for a {kind.__name__} of {shard_id}, got {asked} so far; "
            "send it the events before"
        )
