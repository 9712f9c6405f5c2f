"""The plan of a redrive: the records of a batch that failed, and the calls that are made with them.

    plan = plan_redrive(body, streams, settings)
    print(plan)                                   # nothing has been called so far
    carry_out(plan, runner.invoke).redriven

A failure record in a queue names a range of a shard and holds no data. Records can be read back for
24 hours; what is gone by then is counted as missing. One in a bucket holds the event that failed.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdk_streams.errors import SourceError
from cdk_streams.filters import matches
from cdk_streams.lambda_local import InvokeResponse
from cdk_streams.live import AtNumber, ShardReader, StreamsApi
from cdk_streams.mapping import MAX_PAYLOAD_BYTES, MappingSettings
from cdk_streams.poller import sequence_number, split_into_calls
from cdk_streams.redrive._failure_record import FailureRecord, parse_failure, read_json

__all__ = ["RedriveOutcome", "RedrivePlan", "carry_out", "plan_redrive"]

_READS_THAT_MAY_FAIL = 20
_MOST_RECORDS_A_READ = 1000
# A page may be empty although records follow it.
_PAGES_THAT_MAY_BE_EMPTY = 10


@dataclass(frozen=True, slots=True)
class RedrivePlan:
    """The calls of a redrive: `events`, each `{"Records": [...]}`, in order.

    `missing` counts the records of the batch that have left the stream. `has_others`: the range is
    shared by several lanes (a parallelization factor), and which records are of the lane that
    failed is unknown; handlers see a record at least once anyway.
    """

    failure: FailureRecord
    events: Sequence[Mapping[str, Any]]
    missing: int = 0
    has_others: bool = False

    @property
    def records(self) -> tuple[Mapping[str, Any], ...]:
        """The records of all events."""
        return tuple(record for event in self.events for record in event["Records"])


@dataclass(frozen=True, slots=True)
class RedriveOutcome:
    """The outcome of a redrive; `why` is the reason when it is not `redriven`, else "".

    What is not redriven is kept, although some of its calls may have been made: a handler sees a
    record at least once.
    """

    redriven: bool
    why: str = ""


def plan_redrive(
    body: Mapping[str, Any], streams: StreamsApi, settings: MappingSettings
) -> RedrivePlan:
    """Return the records that a failure record names, from the stream or from its own payload.

    A payload is the event as it failed: no filter of the settings is applied again.

    Raises:
        SourceError: It is no failure record of a DynamoDB mapping, its stream cannot be read, its
            range holds more than its batch can, or it is of a tumbling window that only Lambda
            can go on with.

    """
    failure = parse_failure(body)
    _check_window(failure)
    if failure.payload is not None:
        event = _event(failure.payload)
        missing = max(0, failure.size - len(event["Records"]))
        return RedrivePlan(
            failure, [event] if event["Records"] or "window" in event else [], missing
        )
    found, is_trimmed = _read_back(failure, streams, settings)
    lane = _of_lane(found, failure.size)
    calls = split_into_calls(lane, settings.batch_size)
    missing = max(0, failure.size - len(lane))
    return RedrivePlan(
        failure,
        [{"Records": list(records)} for records in calls],
        # Beside other lanes' records, only a missing first one shows that some are gone.
        missing or int(is_trimmed and settings.parallelization_factor > 1),
        has_others=len(lane) > failure.size,
    )


def carry_out(plan: RedrivePlan, invoke: Callable[[Any, str], InvokeResponse]) -> RedriveOutcome:
    """Make the planned calls in order, up to the first that is not a whole success.

    `invoke` takes an event and a request ID and returns the response; `invoker` makes one. A call
    counts as a success when the function neither failed nor named a record in
    `batchItemFailures`. A plan without events is not redriven: its records have left the stream.

    Raises:
        Exception: Whatever `invoke` raises, such as botocore's ClientError; calls before it were
            made.

    """
    if not plan.events:
        return RedriveOutcome(redriven=False, why="its records have left the stream")
    for made, event in enumerate(plan.events):
        if why := _failure(invoke(event, str(uuid.uuid4()))):
            before = f" (after {made} of {len(plan.events)} calls)" if made else ""
            return RedriveOutcome(redriven=False, why=why + before)
    return RedriveOutcome(redriven=True)


def _failure(response: InvokeResponse) -> str:
    """Return why a call is not a whole success; "" when it is."""
    if response.throttled:
        return "the function was throttled"
    if response.function_error is not None:
        return f"the function failed with {response.error_type}"
    payload = response.payload
    reported = payload.get("batchItemFailures") if isinstance(payload, Mapping) else None
    # Any answer but an empty list is read as a failure: keeping a failure record loses nothing.
    if reported:
        count = len(reported) if isinstance(reported, list) else "its records"
        return f"the function reported {count} as failed"
    return ""


def _check_window(failure: FailureRecord) -> None:
    """Refuse a call whose answer would be lost, or whose state is.

    A call within a tumbling window answers the state of the next call, which Lambda alone makes.
    The last call has that state in its event, and its answer goes nowhere anyway.
    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
    """
    if failure.window == "within":
        raise SourceError(
            "a batch within a tumbling window cannot be redriven, because the state that its "
            "function answers would reach no later call; correct the window's result by hand"
        )
    if failure.window == "final" and failure.payload is None:
        raise SourceError(
            "the last call of a tumbling window must come with its state to be redriven, got none; "
            "send failure records to a bucket, which keeps it"
        )


def _event(payload: str) -> Mapping[str, Any]:
    """Return the event in a payload, JSON text within the failure record."""
    event = read_json(payload)
    records = event.get("Records")
    if not isinstance(records, list) or not all(map(_is_record, records)):
        raise SourceError(
            "the payload of a failure record must be the JSON text of an event with Records of a "
            "DynamoDB stream, got something else"
        )
    size = len(
        json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    )
    if size > MAX_PAYLOAD_BYTES:
        raise SourceError(
            f"the payload of a failure record must fit into a call of {MAX_PAYLOAD_BYTES:,} bytes, "
            f"got {size:,}"
        )
    return event


def _read_back(
    failure: FailureRecord, streams: StreamsApi, settings: MappingSettings
) -> tuple[list[Mapping[str, Any]], bool]:
    """Return the batch's range without what no filter matches; and whether its start is gone.

    Without lanes the range holds the batch. With them it holds what the others got meanwhile, for
    each at most as many as a batch.
    """
    lanes = settings.parallelization_factor
    most = failure.size if lanes == 1 else max(failure.size, settings.batch_size) * lanes
    found: list[Mapping[str, Any]] = []
    is_trimmed = True
    for record in _range(streams, failure):
        is_trimmed = is_trimmed and sequence_number(record) != failure.first
        if _is_wanted(record, settings):
            found.append(record)
        if len(found) > most:
            raise SourceError(
                f"its range holds more than {most:,} records, although its batch has "
                f"{failure.size:,}: the filters of its mapping have changed, or Lambda did not "
                "write it"
            )
    return found, is_trimmed


def _range(streams: StreamsApi, failure: FailureRecord) -> Iterator[Mapping[str, Any]]:
    """Yield the records from the batch's first to its last number, both included."""
    start, last = AtNumber(str(failure.first)), int(str(failure.last))
    reader = ShardReader(streams, failure.stream_arn, failure.shard_id, start)
    failures = empty = 0
    # The batch is asked for; what lies between its records, filtered or of other lanes, follows.
    most = min(failure.size, _MOST_RECORDS_A_READ)
    while empty < _PAGES_THAT_MAY_BE_EMPTY:
        page = reader.read(most)
        most = _MOST_RECORDS_A_READ if page.records else most
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
                raise SourceError(f"{failure.shard_id} could not be read: {page.error}")
        elif page.closed:
            return
        empty += page.error is None and not page.records


def _of_lane(records: Sequence[Mapping[str, Any]], size: int) -> Sequence[Mapping[str, Any]]:
    """Return the records of the lane that failed, where they are known, otherwise all.

    A range begins and ends with records of its lane, and all changes of an item are in one lane.
    When the changes of those two items are as many as the batch, they are the batch.
    """
    if len(records) <= size:
        return records
    ends = [record["dynamodb"].get("Keys") for record in (records[0], records[-1])]
    same = [record for record in records if record["dynamodb"].get("Keys") in ends]
    return same if len(same) == size else records


def _is_wanted(record: Mapping[str, Any], settings: MappingSettings) -> bool:
    return not settings.filters or any(matches(each, record) for each in settings.filters)


def _is_record(part: Any) -> bool:
    """Tell whether a value is a stream record, as far as it is looked at and shown here."""
    change = part.get("dynamodb") if isinstance(part, Mapping) else None
    number = change.get("SequenceNumber") if isinstance(change, Mapping) else None
    return isinstance(number, str) and bool(number) and isinstance(part.get("eventName"), str)
