"""Assumptions about undocumented Lambda behaviour, each with a default.

Each has a row in docs/semantics.md with what is known. Change one to see how a consumer behaves
if the assumption is wrong: `Assumptions(unknown_identifier="ignore")`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["DEFAULT_ASSUMPTIONS", "Assumptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is assumed of Lambda; durations are whole milliseconds, as their names say.

    Attributes:
        backoff_first_ms: Wait before the first retry of a batch; about 0.2 s is recorded.
        backoff_cap_ms: The longest wait; each wait doubles until then.
        poll_interval_ms: Between two reads of a shard that has nothing new.
        read_ahead: Records of a shard held at most while its lanes are busy.
        unknown_identifier: What an `itemIdentifier` that is not in the batch means.
        unreadable_response: What an answer that is neither empty nor an object means, such as
            `"ok"`, with `report_batch_item_failures`.
        top_up_after_checkpoint: Whether what is left after a partial failure is filled up to the
            batch size with later records.
        retention_failure_record: Whether records that reach the stream's 24 hours while they are
            retried go to the destination (as RecordAgeExceeded) or vanish.
        idle_window_flush_ms: How long after its end a tumbling window closes although no later
            record came; None: never.
        state_of_partial_response: Whether a tumbling window goes on with the state of an answer
            that reports failures, or with the one from before the call.
        final_call_needs_state: Whether a closing call whose answer has no `state` has failed.
        failed_final_call: Whether the next window begins after a closing call that failed for
            good (`move_on`, recorded), or the closing call is retried until it succeeds
            (`suspend`, as the documentation says).
        iterator_age_at: Whether IteratorAge is taken when a batch is sent or when it has ended.
        dropped_without_destination: Whether DroppedEventCount counts failed records of a mapping
            without a destination (documented) or not (recorded).

    """

    backoff_first_ms: int = 200
    backoff_cap_ms: int = 60_000
    poll_interval_ms: int = 250
    read_ahead: int = 10_000
    unknown_identifier: Literal["fail_batch", "ignore"] = "fail_batch"
    unreadable_response: Literal["fail_batch", "ignore"] = "fail_batch"
    top_up_after_checkpoint: bool = False
    retention_failure_record: bool = False
    idle_window_flush_ms: int | None = None
    state_of_partial_response: Literal["kept", "dropped"] = "kept"
    final_call_needs_state: bool = False
    failed_final_call: Literal["move_on", "suspend"] = "move_on"
    iterator_age_at: Literal["sent", "ended"] = "sent"
    dropped_without_destination: bool = False


DEFAULT_ASSUMPTIONS: Final = Assumptions()
"""The assumptions that a poller makes unless it is given others."""
