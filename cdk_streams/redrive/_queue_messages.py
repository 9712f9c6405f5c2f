"""Messages of a queue for failures: failure records, and S3's notifications of those in a bucket.

    for page in receive_messages(sqs, queue_url):
        for message in page:
            message.body["DDBStreamBatchInfo"]

Lambda sends to a queue directly or by way of a topic, and a topic wraps what it passes on.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.redrive._failure_record import read_json

__all__ = [
    "FailureMessage",
    "discard",
    "give_all_back",
    "give_back",
    "hide",
    "is_test_event",
    "receive_messages",
]

_PAGE = 10
# The error of a message whose visibility timeout has ended: it may be received by others.
_NOT_HIDDEN = {"MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"}


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


def receive_messages(
    sqs: Any, queue_url: str, *, hidden_s: int | None = None
) -> Iterator[list[FailureMessage]]:
    """Receive a queue's messages, ten at a time.

    Each stays hidden for `hidden_s` seconds, 0 to 43,200; None is the queue's visibility timeout.
    Ends when SQS has no more. A message that is neither deleted nor given back comes again.

    Raises:
        ClientError: The permission `sqs:ReceiveMessage` is missing, or there
            is no such queue.

    """
    hidden = {} if hidden_s is None else {"VisibilityTimeout": hidden_s}
    while True:
        # Without a wait SQS asks some of its servers only, and may find none of the messages.
        answer = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=_PAGE, WaitTimeSeconds=1, **hidden
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
    """Delete a message whose records are handled.

    Raises:
        ClientError: The permission `sqs:DeleteMessage` is missing, or the
            queue is gone. A message whose visibility timeout has ended may come again.

    """
    sqs.delete_message(QueueUrl=message.queue_url, ReceiptHandle=message.receipt)


def give_back(sqs: Any, message: FailureMessage) -> None:
    """Let a received message be received again at once.

    Without the permission `sqs:ChangeMessageVisibility`, or without a connection, nothing changes:
    its visibility timeout has to pass.
    """
    give_all_back(sqs, [message])


def give_all_back(sqs: Any, messages: Iterable[FailureMessage]) -> None:
    """Let received messages be received again at once, ten a request.

    Without the permission `sqs:ChangeMessageVisibility`, or without a connection, nothing changes:
    their visibility timeout has to pass.
    """
    hide(sqs, messages, 0)


def hide(sqs: Any, messages: Iterable[FailureMessage], hidden_s: int) -> list[FailureMessage]:
    """Keep received messages hidden for `hidden_s` seconds from now on, ten a request.

    Returns those whose time had ended before: they may have been received by others. What cannot
    be asked, because a permission or the connection is missing, changes nothing.
    """
    by_queue: defaultdict[str, list[FailureMessage]] = defaultdict(list)
    for message in messages:
        by_queue[message.queue_url].append(message)
    ended: list[FailureMessage] = []
    for url, held in by_queue.items():
        for first in range(0, len(held), _PAGE):
            page = held[first : first + _PAGE]
            entries = [
                {"Id": str(n), "ReceiptHandle": each.receipt, "VisibilityTimeout": hidden_s}
                for n, each in enumerate(page)
            ]
            with contextlib.suppress(ClientError, BotoCoreError):
                answer = sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
                failed = answer.get("Failed", [])
                ended += [page[int(each["Id"])] for each in failed if _has_ended(each)]
    return ended


def _has_ended(failed: Mapping[str, Any]) -> bool:
    return str(failed.get("Code")).rpartition(".")[2] in _NOT_HIDDEN


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
