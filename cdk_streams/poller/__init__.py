"""Lambda's poller as a pure state machine: events in, effects out, no clock, thread or I/O.

A driver holds one `Poller` for each event source mapping, feeds it what happened and does what it
asks. The simulator is a driver in virtual time; a live driver reads a real stream. Both get the
same calls in the same order, because every rule is in here.

    mapping = EventSourceMapping(settings=…, function_arn=…, stream_arn=…, uuid=…)
    poller, effects = step(mapping, begin(), ShardsListed((ShardSeen("shardId-1"),)), at_ms)
    # effects == [Read("shardId-1", read=1, after=None, start="TRIM_HORIZON", limit=1000, …)]
    poller, effects = step(mapping, poller, RecordsRead("shardId-1", 1, records), at_ms)
    # effects == [Measure("PolledEventCount", 3), Invoke("shardId-1", 0, call=2, …), …]

The protocol:

* Times are whole milliseconds since the epoch and never go back. `step` is a function: the same
  mapping, poller, event and time give the same poller and effects, and nothing else changes. A
  `Poller` is an immutable value; treat its insides as private, they may change.
* Carry effects out in order. `Read`, `Invoke`, `SendFailure` (with a destination) and `WakeAt` are
  each answered by one event with the same token, whenever it is ready: lanes and shards do not
  wait for each other. An answer to a question that no longer stands is ignored, so a driver never
  cancels anything.
* Begin with `ShardsListed`, and describe the stream again after each `ShardDone` and now and then:
  shards may split and merge; children are read after all their parents are done.
* Store each `Checkpoint` (and `ShardDone`) to survive a restart: `begin(checkpoints=…,
  windows=…, finished=…)` goes on from there, at least once and without a gap. A checkpoint never
  passes a record that is not yet handled, filtered, trimmed, or accepted by the failure
  destination, and carries the state of an open tumbling window up to there.
* What Lambda does is recorded or documented; what is neither is a field of `Assumptions`. The
  rules, their evidence and the test of each: docs/semantics.md.
"""

from __future__ import annotations

from cdk_streams.poller._assumptions import DEFAULT_ASSUMPTIONS, Assumptions
from cdk_streams.poller._batches import (
    invocation_event,
    payload_bytes_at_most,
    sequence_number,
    split_into_calls,
)
from cdk_streams.poller._effects import (
    CallOutcome,
    CallResult,
    Checkpoint,
    Effect,
    Fate,
    Invoke,
    Measure,
    MetricName,
    OpenWindow,
    PollBudget,
    Read,
    SendFailure,
    Settled,
    ShardDone,
    TimeWindow,
    WakeAt,
)
from cdk_streams.poller._event_source_mapping import EventSourceMapping, seeded_ids
from cdk_streams.poller._events import (
    CallEnded,
    Disabled,
    Enabled,
    Errored,
    Event,
    FailureSent,
    Outcome,
    ReadFailed,
    Record,
    RecordsRead,
    Restarted,
    Returned,
    ShardSeen,
    ShardsListed,
    Throttled,
    Woken,
)
from cdk_streams.poller._failure_records import failure_text
from cdk_streams.poller._machine import begin, step
from cdk_streams.poller._state import Poller

__all__ = [
    "DEFAULT_ASSUMPTIONS",
    "Assumptions",
    "CallEnded",
    "CallOutcome",
    "CallResult",
    "Checkpoint",
    "Disabled",
    "Effect",
    "Enabled",
    "Errored",
    "Event",
    "EventSourceMapping",
    "FailureSent",
    "Fate",
    "Invoke",
    "Measure",
    "MetricName",
    "OpenWindow",
    "Outcome",
    "PollBudget",
    "Poller",
    "Read",
    "ReadFailed",
    "Record",
    "RecordsRead",
    "Restarted",
    "Returned",
    "SendFailure",
    "Settled",
    "ShardDone",
    "ShardSeen",
    "ShardsListed",
    "Throttled",
    "TimeWindow",
    "WakeAt",
    "Woken",
    "begin",
    "failure_text",
    "invocation_event",
    "payload_bytes_at_most",
    "seeded_ids",
    "sequence_number",
    "split_into_calls",
    "step",
]
