"""Calls of a lane's first batch, and what follows from their outcome.

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
from cdk_streams.poller._batches import RETENTION_MS, count_older, created_ms
from cdk_streams.poller._checkpoints import advance_past
from cdk_streams.poller._effects import (
    CallResult,
    Checkpoint,
    Fate,
    Invoke,
    OpenWindow,
    Settled,
    WakeAt,
)
from cdk_streams.poller._events import CallEnded, FailureSent, Record, Throttled
from cdk_streams.poller._failure_records import Condition, failure_of
from cdk_streams.poller._responses import Verdict, evaluate
from cdk_streams.poller._state import Batch, Closing, Lane, Phase, Shard, StepContext

__all__ = ["attempt", "ended", "sent", "wake"]

_DELIVERED: Final = "OnFailureDestinationDeliveredEventCount"
_FAILED: Final = "PROBLEM: Function call failed"
# 200 ms doubled this often is past any cap; it keeps the power small over a day of retries.
_MOST_DOUBLINGS: Final = 32


def attempt(context: StepContext, shard: Shard, lane: Lane) -> Lane:
    """Invoke the function with the first batch; discard records at its front that are too old."""
    batch, others = lane.work[0], lane.work[1:]
    mapping = context.mapping
    age_ms = mapping.max_age_ms
    too_old = 0 if age_ms is None else count_older(batch.records, age_ms, context.at_ms)
    trimmed = 0 if too_old else count_older(batch.records, RETENTION_MS, context.at_ms)
    if count := too_old or trimmed:
        old, young = batch.records[:count], batch.records[count:]
        # The younger rest is another batch: none of its calls has been counted.
        rest = (Batch(young, context.new_id()), *others) if young else others
        lane = lane._replace(work=(batch._replace(records=old), *rest))
        if too_old or mapping.assumptions.retention_failure_record:
            return _discard(context, shard, lane, "RecordAgeExceeded")
        context.effects.append(Settled(shard.shard_id, "trimmed", old))
        return _next_batch(context, shard, lane)
    if batch.oversized:
        # Recorded: the function is never invoked, but each time counts as an attempt.
        _measure_failed(context, batch.records)
        return _failed(context, shard, lane, None)
    if batch.records:
        context.measure("InvokedEventCount", len(batch.records))
        if mapping.assumptions.iterator_age_at == "sent":
            _measure_age(context, batch)
    lane, token = _windows.open_window(context, lane, batch.records), context.new_token()
    context.effects.append(_call(context, shard, lane, token, batch.failures + 1))
    return lane._replace(phase=Phase.CALLING, token=token)


def ended(context: StepContext, shard: Shard, lane: Lane, event: CallEnded) -> Lane:
    """Evaluate the call that ended; the lane is then idle, waiting or sending."""
    if event.call != lane.token:
        return lane
    batch, others = lane.work[0], lane.work[1:]
    if isinstance(event.outcome, Throttled):
        context.effects.append(CallResult(shard.shard_id, lane.number, event.call, "throttled"))
        _measure_failed(context, batch.records)
        again = batch._replace(throttles=batch.throttles + 1)
        lane = lane._replace(phase=Phase.IDLE, work=(again, *others))
        return _wait(context, shard, lane, again.throttles)
    verdict = evaluate(context.mapping, batch, event.outcome)
    context.effects.append(
        CallResult(shard.shard_id, lane.number, event.call, verdict.outcome, verdict.reason)
    )
    if context.mapping.assumptions.iterator_age_at == "ended" and batch.records:
        _measure_age(context, batch)
    context.result = _FAILED if verdict.outcome == "failed" else "OK"
    if verdict.outcome == "handled":
        return _succeeded(context, shard, lane, verdict)
    _measure_failed(context, batch.records[verdict.done :])
    if verdict.outcome == "partial":
        return _retry_rest(context, shard, lane, verdict)
    return _failed(context, shard, lane, verdict.function_error)


def sent(context: StepContext, shard: Shard, lane: Lane, event: FailureSent) -> Lane:
    """Go on after a failure record was sent; one that was refused is lost, as on AWS."""
    if event.call != lane.token:
        return lane
    count = len(lane.work[0].records)
    if not event.delivered:
        context.measure("DestinationDeliveryFailures", 1)
    if count:
        context.measure(_DELIVERED if event.delivered else "DroppedEventCount", count)
    return _next_batch(context, shard, lane)


def wake(context: StepContext, shard: Shard, lane: Lane, phase: Phase, at_ms: int) -> Lane:
    """Ask for a timer, and enter the phase that waits for it."""
    token = context.new_token()
    context.effects.append(WakeAt(shard.shard_id, lane.number, token, at_ms))
    return lane._replace(phase=phase, token=token)


def _succeeded(context: StepContext, shard: Shard, lane: Lane, verdict: Verdict) -> Lane:
    batch = lane.work[0]
    lane = lane._replace(phase=Phase.IDLE, work=lane.work[1:])
    if batch.closing is not Closing.NO:
        return _close_window(context, shard, lane, batch.closing)
    lane = _keep_state(context, lane, verdict)
    context.effects.append(Settled(shard.shard_id, "handled", batch.records))
    advance_past(context, shard, lane, batch.records)
    return lane


def _retry_rest(context: StepContext, shard: Shard, lane: Lane, verdict: Verdict) -> Lane:
    """Settle the records before the lowest number reported; the rest is a new batch."""
    records, others = lane.work[0].records, lane.work[1:]
    done, left = records[: verdict.done], records[verdict.done :]
    lane = lane._replace(phase=Phase.IDLE, work=(Batch(left, context.new_id()), *others))
    if context.mapping.assumptions.state_of_partial_response == "kept":
        lane = _keep_state(context, lane, verdict)
    context.effects.append(Settled(shard.shard_id, "handled", done))
    advance_past(context, shard, lane, done)
    if context.mapping.assumptions.top_up_after_checkpoint and len(lane.work) == 1:
        # The batching window is over for these records: they have been called before.
        over_ms = context.at_ms - context.mapping.batching_window_ms
        return lane._replace(work=(), pending=left + lane.pending, gathering_since_ms=over_ms)
    return lane


def _failed(context: StepContext, shard: Shard, lane: Lane, function_error: str | None) -> Lane:
    """Halve, retry or discard a batch of which no record is handled."""
    batch, others = lane.work[0], lane.work[1:]
    settings = context.mapping.settings
    if settings.bisect_batch_on_error and len(batch.records) > 1:
        middle = len(batch.records) // 2
        left = Batch(batch.records[:middle], context.new_id())
        right = Batch(batch.records[middle:], context.new_id())
        return lane._replace(phase=Phase.IDLE, work=(left, right, *others))
    batch = batch._replace(failures=batch.failures + 1)
    lane = lane._replace(phase=Phase.IDLE, work=(batch, *others))
    limit = settings.retry_attempts
    if limit < 0 or batch.failures <= limit or _suspends(batch, context.mapping.assumptions):
        return _wait(context, shard, lane, batch.failures)
    return _discard(context, shard, lane, "RetryAttemptsExhausted", function_error)


def _suspends(batch: Batch, assumptions: Assumptions) -> bool:
    return batch.closing is not Closing.NO and assumptions.failed_final_call == "suspend"


def _wait(context: StepContext, shard: Shard, lane: Lane, times: int) -> Lane:
    """Wait before the same call is made again; each wait is twice as long, up to the cap."""
    if not context.enabled:
        return lane
    assumptions = context.mapping.assumptions
    doubled_ms = assumptions.backoff_first_ms << min(times - 1, _MOST_DOUBLINGS)
    wait_ms = min(doubled_ms, assumptions.backoff_cap_ms)
    due_ms = context.at_ms + int(wait_ms / context.mapping.time_scale)
    return wake(context, shard, lane, Phase.WAITING, due_ms)


def _discard(
    context: StepContext,
    shard: Shard,
    lane: Lane,
    condition: Condition,
    function_error: str | None = None,
) -> Lane:
    """Send the failure record of the lane's first batch; without a destination, go on at once."""
    batch, token = lane.work[0], context.new_token()
    if batch.records:
        fate: Fate = "age_exceeded" if condition == "RecordAgeExceeded" else "failed"
        context.effects.append(Settled(shard.shard_id, fate, batch.records))
    # The failure record of a record that was never called names its window and opens none.
    described = _windows.open_window(context, lane, batch.records)
    invoke = _call(context, shard, described, token, batch.failures)
    context.effects.append(
        failure_of(context, invoke, condition, function_error, sent=not batch.oversized)
    )
    if context.mapping.destination is not None:
        return lane._replace(phase=Phase.SENDING, token=token)
    if batch.records and context.mapping.assumptions.dropped_without_destination:
        context.measure("DroppedEventCount", len(batch.records))
    return _next_batch(context, shard, lane)


def _next_batch(context: StepContext, shard: Shard, lane: Lane) -> Lane:
    """Remove the lane's first batch, which is settled, and advance the checkpoint past it."""
    batch = lane.work[0]
    lane = lane._replace(phase=Phase.IDLE, work=lane.work[1:])
    advance_past(context, shard, lane, batch.records)
    if batch.closing is Closing.NO:
        return lane
    return _close_window(context, shard, lane, batch.closing)


def _close_window(context: StepContext, shard: Shard, lane: Lane, closing: Closing) -> Lane:
    """Close the window, and store that: no record advances the checkpoint here."""
    if context.checkpoint is not None:
        context.effects.append(Checkpoint(shard.shard_id, context.checkpoint))
    return _windows.close_window(context.mapping, lane, closing)


def _keep_state(context: StepContext, lane: Lane, verdict: Verdict) -> Lane:
    """Keep the state that a call in a tumbling window returned; one too large closes the window."""
    if lane.window is None:
        return lane
    lane = lane._replace(window=OpenWindow(lane.window.start_ms, verdict.state))
    if not _windows.is_too_large(lane):
        return lane
    closing = Batch((), context.new_id(), closing=Closing.EARLY)
    return lane._replace(work=(closing, *lane.work))


def _call(context: StepContext, shard: Shard, lane: Lane, token: int, number: int) -> Invoke:
    batch = lane.work[0]
    window = _windows.time_window(context.mapping, lane, batch)
    return Invoke(
        shard.shard_id, lane.number, token, batch.request_id, number, batch.records, window
    )


def _measure_age(context: StepContext, batch: Batch) -> None:
    created = created_ms(batch.records[-1], context.at_ms)
    context.measure("IteratorAge", max(0, context.at_ms - created))


def _measure_failed(context: StepContext, records: tuple[Record, ...]) -> None:
    if records:
        context.measure("FailedInvokeEventCount", len(records))
