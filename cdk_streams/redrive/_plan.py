"""Failure records back to their function: read what they name, show it, and only then call.

    for failure in read_failures(sqs, queue_url):
        plan = plan_redrive(failure.body, streams, settings)
        print(plan)                       # nothing has been called so far
        if carry_out(plan, runner.invoke).redriven:
            discard(sqs, failure)

A failure record in a queue names a range of a shard and holds no data. Records can be read back for
24 hours; what is gone by then is counted as missing. One in a bucket holds the event that failed.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from cdk_streams.errors import SourceError
from cdk_streams.filters import matches
from cdk_streams.lambda_local import InvokeResponse
from cdk_streams.live import AtNumber, ShardReader, StreamsApi, reported_failures
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import sequence_number

__all__ = ["RedriveOutcome", "RedrivePlan", "carry_out", "plan_redrive"]

_REQUEST = ("functionArn", "condition")
_BATCH = ("streamArn", "shardId")
_ENDS = ("startSequenceNumber", "endSequenceNumber")
_SIZE = "batchSize"
_READS_THAT_MAY_FAIL = 20
# A page may be empty although records follow it.
_PAGES_THAT_MAY_BE_EMPTY = 10


@dataclass(frozen=True, slots=True)
class RedrivePlan:
    """What a redrive would call the function with: `event`, `{"Records": [...]}`.

    `missing` counts the records of the batch that have left the stream. Records of other lanes
    (with a parallelization factor) lie in the same range and come with it: handlers see a record
    at least once anyway.
    """

    function_arn: str
    shard_id: str
    condition: str
    event: Mapping[str, Any]
    missing: int = 0

    @property
    def records(self) -> tuple[Mapping[str, Any], ...]:
        """The records of the event."""
        return tuple(self.event["Records"])

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to call with; the last call of a window has a state instead."""
        return not self.event["Records"] and "window" not in self.event


@dataclass(frozen=True, slots=True)
class RedriveOutcome:
    """What a redrive came to; when it is not `redriven`, `why` says so and nothing is discarded."""

    redriven: bool
    why: str = ""


def plan_redrive(
    body: Mapping[str, Any], streams: StreamsApi, settings: MappingSettings
) -> RedrivePlan:
    """Return what the failure record names, read back from the stream or from its own payload.

    A payload is the event as it failed: no filter of the settings is asked again.

    Raises:
        SourceError: It is no failure record of a DynamoDB mapping, its stream cannot be read, or
            it is of a tumbling window that only Lambda can go on with.

    """
    request, batch = body.get("requestContext"), body.get("DDBStreamBatchInfo")
    if not (_holds(request, _REQUEST) and _holds(batch, _BATCH)):
        raise _no_failure_record(body)
    _check_window(body)
    has_range = any(name in batch for name in (*_ENDS, _SIZE))
    # The last call of a window names no range, and cannot be read back.
    if (has_range or "payload" not in body) and not _is_range(batch):
        raise _no_failure_record(body)
    if "payload" in body:
        event, size = _event(body["payload"]), 0
    else:
        found = [record for record in _range(streams, batch) if _is_wanted(record, settings)]
        event, size = {"Records": found}, batch[_SIZE]
    return RedrivePlan(
        function_arn=request["functionArn"],
        shard_id=batch["shardId"],
        condition=request["condition"],
        event=event,
        missing=max(0, size - len(event["Records"])),
    )


def carry_out(plan: RedrivePlan, invoke: Callable[[Any, str], InvokeResponse]) -> RedriveOutcome:
    """Call the function with the planned records; a partial failure is a failure of the redrive."""
    if plan.is_empty:
        return RedriveOutcome(redriven=False, why="its records have left the stream")
    answer = invoke(plan.event, str(uuid.uuid4()))
    if answer.throttled:
        return RedriveOutcome(redriven=False, why="the function was throttled")
    if answer.function_error is not None:
        return RedriveOutcome(redriven=False, why=f"the function failed with {answer.error_type}")
    if failed := reported_failures(answer.payload):
        return RedriveOutcome(redriven=False, why=f"the function reported {failed} as failed")
    return RedriveOutcome(redriven=True)


def _check_window(body: Mapping[str, Any]) -> None:
    """Refuse a call whose answer nobody would carry on, or whose state nobody has kept.

    A call within a tumbling window answers the state of the next call, which Lambda alone makes.
    The last call has that state in its event, and its answer goes nowhere anyway.
    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
    """
    info = body.get("timeWindowInfo")
    if info is None:
        return
    if not (isinstance(info, Mapping) and info.get("isFinalInvokeForWindow")):
        raise SourceError(
            "a batch within a tumbling window cannot be redriven, because the state that its "
            "function answers would reach no later call; correct the window's result by hand"
        )
    if "payload" not in body:
        raise SourceError(
            "the last call of a tumbling window must come with its state to be redriven, got none; "
            "send failure records to a bucket, which keeps it"
        )


def _event(payload: Any) -> Mapping[str, Any]:
    """Return the event in a payload, JSON text within the failure record."""
    try:
        event = json.loads(payload)
        if all(map(_is_record, event["Records"])):
            return dict(event)
    except (ValueError, KeyError, TypeError):
        pass
    raise SourceError(
        "the payload of a failure record must be the JSON text of an event with Records of a "
        "DynamoDB stream, got something else"
    )


def _range(streams: StreamsApi, batch: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the records from the batch's first to its last number, both included."""
    start, last = AtNumber(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
    mapping_key = ShardReader(streams, batch["streamArn"], batch["shardId"], start)
    failures = empty = 0
    while empty < _PAGES_THAT_MAY_BE_EMPTY:
        page = mapping_key.read()
        for record in page.records:
            number = int(sequence_number(record))
            if number <= last:
                yield record
            if number >= last:
                return
        if page.gone:
            return
        if page.error is not None:
            failures += 1
            if failures == _READS_THAT_MAY_FAIL:
                raise SourceError(f"{batch['shardId']} could not be read: {page.error}")
        elif page.closed:
            return
        empty += page.error is None and not page.records


def _is_wanted(record: Mapping[str, Any], settings: MappingSettings) -> bool:
    return not settings.filters or any(matches(each, record) for each in settings.filters)


def _is_record(part: Any) -> bool:
    return _holds(part, ("eventName",)) and _holds(part.get("dynamodb"), ("SequenceNumber",))


def _no_failure_record(body: Mapping[str, Any]) -> SourceError:
    return SourceError(
        "a failure record must have requestContext and DDBStreamBatchInfo with its range, "
        f"got the keys {', '.join(map(str, body)) or 'none'}"
    )


def _holds(part: Any, names: Sequence[str]) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether a part of a message has text under each of these names."""
    return isinstance(part, Mapping) and all(
        isinstance(part.get(name), str) and part[name] for name in names
    )


def _is_range(batch: Mapping[str, Any]) -> bool:
    ends = [batch.get(name) for name in _ENDS]
    return all(isinstance(each, str) and each.isdecimal() for each in ends) and isinstance(
        batch.get(_SIZE), int
    )
