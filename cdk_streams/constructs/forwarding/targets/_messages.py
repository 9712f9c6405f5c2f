"""Targets that take events as messages: an event bus, a topic, a queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aws_cdk import aws_lambda as lambda_

from cdk_streams.constructs.forwarding.targets._target import (
    check_given,
    grant,
    grant_encryption,
    variables,
)
from cdk_streams.errors import SettingsError

if TYPE_CHECKING:
    from aws_cdk import aws_events as events
    from aws_cdk import aws_sns as sns
    from aws_cdk import aws_sqs as sqs

__all__ = ["EventBus", "SnsTopic", "SqsQueue"]

SMALLEST_MESSAGE_BYTES: Final = 1_024
LARGEST_MESSAGE_BYTES: Final = 1_048_576
"""The range of MaximumMessageSize of queues and topics, in bytes."""


@dataclass(frozen=True, slots=True)
class EventBus:
    """An EventBridge event bus: 10 events and 1 MB a call, without an order.

    Args:
        bus: The event bus.

    """

    bus: events.IEventBus | events.EventBus

    def __post_init__(self) -> None:
        """Check what was given."""
        check_given(self, self.bus, has="event_bus_arn", what="an event bus of aws_events")

    def bind(self, function: lambda_.Function) -> Mapping[str, str]:
        """Allow `events:PutEvents` on the bus."""
        grant(function, "events:PutEvents", self.bus.event_bus_arn)
        return variables("EventBus", self.bus.event_bus_arn)


@dataclass(frozen=True, slots=True)
class SnsTopic:
    """An SNS topic: 10 messages and `max_message_bytes` a call.

    A FIFO topic keeps the order of each item's changes and delivers each once within five minutes.

    Args:
        topic: The topic.
        max_message_bytes: The topic's MaximumMessageSize, 1,024 to 1,048,576; None means 262,144,
            which every topic takes.

    """

    topic: sns.ITopic | sns.Topic
    max_message_bytes: int | None = None

    def __post_init__(self) -> None:
        """Check what was given."""
        check_given(self, self.topic, has="topic_arn", what="a topic of aws_sns")
        _check_size(self.max_message_bytes)

    def bind(self, function: lambda_.Function) -> Mapping[str, str]:
        """Allow `sns:Publish` on the topic."""
        grant(function, "sns:Publish", self.topic.topic_arn)
        grant_encryption(function, self.topic.master_key, through="sns")
        return variables(
            "SnsTopic",
            self.topic.topic_arn,
            FIFO="1" if self.topic.fifo else None,
            MAX_BYTES=_text(self.max_message_bytes),
        )


@dataclass(frozen=True, slots=True)
class SqsQueue:
    """An SQS queue: 10 messages and `max_message_bytes` a call.

    A FIFO queue keeps the order of each item's changes and delivers each once within five minutes.

    Args:
        queue: The queue.
        max_message_bytes: The queue's MaximumMessageSize, 1,024 to 1,048,576; None means 262,144,
            which every queue takes that was not set to less.

    """

    queue: sqs.IQueue | sqs.Queue
    max_message_bytes: int | None = None

    def __post_init__(self) -> None:
        """Check what was given."""
        check_given(self, self.queue, has="queue_url", what="a queue of aws_sqs")
        _check_size(self.max_message_bytes)

    def bind(self, function: lambda_.Function) -> Mapping[str, str]:
        """Allow `sqs:SendMessage` on the queue."""
        grant(function, "sqs:SendMessage", self.queue.queue_arn)
        grant_encryption(function, self.queue.encryption_master_key, through="sqs")
        return variables(
            "SqsQueue",
            self.queue.queue_url,
            FIFO="1" if self.queue.fifo else None,
            MAX_BYTES=_text(self.max_message_bytes),
        )


def _check_size(size_bytes: int | None) -> None:
    allowed = range(SMALLEST_MESSAGE_BYTES, LARGEST_MESSAGE_BYTES + 1)
    if size_bytes is not None and size_bytes not in allowed:
        raise SettingsError(
            f"max_message_bytes must be {SMALLEST_MESSAGE_BYTES:,} to {LARGEST_MESSAGE_BYTES:,} "
            f"bytes, got {size_bytes!r}; it is the MaximumMessageSize of the queue or topic"
        )


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
