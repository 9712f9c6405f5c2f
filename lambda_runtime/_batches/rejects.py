"""Rejected records: sent, whole, to a queue of their own, so that they do not block their shard.

A record that no retry can help would otherwise be tried until its retries are used up, with the
whole shard waiting behind it. One message is

    {"reason": "no such product", "route": "created", "eventSourceARN": "arn:aws:dynamodb:…",
     "functionName": "orders-audit", "functionArn": "arn:aws:lambda:…:orders-audit:live",
     "record": {"eventID": "…", "eventName": "INSERT", …}}

`functionArn` is how the function was invoked, with its alias or version. The `record` is as Lambda
delivered it, and can be handled again as `{"Records": [record]}`.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

from __future__ import annotations

import json
import os
import threading

from lambda_runtime._batches.processing import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_runtime.errors import Reject

    Send = Callable[[str], object]

__all__ = ["LARGEST_MESSAGE_BYTES", "REJECT_QUEUE_URL", "message", "send"]

REJECT_QUEUE_URL = "STREAM_REJECT_QUEUE_URL"
"""The environment variable with the URL of the queue for rejected records."""

LARGEST_MESSAGE_BYTES = 262_144
"""What every standard queue takes: 256 KiB. A queue may be set to take 1 MiB, or less than this."""

_IMAGES = ("NewImage", "OldImage")


def send(
    record: Any,
    failure: Failure,
    rejection: Reject,
    to: str | Send | None,
    function_arn: str | None = None,
) -> Failure | None:
    """Send a rejected record away; None when that worked and the batch can go on.

    Args:
        record: The raw stream record.
        failure: The failure that the rejection is.
        rejection: What the handler raised.
        to: The URL of a queue, a function of the message's text, or None for the queue that the
            environment names. Without any, the failure stays what it is.
        function_arn: The function as it was invoked; None where no context says so.
    """
    deliver = to if callable(to) else _queue(to or os.environ.get(REJECT_QUEUE_URL))
    if deliver is None:
        return failure
    try:
        deliver(message(record, rejection.reason, failure.route, function_arn))
    except Exception as error:  # noqa: BLE001 - no queue, no right, no network: tried again later
        error.__cause__ = rejection
        return Failure(failure.position, error, failure.route)
    return None


def message(record: Any, reason: str, route: str | None, function_arn: str | None = None) -> str:
    """The message for one rejected record.

    A record whose message would be too large for a queue goes without its images, which
    `"omitted": ["NewImage", "OldImage"]` says: an item may have 400 KB, and a record two images of
    it. Its keys and sequence number stay, and DynamoDB keeps the record itself for 24 hours.
    """
    content = {
        "reason": reason,
        "route": route,
        "eventSourceARN": record.get("eventSourceARN"),
        "functionName": os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
        "functionArn": function_arn,
        "record": record,
    }
    text = json.dumps(content)
    if len(text) <= LARGEST_MESSAGE_BYTES:  # `text` is ASCII: as many bytes as characters.
        return text
    stream = record["dynamodb"]
    kept = {name: part for name, part in stream.items() if name not in _IMAGES}
    content["record"] = {**record, "dynamodb": kept}
    content["omitted"] = [name for name in _IMAGES if name in stream]
    return json.dumps(content)


def _queue(url: str | None) -> Send | None:
    return (lambda text: _client().send_message(QueueUrl=url, MessageBody=text)) if url else None


_clients: list[Any] = []
_making_a_client = threading.Lock()


def _client() -> Any:
    """One client for the life of the process; making one is slow, and not safe on two threads."""
    with _making_a_client:
        if not _clients:
            import boto3  # noqa: PLC0415 - the runtime itself needs nothing but the standard library

            _clients.append(boto3.client("sqs"))
    return _clients[0]
