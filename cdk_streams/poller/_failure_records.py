"""Failure records, to the byte: what a queue, a topic or a bucket gets of discarded records.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html describes them; the
order of the keys and the forms of times are recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

from cdk_streams.mapping import FAILURE_OBJECTS, destination_kind
from cdk_streams.poller._batches import created_ms, invocation_event, sequence_number, window_bounds
from cdk_streams.poller._effects import Invoke, SendFailure
from cdk_streams.poller._event_source_mapping import EventSourceMapping
from cdk_streams.poller._events import Record
from cdk_streams.poller._state import StepContext
from cdk_streams.poller._timestamps import java_double, milliseconds_text, s3_folder, seconds_text

__all__ = ["Condition", "failure_of", "failure_text", "holds_records"]

Condition: TypeAlias = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]

# A record that was never sent counts one call all the same.
_FEWEST_CALLS: Final = 1


def holds_records(destination: str | None) -> bool:
    """Whether failure records to the destination carry the stream records, as to a bucket."""
    kind = destination_kind(destination)
    return kind is not None and kind.holds_records


def failure_text(body: Any) -> str:
    """Return a failure record (or a part of one) as the text that is sent: compact JSON."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def failure_of(
    context: StepContext,
    invoke: Invoke,
    condition: Condition,
    function_error: str | None = None,
    *,
    sent: bool = True,
) -> SendFailure:
    """Build the failure record of a batch that is discarded.

    `invoke` is its last call, `invoke.attempt` the number of calls made. `sent`: False for a
    record too large for a call, to which no function has responded.
    """
    mapping, bucket = context.mapping, holds_records(context.mapping.destination)
    body: dict[str, Any] = {
        "requestContext": {
            "requestId": invoke.request_id,
            "functionArn": mapping.function_arn,
            "condition": condition,
            "approximateInvokeCount": max(_FEWEST_CALLS, invoke.attempt),
        }
    }
    if condition == "RetryAttemptsExhausted" and sent:
        body["responseContext"] = {
            "statusCode": 200,
            "executedVersion": mapping.executed_version,
            "functionError": function_error,
        }
    body["version"] = "1.0"
    if bucket:
        body["payload"] = _payload_text(invocation_event(invoke, mapping.stream_arn))
    body["timestamp"] = milliseconds_text(context.at_ms)
    body["DDBStreamBatchInfo"] = _batch_info(
        mapping, invoke.shard_id, invoke.records, context.at_ms
    )
    if (window := invoke.window) is not None:
        body["timeWindowInfo"] = {
            "window": window_bounds(window),
            "isFinalInvokeForWindow": window.final,
            "isWindowTerminatedEarly": window.early,
        }
    key = None
    if bucket:
        folder = f"{FAILURE_OBJECTS}{mapping.uuid}/{invoke.shard_id}"
        key = f"{folder}/{s3_folder(context.at_ms)}-{context.new_id()}"
    return SendFailure(invoke.shard_id, invoke.lane, invoke.call, body, mapping.destination, key)


def _batch_info(
    mapping: EventSourceMapping, shard_id: str, records: Sequence[Record], at_ms: int
) -> dict[str, Any]:
    """Return where the records can be read back; the closing call of a window has none."""
    if not records:
        return {"shardId": shard_id, "streamArn": mapping.stream_arn}
    return {
        "shardId": shard_id,
        "startSequenceNumber": sequence_number(records[0]),
        "endSequenceNumber": sequence_number(records[-1]),
        "approximateArrivalOfFirstRecord": seconds_text(created_ms(records[0], at_ms)),
        "approximateArrivalOfLastRecord": seconds_text(created_ms(records[-1], at_ms)),
        "batchSize": len(records),
        "streamArn": mapping.stream_arn,
    }


def _payload_text(event: dict[str, Any]) -> str:
    """Return the invocation event as S3 failure records hold it: as text, times as Java doubles."""
    records = ",".join(map(_record_text, event["Records"]))
    return _object(
        (name, f"[{records}]" if name == "Records" else failure_text(value))
        for name, value in event.items()
    )


def _record_text(record: Record) -> str:
    return _object(
        (name, _change_text(value) if name == "dynamodb" else failure_text(value))
        for name, value in record.items()
    )


def _change_text(change: dict[str, Any]) -> str:
    return _object(
        (name, java_double(value) if _is_creation_time(name, value) else failure_text(value))
        for name, value in change.items()
    )


def _is_creation_time(name: str, value: Any) -> bool:
    return name == "ApproximateCreationDateTime" and value is not None


def _object(members: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{failure_text(name)}:{text}" for name, text in members) + "}"
