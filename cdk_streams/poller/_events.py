"""Events: what a driver reports to the poller, one frozen value for each kind.

Times are not in the events: `step` takes the moment of an event as its own argument. Tokens
(`read`, `timer`, `call`) are copied from the effect that an event answers, so that an answer that
comes too late (after a restart, say) is recognized and ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = [
    "CallEnded",
    "Disabled",
    "Enabled",
    "Errored",
    "Event",
    "FailureSent",
    "Outcome",
    "ReadFailed",
    "Record",
    "RecordsRead",
    "Restarted",
    "Returned",
    "ShardSeen",
    "ShardsListed",
    "Throttled",
    "Woken",
]

Record: TypeAlias = "Mapping[str, Any]"
"""A stream record as Lambda delivers it: `{"eventName": …, "dynamodb": {"SequenceNumber": …}}`."""


@dataclass(frozen=True, slots=True)
class ShardSeen:
    """A shard of the stream's description.

    `parents` are the shards it continues: none for a first shard, one after a split, two after a
    merge. `closed`: nothing is written to it any more (it has an ending sequence number).
    """

    shard_id: str
    parents: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class ShardsListed:
    """The shards of the stream. Sent at the start, after each `ShardDone`, and periodically."""

    shards: tuple[ShardSeen, ...]


@dataclass(frozen=True, slots=True)
class RecordsRead:
    """The answer to a `Read`: the next records of a shard in order, or none.

    `more`: the shard is known to hold further records right now (the answer was cut by its
    limit); a batch waits for them. `closed`: these are the last records that it will ever have.
    """

    shard_id: str
    read: int
    records: Sequence[Record] = ()
    more: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """A `Read` failed and nothing was read; the poller asks again. `reason` is AWS's own text."""

    shard_id: str
    read: int
    reason: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The function returned `payload`: its decoded JSON answer, None for `null` or no body."""

    payload: Any = None


@dataclass(frozen=True, slots=True)
class Errored:
    """The function failed: an exception, a timeout, a crash, an answer that is no JSON."""

    function_error: str = "Unhandled"


@dataclass(frozen=True, slots=True)
class Throttled:
    """The function was not called: no concurrency, no permission, a service error."""


Outcome: TypeAlias = Returned | Errored | Throttled
"""How an invocation ended."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The answer to an `Invoke`."""

    shard_id: str
    lane: int
    call: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class FailureSent:
    """The answer to a `SendFailure` that has a destination; `delivered` is False when refused."""

    shard_id: str
    lane: int
    call: int
    delivered: bool = True


@dataclass(frozen=True, slots=True)
class Woken:
    """The answer to a `WakeAt`: its time has come."""

    shard_id: str
    lane: int
    timer: int


@dataclass(frozen=True, slots=True)
class Disabled:
    """The mapping was disabled: calls under way end, none begins, the checkpoints are kept."""


@dataclass(frozen=True, slots=True)
class Enabled:
    """The mapping was enabled: every shard continues from its checkpoint."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """The poller's host was replaced: only the checkpoints are left, so records come again."""


Event: TypeAlias = (
    ShardsListed
    | RecordsRead
    | ReadFailed
    | CallEnded
    | FailureSent
    | Woken
    | Disabled
    | Enabled
    | Restarted
)
"""What a driver tells the poller."""
