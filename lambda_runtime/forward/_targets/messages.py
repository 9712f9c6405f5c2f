"""SQS queues and SNS topics: a message's body is the event.

A FIFO queue or topic (its name ends in `.fifo`) gets the item as the message group, so that the
changes of one item arrive in order, and the event's id for deduplication.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
"""

from __future__ import annotations

from lambda_runtime.forward._delivery import Refusal
from lambda_runtime.forward._entries import Limits

__all__ = ["SnsTopic", "SqsQueue", "group_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lambda_runtime.forward._entries import Entry
    from lambda_runtime.forward._events import Event

EVERY_QUEUE_TAKES_BYTES = 262_144
"""What each queue and topic takes, whatever its age; either may be set to take 1 MiB."""
_LARGEST_GROUP = 128
_ENTRIES = 10


class SqsQueue:
    """A queue, by its URL.

    Args:
        url: The queue's URL.
        fifo: Whether it is a FIFO queue; None means that its name says so.
        max_message_bytes: The queue's MaximumMessageSize, up to 1,048,576.
    """

    service = "sqs"
    operation = "SendMessageBatch"

    def __init__(
        self,
        url: str,
        *,
        fifo: bool | None = None,
        max_message_bytes: int = EVERY_QUEUE_TAKES_BYTES,
    ) -> None:
        self.url = url
        self.keeps_order = url.endswith(".fifo") if fifo is None else fifo
        self.limits = Limits(_ENTRIES, max_message_bytes)

    def overhead_bytes(self, _: Event) -> int:
        """Return 0: the body is all that counts."""
        return 0

    def send(self, client: Any, entries: Sequence[Entry]) -> dict[int, Refusal]:
        """Send up to ten messages; return the refused ones by their place."""
        messages = _messages(entries, "MessageBody", fifo=self.keeps_order)
        return _refused(client.send_message_batch(QueueUrl=self.url, Entries=messages), entries)


class SnsTopic:
    """A topic, by its ARN.

    Args:
        arn: The topic's ARN.
        fifo: Whether it is a FIFO topic; None means that its name says so.
        max_message_bytes: The topic's MaximumMessageSize, up to 1,048,576.
    """

    service = "sns"
    operation = "PublishBatch"

    def __init__(
        self,
        arn: str,
        *,
        fifo: bool | None = None,
        max_message_bytes: int = EVERY_QUEUE_TAKES_BYTES,
    ) -> None:
        self.arn = arn
        self.keeps_order = arn.endswith(".fifo") if fifo is None else fifo
        self.limits = Limits(_ENTRIES, max_message_bytes)

    def overhead_bytes(self, _: Event) -> int:
        """Return 0: the message is all that counts."""
        return 0

    def send(self, client: Any, entries: Sequence[Entry]) -> dict[int, Refusal]:
        """Publish up to ten messages; return the refused ones by their place."""
        messages = _messages(entries, "Message", fifo=self.keeps_order)
        answer = client.publish_batch(TopicArn=self.arn, PublishBatchRequestEntries=messages)
        return _refused(answer, entries)


def group_of(subject: str, longest: int = _LARGEST_GROUP) -> str:
    """Return an item's group or partition key: its subject, or the hash of one that is too long."""
    if len(subject) <= longest:
        return subject
    from hashlib import sha256  # noqa: PLC0415 - few keys are so long

    return sha256(subject.encode()).hexdigest()


def _messages(entries: Sequence[Entry], body: str, *, fifo: bool) -> list[dict[str, Any]]:
    messages = []
    for place, entry in enumerate(entries):
        message = {"Id": str(place), body: entry.text}
        if fifo:
            message["MessageGroupId"] = group_of(entry.event.subject)
            message["MessageDeduplicationId"] = entry.event.id
        messages.append(message)
    return messages


def _refused(answer: dict[str, Any], entries: Sequence[Entry]) -> dict[int, Refusal]:
    accepted = {int(one["Id"]) for one in answer.get("Successful", ())}
    refused = {
        # What the answer does not speak of was not accepted.
        place: Refusal("MissingFromAnswer")
        for place in range(len(entries))
        if place not in accepted
    }
    for one in answer.get("Failed", ()):
        refused[int(one["Id"])] = Refusal(one["Code"], final=one.get("SenderFault", False))
    return refused
