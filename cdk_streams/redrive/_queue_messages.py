"""Messages of a queue for failures: failure records, and S3's notifications of those in a bucket.

    for page in receive_messages(sqs, queue_url):
        for message in page:
            message.body["DDBStreamBatchInfo"]

Lambda sends to a queue directly or by way of a topic, and a topic wraps what it passes on.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.redrive._failure_record import read_json

__all__ = ["FailureMessage", "discard", "give_back", "is_test_event", "receive_messages"]

_PAGE = 10


@dataclass(frozen=True, slots=True)
class FailureMessage:
    """A message of a queue for failures; `id` names it, `receipt` is what deletes it.

    `body` is the JSON object in it, without what a topic wraps around; empty when there is none.
    A payload is left out: Lambda puts none into a message, and who may send to the queue must not
    choose what a function is called with.
    """

    body: Mapping[str, Any]
    receipt: str
    queue_url: str
    id: str = ""


def receive_messages(sqs: Any, queue_url: str) -> Iterator[list[FailureMessage]]:
    """Receive a queue's messages, ten at a time; each stays hidden for its visibility timeout."""
    while True:
        # Without a wait SQS asks some of its servers only, and may find none of the messages.
        answer = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=_PAGE, WaitTimeSeconds=1
        )
        page = [
            FailureMessage(
                _body(each["Body"]),
                each["ReceiptHandle"],
                queue_url,
                each.get("MessageId") or each["ReceiptHandle"],
            )
            for each in answer.get("Messages", [])
        ]
        if not page:
            return
        yield page


def discard(sqs: Any, message: FailureMessage) -> None:
    """Delete a message whose records are handled."""
    sqs.delete_message(QueueUrl=message.queue_url, ReceiptHandle=message.receipt)


def give_back(sqs: Any, message: FailureMessage) -> None:
    """Let a message be seen at once; without the permission its time has to pass."""
    with contextlib.suppress(ClientError, BotoCoreError):
        sqs.change_message_visibility(
            QueueUrl=message.queue_url, ReceiptHandle=message.receipt, VisibilityTimeout=0
        )


def is_test_event(body: Mapping[str, Any]) -> bool:
    """Tell whether a message is what S3 sends to a queue when notifications to it are set up.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return body.get("Service") == "Amazon S3" and body.get("Event") == "s3:TestEvent"


def _body(text: str) -> Mapping[str, Any]:
    body = read_json(text)
    if body.get("Type") == "Notification":
        wrapped = body.get("Message")
        body = read_json(wrapped) if isinstance(wrapped, str) else {}
    return {name: value for name, value in body.items() if name != "payload"}
