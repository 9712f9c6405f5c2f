"""What lies in a queue for failures: failure records, and what S3 tells of those in a bucket.

    for message in read_failures(sqs, queue_url):
        message.body["DDBStreamBatchInfo"]
        discard(sqs, message)

Lambda sends to a queue straight or by way of a topic, and a topic wraps what it passes on.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

__all__ = ["FailureMessage", "discard", "give_back", "is_test_event", "read_failures"]


@dataclass(frozen=True, slots=True)
class FailureMessage:
    """A message of a queue for failures; `receipt` is what deletes it.

    `body` is the JSON object in it, without what a topic wraps around; empty when there is none.
    """

    body: Mapping[str, Any]
    receipt: str
    queue_url: str


def read_failures(sqs: Any, queue_url: str) -> Iterator[FailureMessage]:
    """Receive the messages of a queue; each stays hidden for its visibility timeout.

    A payload is left out: Lambda puts none into a message, and who may send to the queue shall
    not choose what a function is called with.
    """
    while True:
        # Without a wait SQS asks some of its servers only, and may find none of the messages.
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = answer.get("Messages", [])
        if not messages:
            return
        for message in messages:
            yield FailureMessage(_body(message["Body"]), message["ReceiptHandle"], queue_url)


def discard(sqs: Any, message: FailureMessage) -> None:
    """Delete a message that is dealt with."""
    sqs.delete_message(QueueUrl=message.queue_url, ReceiptHandle=message.receipt)


def give_back(sqs: Any, message: FailureMessage) -> None:
    """Let a message be seen at once; without the permission its time has to pass."""
    with contextlib.suppress(ClientError, BotoCoreError):
        sqs.change_message_visibility(
            QueueUrl=message.queue_url, ReceiptHandle=message.receipt, VisibilityTimeout=0
        )


def is_test_event(body: Mapping[str, Any]) -> bool:
    """Tell whether a message is what S3 sends to a queue when it is first told to notify it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return body.get("Service") == "Amazon S3" and body.get("Event") == "s3:TestEvent"


def _body(text: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
        if isinstance(body, Mapping) and body.get("Type") == "Notification":
            body = json.loads(body["Message"])
    except (ValueError, KeyError, TypeError):
        return {}
    if not isinstance(body, Mapping):
        return {}
    return {name: value for name, value in body.items() if name != "payload"}
