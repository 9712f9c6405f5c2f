"""Log lines: one structured line for each record that was not handled, and the lag.

A line holds ids, the route and the type of the error: never an attribute of an item, and not the
error's message either, which often quotes one. With Lambda's JSON logging its fields are fields of
the log line; otherwise its text is the same fields as JSON.
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

from __future__ import annotations

import json
import logging
import os
import time
import traceback
from math import isfinite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from lambda_runtime._batches.processing import Failure

__all__ = [
    "LOGGER",
    "SHOW",
    "lag_s",
    "log_deadline",
    "log_pause",
    "log_record",
    "log_window",
]

LOGGER = "lambda_runtime"
"""The name of the logger. Silence or redirect the lines as any other logger's."""

SHOW = "STREAM_LOG_SHOW"
"""The environment variable that adds to `show`: "message", "record", or "message,record"."""


def log_record(
    records: Sequence[Any],
    failure: Failure,
    left: Failure | None,
    *,
    show: Collection[str] = (),
) -> None:
    """Log that a record failed, as an error, or that it was rejected, as a warning.

    Args:
        records: The whole batch; its first record tells how far the function lags behind.
        failure: Which record, and why.
        left: What is left of the failure: None when the record was rejected and sent away.
        show: What else to write: "message" (the error's text and its traceback), "record" (the
            record as it came, with its item).
    """
    level = logging.WARNING if left is None else logging.ERROR
    if not logging.getLogger(LOGGER).isEnabledFor(level):
        return
    error = (left or failure).error
    show = {*show, *os.environ.get(SHOW, "").split(",")}
    fields = {**_ids(records, failure.position), "route": failure.route}
    if error is not None:
        fields |= _about(error, with_message="message" in show)
    if "record" in show:
        fields["record"] = records[failure.position]
    _log(level, "stream record rejected" if left is None else "stream record failed", fields)


def log_deadline(records: Sequence[Any], position: int) -> None:
    """Warn that a batch was ended before this record, because the deadline is near."""
    _log(logging.WARNING, "stream batch ended near the deadline", _ids(records, position))


def log_pause(records: Sequence[Any], position: int) -> None:
    """Warn that a batch was ended before this record, because its router pauses."""
    _log(logging.WARNING, "stream batch ended in a pause", _ids(records, position))


def log_pause_begins(error: BaseException, seconds: float) -> None:
    """Warn that nothing is tried for so many seconds, and what the mapping needs for it."""
    fields = {
        "error_type": type(error).__name__,
        "seconds": seconds,
        "mapping_needs": "retry_attempts=None: each batch in the pause is a failed attempt",
    }
    _log(logging.WARNING, "stream pause begins", fields)


def log_window(size_bytes: int, largest_bytes: int) -> None:
    """Warn that the state of a window comes near to what Lambda carries."""
    fields = {"state_bytes": size_bytes, "largest_state_bytes": largest_bytes}
    _log(logging.WARNING, "window state nearly too large", fields)


def lag_s(records: Sequence[Any], now: float | None = None) -> float | None:
    """The age of the oldest record of a batch in seconds: how far its consumer lags behind.

    Args:
        records: `event["Records"]`. A shard is delivered in order, so the first is the oldest.
        now: Seconds since 1970; None means the clock.

    Returns:
        Seconds, to about one second because DynamoDB rounds the time of a write; at least 0. None
        for an empty batch or a record without a time.
    """
    try:
        created = float(records[0]["dynamodb"]["ApproximateCreationDateTime"])
    except (LookupError, TypeError, ValueError, OverflowError):
        return None
    if not isfinite(created):
        return None
    return max(0.0, round((time.time() if now is None else now) - created, 3))


def _log(level: int, message: str, fields: dict[str, Any]) -> None:
    known = _json_fields({name: value for name, value in fields.items() if value is not None})
    logger = logging.getLogger(LOGGER)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        logger.log(level, message, extra=known)
    else:
        logger.log(level, "%s", json.dumps({"message": message, **known}, default=str))


def _json_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields as JSON has them: NaN and Infinity, which it has not, become text."""
    try:
        json.dumps(fields, default=str, allow_nan=False)
    except ValueError:
        known: dict[str, Any] = json.loads(json.dumps(fields, default=str), parse_constant=str)
        return known
    return fields


def _ids(records: Sequence[Any], position: int) -> dict[str, Any]:
    """Where the record is: enough to find it in the stream, nothing of what it holds."""
    record = records[position] if isinstance(records[position], dict) else {}
    stream = record.get("dynamodb")
    return {
        "event_id": record.get("eventID"),
        "event_name": record.get("eventName"),
        "sequence_number": stream.get("SequenceNumber") if isinstance(stream, dict) else None,
        "stream_arn": record.get("eventSourceARN"),
        "position": position,
        "batch_size": len(records),
        "lag_s": lag_s(records),
    }


def _about(error: BaseException, *, with_message: bool) -> dict[str, Any]:
    """The error's type and where it was raised; its message and traceback only when asked."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    about: dict[str, Any] = {"error_type": type(error).__name__, "error_at": places[-10:]}
    if with_message:
        about["error_message"] = str(error)
        about["error_traceback"] = "".join(traceback.format_exception(error))
    return about
