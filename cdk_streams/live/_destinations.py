"""Delivery of failure records to their destinations.

As on Lambda a refused delivery is final: the failure record is lost and the stream goes on. What
a client retries by itself (a lost connection, a throttle) is not a refusal.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.arns import Arn
from cdk_streams.errors import SourceError
from cdk_streams.mapping import destination_kind, destination_names
from cdk_streams.poller import SendFailure, failure_text

__all__ = ["Client", "Delivery", "Destinations", "queue_url"]

# Makes the boto3 client of a service: `client("lambda")`.
Client = Callable[[str], Any]
"""Returns the boto3 client of a service: `Client("sqs")`."""

# Delivers a failure record; returns None when it was accepted, otherwise why it was refused.
Delivery = Callable[[SendFailure], str | None]


class Destinations:
    """Sends failure records through boto3, with one client for each service."""

    def __init__(self, client: Client) -> None:
        self._client = cache(client)
        self._queue_url = cache(lambda arn: queue_url(self._client("sqs"), arn))

    def send(self, failure: SendFailure) -> str | None:
        """Send one failure record; return None when it was accepted, otherwise why not."""
        if failure.destination is None:
            return "the mapping has no destination"
        try:
            kind = destination_kind(failure.destination)
            if kind is None:
                return f"{failure.destination} is not the ARN of a {destination_names()}"
            self._SENDERS[kind.name](self, failure.destination, failure)
        except (ClientError, BotoCoreError, SourceError) as error:
            return str(error)
        return None

    def _to_queue(self, arn: str, failure: SendFailure) -> None:
        url = self._queue_url(arn)
        self._client("sqs").send_message(QueueUrl=url, MessageBody=failure_text(failure.body))

    def _to_topic(self, arn: str, failure: SendFailure) -> None:
        self._client("sns").publish(TopicArn=arn, Message=failure_text(failure.body))

    def _to_bucket(self, arn: str, failure: SendFailure) -> None:
        self._client("s3").put_object(
            Bucket=Arn.parse(arn).name,
            Key=failure.key,
            Body=failure_text(failure.body).encode(),
            ContentType="application/octet-stream",
        )

    # By kind; redrive has a table of those that can be read back.
    _SENDERS: Mapping[str, Callable[[Destinations, str, SendFailure], None]] = {
        "queue": _to_queue,
        "topic": _to_topic,
        "bucket": _to_bucket,
    }


def queue_url(sqs: Any, queue: str) -> str:
    """Return the URL of a queue that is named by its ARN, or by its URL already.

    Raises:
        SourceError: It is neither.

    """
    if "://" in queue:
        return queue
    try:
        arn = Arn.parse(queue)
    except SourceError:
        arn = None
    if arn is None or arn.service != "sqs":
        raise SourceError(f"a queue must be named by its URL or its ARN, got {queue}")
    answer = sqs.get_queue_url(QueueName=arn.resource, QueueOwnerAWSAccountId=arn.account)
    return str(answer["QueueUrl"])
