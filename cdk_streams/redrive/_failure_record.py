"""Failure records read from messages and objects, which anybody may have written.

    failure = parse_failure(read_json(text))
    failure.stream_arn, failure.first, failure.last, failure.size

Every part is checked here, once: its type, its length, and that it can be printed and sent.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from cdk_streams.arns import is_service
from cdk_streams.errors import SourceError

__all__ = ["FailureRecord", "MappingKey", "mapping_key", "parse_failure", "read_json"]

MappingKey: TypeAlias = tuple[str, str]
"""A function's ARN, as its mapping names it, and the ARN of the stream that it reads."""

_MOST_CHARACTERS = 512
_MOST_DIGITS = 40
_MOST_RECORDS = 10_000
_MOST_ATTEMPTS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """A failure record of Lambda: the batch, the function, and why it was discarded.

    `first` and `last` are sequence numbers, both included, and `size` the number of records; None
    and 0 for the last call of a tumbling window, which has no records. `payload` is the event that
    failed, as JSON text, where a bucket keeps it. `window` is None outside tumbling windows.
    `sent_at` is when Lambda gave the batch up, `written_at` when its first record was written, and
    `request_id` names the last of its `attempts`; None and "" where the failure record says none.
    """

    function_arn: str
    condition: str
    stream_arn: str
    shard_id: str
    first: str | None = None
    last: str | None = None
    size: int = 0
    payload: str | None = None
    window: Literal["within", "final"] | None = None
    sent_at: datetime | None = None
    written_at: datetime | None = None
    request_id: str = ""
    attempts: int | None = None

    @property
    def key(self) -> MappingKey:
        """The function and the stream."""
        return self.function_arn, self.stream_arn

    @property
    def batch(self) -> tuple[str, ...]:
        """The identity of the batch, whose failure record Lambda may send twice."""
        return (*self.key, self.shard_id, self.first or "", self.last or "", str(self.size))


def read_json(text: str | bytes) -> Mapping[str, Any]:
    """Return the JSON object in a text; an empty one when there is none that can be read."""
    try:
        body = json.loads(text, parse_constant=_refuse)
    # Brackets without end are a RecursionError, bytes of no encoding a UnicodeDecodeError.
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, Mapping) else {}


def mapping_key(body: Mapping[str, Any]) -> MappingKey:
    """Return the function and the stream that a body names; "" for what it does not."""
    request, batch = body.get("requestContext"), body.get("DDBStreamBatchInfo")
    function = request.get("functionArn") if isinstance(request, Mapping) else None
    stream = batch.get("streamArn") if isinstance(batch, Mapping) else None
    return (
        function if isinstance(function, str) else "",
        stream if isinstance(stream, str) else "",
    )


def parse_failure(body: Mapping[str, Any]) -> FailureRecord:
    """Return the failure record in a body.

    Raises:
        SourceError: It is none of a DynamoDB mapping.

    """
    request, batch = _part(body, "requestContext"), _part(body, "DDBStreamBatchInfo")
    function, stream = _text(request, "functionArn"), _text(batch, "streamArn")
    condition, shard = _text(request, "condition"), _text(batch, "shardId")
    if not (function and stream and condition and shard and is_service(stream, "dynamodb")):
        raise _no_failure_record(body)
    payload = body.get("payload")
    if "payload" in body and not isinstance(payload, str):
        payload = ""  # It is no event, which is what is said of it.
    first, last, size = _range(body, batch, may_be_absent="payload" in body)
    return FailureRecord(
        function,
        condition,
        stream,
        shard,
        first,
        last,
        size,
        payload=payload,
        window=_window(body.get("timeWindowInfo")),
        sent_at=_moment(body, "timestamp"),
        written_at=_moment(batch, "approximateArrivalOfFirstRecord"),
        request_id=_text(request, "requestId"),
        attempts=_count(request, "approximateInvokeCount"),
    )


def _range(
    body: Mapping[str, Any], batch: Mapping[str, Any], *, may_be_absent: bool
) -> tuple[str | None, str | None, int]:
    """Return the first and the last number and the size of a batch."""
    names = ("startSequenceNumber", "endSequenceNumber")
    is_last_call = isinstance(body.get("timeWindowInfo"), Mapping)
    if (may_be_absent or is_last_call) and not {*names, "batchSize"}.intersection(batch):
        return None, None, 0
    first, last = (_number(batch, name) for name in names)
    size = batch.get("batchSize")
    if first is None or last is None or not isinstance(size, int) or isinstance(size, bool):
        raise _no_failure_record(body)
    is_one = size == 1
    if not 1 <= size <= _MOST_RECORDS or int(first) > int(last) or (is_one and first != last):
        raise SourceError(
            f"a failure record of {size:,} records cannot have the range {first} to {last}"
        )
    return first, last, size


def _window(info: Any) -> Literal["within", "final"] | None:
    if info is None:
        return None
    is_final = isinstance(info, Mapping) and info.get("isFinalInvokeForWindow") is True
    return "final" if is_final else "within"


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(part: Mapping[str, Any], name: str) -> str:
    """Return a text that can be printed and sent; "" when there is none."""
    text = part.get(name)
    is_usable = isinstance(text, str) and len(text) <= _MOST_CHARACTERS and text.isprintable()
    return str(text) if is_usable else ""


def _number(part: Mapping[str, Any], name: str) -> str | None:
    """Return a sequence number: decimal text, because Python refuses very long ones as a number."""
    text = part.get(name)
    is_number = isinstance(text, str) and text.isascii() and text.isdecimal()
    return str(text) if is_number and len(str(text)) <= _MOST_DIGITS else None


def _count(part: Mapping[str, Any], name: str) -> int | None:
    """Return a number of calls."""
    count = part.get(name)
    if not isinstance(count, int) or isinstance(count, bool):
        return None
    return count if 0 <= count < _MOST_ATTEMPTS else None


def _moment(part: Mapping[str, Any], name: str) -> datetime | None:
    """Return a time such as `2026-09-17T14:14:26.735Z`; None for a text that is none."""
    try:
        moment = datetime.fromisoformat(_text(part, name))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _no_failure_record(body: Mapping[str, Any]) -> SourceError:
    return SourceError(
        "a failure record must have requestContext and DDBStreamBatchInfo with its range, "
        f"got the keys {', '.join(str(each)[:40] for each in [*body][:10]) or 'none'}"
    )


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
