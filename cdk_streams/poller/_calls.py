"""A call of a lane's first batch, and what its end makes of the batch.

    success           → its records are handled, the next batch follows
    part of it failed → a new batch of what is left, with a fresh budget and request id
    all of it failed  → halves (bisect), or the same call later, or a failure record
    throttled         → the same call later; no attempt is spent

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

from typing import Final

from cdk_streams.poller import _windows
from cdk_streams.poller._assumptions import Assumptions
from cdk_streams.poller._batches import created_ms
from cdk_streams.poller._checkpoints import pass_over
from cdk_streams.poller._effects import Checkpoint, Fate, Invoke, OpenWindow, Settled, WakeAt
from cdk_streams.poller._events import CallEnded, FailureSent, Record, Throttled
from cdk_streams.poller._expiry import RETENTION_MS, count_older
from cdk_streams.poller._failure_records import Condition, failure_of
from cdk_streams.poller._responses import Verdict, judge
from cdk_streams.poller._state import Batch, Closing, Lane, Phase, Shard, Turn

__all__ = ["attempt", "ended", "sent", "wake"]

_DELIVERED: Final = "OnFailureDestinationDeliveredEventCount"
_FAILED: Final = "PROBLEM: Function call failed"
# 200 ms doubled this often is past any cap; it keeps the power small over a day of retries.
_MOST_DOUBLINGS: Final = 32


def attempt(turn: Turn, shard: Shard, lane: Lane) -> Lane:
    """Call the batch at hand; or let go of its first records, when those are too old."""
    batch, others = lane.work[0], lane.work[1:]
    mapping = turn.mapping
    age_ms = mapping.max_age_ms
    expired = 0 if age_ms is None else count_older(batch.records, age_ms, turn.at_ms)
    trimmed = 0 if expired else count_older(batch.records, RETENTION_MS, turn.at_ms)
    if count := expired or trimmed:
        old, young = batch.records[:count], batch.records[count:]
        # The younger rest is another batch: none of its calls has been counted.
        rest = (Batch(young, turn.draw_id()), *others) if young else others
        lane = lane._replace(work=(batch._replace(records=old), *rest))
        if expired or mapping.assumptions.retention_failure_record:
            return _give_up(turn, shard, lane, "RecordAgeExceeded")
        turn.effects.append(Settled(shard.shard_id, "trimmed", old))
        return _drop(turn, shard, lane)
    if batch.records:
        turn.measure("InvokedEventCount", len(batch.records))
        if mapping.assumptions.iterator_age_at == "sent":
            _measure_age(turn, batch)
    lane, token = _windows.enter(turn, lane, batch.records), turn.draw()
    turn.effects.append(_call(turn, shard, lane, token, batch.failures + 1))
    return lane._replace(phase=Phase.CALLING, token=token)


def ended(turn: Turn, shard: Shard, lane: Lane, event: CallEnded) -> Lane:
    """Judge the call that ended and leave the lane idle, waiting or sending."""
    if event.call != lane.token:
        return lane
    batch, others = lane.work[0], lane.work[1:]
    if isinstance(event.outcome, Throttled):
        _measure_failed(turn, batch.records)
        again = batch._replace(throttles=batch.throttles + 1)
        lane = lane._replace(phase=Phase.IDLE, work=(again, *others))
        return _wait(turn, shard, lane, again.throttles)
    if turn.mapping.assumptions.iterator_age_at == "ended" and batch.records:
        _measure_age(turn, batch)
    verdict = judge(turn.mapping, batch, event.outcome)
    if not verdict.failed:
        turn.result = "OK"
        return _succeeded(turn, shard, lane, verdict)
    turn.result = _FAILED
    _measure_failed(turn, batch.records[verdict.done :])
    if verdict.done:
        return _cut(turn, shard, lane, verdict)
    return _failed(turn, shard, lane, verdict.function_error)


def sent(turn: Turn, shard: Shard, lane: Lane, event: FailureSent) -> Lane:
    """Go on after a failure record: one that was refused is lost, and never sent again."""
    if event.call != lane.token:
        return lane
    count = len(lane.work[0].records)
    if not event.delivered:
        turn.measure("DestinationDeliveryFailures", 1)
    if count:
        turn.measure(_DELIVERED if event.delivered else "DroppedEventCount", count)
    return _drop(turn, shard, lane)


def wake(turn: Turn, shard: Shard, lane: Lane, phase: Phase, at_ms: int) -> Lane:
    """Ask to be woken and go into the phase that waits for it."""
    token = turn.draw()
    turn.effects.append(WakeAt(shard.shard_id, lane.number, token, at_ms))
    return lane._replace(phase=phase, token=token)


def _succeeded(turn: Turn, shard: Shard, lane: Lane, verdict: Verdict) -> Lane:
    batch = lane.work[0]
    lane = lane._replace(phase=Phase.IDLE, work=lane.work[1:])
    if batch.closing is not Closing.NO:
        return _leave(turn, shard, lane)
    lane = _carry(turn, lane, verdict)
    turn.effects.append(Settled(shard.shard_id, "handled", batch.records))
    pass_over(turn, shard, lane, batch.records)
    return lane


def _cut(turn: Turn, shard: Shard, lane: Lane, verdict: Verdict) -> Lane:
    """Cut the batch at the lowest number reported: what is left is a new batch."""
    records, others = lane.work[0].records, lane.work[1:]
    done, left = records[: verdict.done], records[verdict.done :]
    lane = lane._replace(phase=Phase.IDLE, work=(Batch(left, turn.draw_id()), *others))
    if turn.mapping.assumptions.state_of_partial_response == "kept":
        lane = _carry(turn, lane, verdict)
    turn.effects.append(Settled(shard.shard_id, "handled", done))
    pass_over(turn, shard, lane, done)
    if turn.mapping.assumptions.top_up_after_checkpoint and len(lane.work) == 1:
        # The batching window is over for these records: they have been called before.
        over_ms = turn.at_ms - turn.mapping.batching_window_ms
        return lane._replace(work=(), pending=left + lane.pending, gathering_since_ms=over_ms)
    return lane


def _failed(turn: Turn, shard: Shard, lane: Lane, function_error: str | None) -> Lane:
    """Halve, retry or give up a batch of which nothing is done."""
    batch, others = lane.work[0], lane.work[1:]
    settings = turn.mapping.settings
    if settings.bisect_batch_on_error and len(batch.records) > 1:
        middle = len(batch.records) // 2
        left = Batch(batch.records[:middle], turn.draw_id())
        right = Batch(batch.records[middle:], turn.draw_id())
        return lane._replace(phase=Phase.IDLE, work=(left, right, *others))
    batch = batch._replace(failures=batch.failures + 1)
    lane = lane._replace(phase=Phase.IDLE, work=(batch, *others))
    limit = settings.retry_attempts
    if limit < 0 or batch.failures <= limit or _suspends(batch, turn.mapping.assumptions):
        return _wait(turn, shard, lane, batch.failures)
    return _give_up(turn, shard, lane, "RetryAttemptsExhausted", function_error)


def _suspends(batch: Batch, assumptions: Assumptions) -> bool:
    return batch.closing is not Closing.NO and assumptions.failed_final_call == "suspend"


def _wait(turn: Turn, shard: Shard, lane: Lane, times: int) -> Lane:
    """Wait before the same call is made again; the wait doubles each time."""
    if not turn.enabled:
        return lane
    assumptions = turn.mapping.assumptions
    doubled_ms = assumptions.backoff_first_ms << min(times - 1, _MOST_DOUBLINGS)
    due_ms = turn.at_ms + min(doubled_ms, assumptions.backoff_cap_ms)
    return wake(turn, shard, lane, Phase.WAITING, due_ms)


def _give_up(
    turn: Turn,
    shard: Shard,
    lane: Lane,
    condition: Condition,
    function_error: str | None = None,
) -> Lane:
    """Send the failure record of the batch at hand; with nowhere to send it, drop the batch."""
    batch, token = lane.work[0], turn.draw()
    if batch.records:
        fate: Fate = "expired" if condition == "RecordAgeExceeded" else "failed"
        turn.effects.append(Settled(shard.shard_id, fate, batch.records))
    # A record given up before its call tells its window, but does not open it.
    described = _windows.enter(turn, lane, batch.records)
    invoke = _call(turn, shard, described, token, batch.failures)
    turn.effects.append(failure_of(turn, invoke, condition, function_error))
    if turn.mapping.destination is not None:
        return lane._replace(phase=Phase.SENDING, token=token)
    if batch.records and turn.mapping.assumptions.dropped_without_destination:
        turn.measure("DroppedEventCount", len(batch.records))
    return _drop(turn, shard, lane)


def _drop(turn: Turn, shard: Shard, lane: Lane) -> Lane:
    """Go on behind the batch at hand."""
    batch = lane.work[0]
    lane = lane._replace(phase=Phase.IDLE, work=lane.work[1:])
    pass_over(turn, shard, lane, batch.records)
    return _leave(turn, shard, lane) if batch.closing is not Closing.NO else lane


def _leave(turn: Turn, shard: Shard, lane: Lane) -> Lane:
    """Close the window, and store so: no record moves the position here."""
    if turn.checkpoint is not None:
        turn.effects.append(Checkpoint(shard.shard_id, turn.checkpoint))
    return _windows.leave(lane)


def _carry(turn: Turn, lane: Lane, verdict: Verdict) -> Lane:
    """Keep the state that a tumbling window's call returned; one too large ends the window."""
    if lane.window is None:
        return lane
    lane = lane._replace(window=OpenWindow(lane.window.start_ms, verdict.state))
    if not _windows.is_too_large(lane):
        return lane
    closing = Batch((), turn.draw_id(), closing=Closing.EARLY)
    return lane._replace(work=(closing, *lane.work))


def _call(turn: Turn, shard: Shard, lane: Lane, token: int, number: int) -> Invoke:
    batch = lane.work[0]
    window = _windows.time_window(turn.mapping, lane, batch)
    return Invoke(
        shard.shard_id, lane.number, token, batch.request_id, number, batch.records, window
    )


def _measure_age(turn: Turn, batch: Batch) -> None:
    created = created_ms(batch.records[-1], turn.at_ms)
    turn.measure("IteratorAge", max(0, turn.at_ms - created))


def _measure_failed(turn: Turn, records: tuple[Record, ...]) -> None:
    if records:
        turn.measure("FailedInvokeEventCount", len(records))
