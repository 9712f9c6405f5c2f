"""The poller's state: immutable, and private to this package except the fields of `Poller`.

Named tuples, because each step replaces a few fields of three of them, and `_replace` of a named
tuple is several times as fast as `dataclasses.replace`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from cdk_streams.mapping import StartingPosition
from cdk_streams.poller._batches import PayloadFit
from cdk_streams.poller._effects import Effect, Measure, MetricName, OpenWindow
from cdk_streams.poller._event_source_mapping import EventSourceMapping
from cdk_streams.poller._events import Record

__all__ = ["Batch", "Closing", "Lane", "Phase", "Poller", "Shard", "StepContext"]


class Phase(Enum):
    """What a lane is doing."""

    IDLE = "idle"  # nothing to do until records come
    GATHERING = "gathering"  # some records, waiting for more
    CALLING = "calling"  # a call of the first batch is under way
    WAITING = "waiting"  # the first batch is called again later
    SENDING = "sending"  # the failure record of the first batch is on its way


class Closing(Enum):
    """Why a call closes a tumbling window; `NO` is every call with records."""

    NO = ""
    FINAL = "final"
    EARLY = "early"


class Batch(NamedTuple):
    """Consecutive records that are called together, with their own retry budget.

    `failures` counts the failed calls of this very batch, `throttles` the calls not accepted.
    `oversized`: its only record does not fit into a call.
    """

    records: tuple[Record, ...]
    request_id: str
    failures: int = 0
    throttles: int = 0
    closing: Closing = Closing.NO
    oversized: bool = False


class Lane(NamedTuple):
    """One of a shard's lanes, numbered from 0: a queue with at most one call under way.

    `work` are batches already formed, in order; the first is the one that is called. `pending` are
    records behind them. `token` is that of the call, delivery or timer that the lane waits for.
    `gathering_since_ms` is when the batching window opened, `gathered` what it holds.
    `window` is the open tumbling window; none begins before `window_floor_ms` any more, because
    the one before has ended.
    """

    number: int
    phase: Phase = Phase.IDLE
    pending: tuple[Record, ...] = ()
    work: tuple[Batch, ...] = ()
    token: int = 0
    gathering_since_ms: int | None = None
    gathered: PayloadFit = PayloadFit()
    window: OpenWindow | None = None
    window_floor_ms: int = 0


class Shard(NamedTuple):
    """A shard, its lanes and its checkpoint.

    `started`: its parents are done. `answered_ms` is when the last read was answered. `after` is
    the last sequence number read, `checkpoint` the last one stored; `unsettled` holds, with
    several lanes, those read since the checkpoint, in order. `rereading`: the mapping was
    disabled, so reading goes on from the checkpoint, after the calls that were under way.
    """

    shard_id: str
    parents: tuple[str, ...]
    start: StartingPosition
    lanes: tuple[Lane, ...]
    started: bool = False
    reading: bool = False
    rereading: bool = False
    read: int = 0
    answered_ms: int | None = None
    more: bool = False
    closed: bool = False
    done: bool = False
    after: str | None = None
    checkpoint: str | None = None
    unsettled: tuple[str, ...] = ()


class Poller(NamedTuple):
    """The state of one event source mapping; `begin` makes it and `step` moves it on.

    `checkpoints` and `windows` are those that it began with. `last_result` is Lambda's
    LastProcessingResult. `next_token` and `next_id` are the numbers that the next token and the
    next UUID get. They are counted apart, so that how often a driver answers changes no request id.
    """

    shards: Mapping[str, Shard]
    checkpoints: Mapping[str, str]
    windows: Mapping[str, OpenWindow]
    finished: frozenset[str]
    enabled: bool = True
    listed: bool = False
    next_token: int = 1
    next_id: int = 1
    last_result: str = "No records processed"


@dataclass(slots=True)
class StepContext:
    """What one `step` works with: its inputs, the counters, and the effects collected so far.

    `checkpoint` is that of the shard that the event is about.
    """

    mapping: EventSourceMapping
    at_ms: int
    next_token: int
    next_id: int
    enabled: bool
    result: str
    checkpoint: str | None = None
    effects: list[Effect] = field(default_factory=list)

    def new_token(self) -> int:
        """Return a token that was never given out before."""
        token = self.next_token
        self.next_token = token + 1
        return token

    def new_id(self) -> str:
        """Return a UUID that was never given out before."""
        number = self.next_id
        self.next_id = number + 1
        return self.mapping.ids(number)

    def measure(self, metric: MetricName, value: int) -> None:
        """Ask for a point of a metric."""
        self.effects.append(Measure(metric, value))


def _replace_faster(kind: Any) -> None:
    """Give a named tuple a `_replace` that takes half as long: a step makes five of them."""
    places = {name: place for place, name in enumerate(kind._fields)}
    make = tuple.__new__

    def _replace(self: Any, **changes: Any) -> Any:
        values = list(self)
        for name, value in changes.items():
            values[places[name]] = value
        return make(kind, values)

    kind._replace = _replace


for _kind in (Batch, Lane, Shard, Poller):
    _replace_faster(_kind)
