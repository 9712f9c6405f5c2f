"""Effects: what the poller asks of its driver, one frozen value for each kind.

A driver carries effects out in the order given. Four of them want an answer, an event that repeats
the effect's token:

    Read         → RecordsRead or ReadFailed     (not before at_ms)
    Invoke       → CallEnded
    SendFailure  → FailureSent                   (only with a destination)
    WakeAt       → Woken                         (at at_ms)

The others are notices: `Checkpoint` is to be stored, `ShardDone` means the stream should be
described again, `CallResult`, `Settled` and `Measure` are for accounts, timelines and metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from cdk_streams.mapping import StartingPosition
from cdk_streams.poller._events import Record

__all__ = [
    "CallOutcome",
    "CallResult",
    "Checkpoint",
    "Effect",
    "Fate",
    "Invoke",
    "Measure",
    "MetricName",
    "OpenWindow",
    "PollBudget",
    "Read",
    "SendFailure",
    "Settled",
    "ShardDone",
    "TimeWindow",
    "WakeAt",
]

Fate: TypeAlias = Literal["handled", "filtered", "failed", "age_exceeded", "trimmed"]
"""How a record left the poller.

`handled`: a call succeeded. `filtered`: no pattern matched. `failed` and `age_exceeded`: it is in a
failure record (RetryAttemptsExhausted, RecordAgeExceeded). `trimmed`: DynamoDB's 24 hours ended.
"""

CallOutcome: TypeAlias = Literal["handled", "partial", "failed", "throttled"]
"""What a call did for its batch.

`handled`: all records are done. `partial`: those before the lowest number reported. `failed`: none,
also when the answer reports the first record. `throttled`: the function was not called.
"""

MetricName: TypeAlias = Literal[
    "PolledEventCount",
    "FilteredOutEventCount",
    "InvokedEventCount",
    "FailedInvokeEventCount",
    "DroppedEventCount",
    "OnFailureDestinationDeliveredEventCount",
    "DestinationDeliveryFailures",
    "IteratorAge",
]
"""CloudWatch metrics of a mapping, those of Lambda's `EventCount` group and `IteratorAge`."""


@dataclass(frozen=True, slots=True)
class PollBudget:
    """How many polls a driver may answer with one `RecordsRead`.

    Set only while every lane is inside its batching window: until a batch is full or the window
    ends, more records cannot change the outcome. A driver may gather what its polls find, and must
    answer with all of it at the poll that brings the count to `enough` or their
    `payload_bytes_at_most` past `room_bytes`, that finds more than its limit or the shard's end,
    or that is the last one before `until_ms`. It is for speed alone, and may be ignored.
    """

    enough: int
    until_ms: int
    room_bytes: int


@dataclass(frozen=True, slots=True)
class Read:
    """Read a shard, not before `at_ms`: up to `limit` records after sequence number `after`.

    `after` None: from `start`. `LATEST` is the shard's end at the moment of the first `Read`; the
    driver pins that place, because later reads say `LATEST` again until a record has come.
    To answer the first poll that finds something is always right, whatever the `budget`.
    """

    shard_id: str
    read: int
    after: str | None
    start: StartingPosition
    limit: int
    at_ms: int
    budget: PollBudget | None = None


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The tumbling window of a call: `[start_ms, end_ms)`, the state so far, how it closes.

    `final`: the closing call, without records. `early`: it closes because its state is too large.
    """

    start_ms: int
    end_ms: int
    state: Any
    final: bool = False
    early: bool = False


@dataclass(frozen=True, slots=True)
class Invoke:
    """Call the function with `invocation_event(invoke)` under `request_id`.

    `attempt` is 1 for the first call of this very batch. `records` is empty in the closing call
    of a tumbling `window` only.
    """

    shard_id: str
    lane: int
    call: int
    request_id: str
    attempt: int
    records: Sequence[Record]
    window: TimeWindow | None = None


@dataclass(frozen=True, slots=True)
class SendFailure:
    """Send a failure record to `destination`; with None there is nowhere to send it to.

    `body` is the record as that destination gets it, keys in AWS's order: `failure_text(body)` is
    the SQS body, the SNS message and the S3 object, to the byte. `key` is the S3 object's key.
    """

    shard_id: str
    lane: int
    call: int
    body: dict[str, Any]
    destination: str | None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A tumbling window under way: its start, and what the function returned in it last.

    `state` is `{}` until a call in the window has succeeded.
    """

    start_ms: int
    state: Any


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Every record of the shard up to this sequence number is settled; store it.

    `window` is the tumbling window that is open behind that record. Store both together or
    neither: its state is that of these records, no fewer and no more. When a window closes, the
    same number comes again without it.
    """

    shard_id: str
    sequence_number: str
    window: OpenWindow | None = None


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send `Woken` with this timer at `at_ms`; only the lane's newest timer counts."""

    shard_id: str
    lane: int
    timer: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class ShardDone:
    """The shard is closed and all its records are settled; its children may be read."""

    shard_id: str


@dataclass(frozen=True, slots=True)
class CallResult:
    """What the poller makes of a call that ended; it precedes the effects that follow from it.

    `reason` says why an answer fails its whole batch, such as an identifier that is not in it; ""
    for every other outcome, and for a function error. A call whose end comes too late has none.
    """

    shard_id: str
    lane: int
    call: int
    outcome: CallOutcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """Records that have left the poller, and how."""

    shard_id: str
    fate: Fate
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Measure:
    """A point of a CloudWatch metric; a count, or milliseconds for `IteratorAge`."""

    metric: MetricName
    value: int


Effect: TypeAlias = (
    Read | Invoke | SendFailure | Checkpoint | WakeAt | ShardDone | CallResult | Settled | Measure
)
"""What a poller asks of its driver."""
