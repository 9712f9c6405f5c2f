"""Failure records on their way to the real queue, topic or bucket.

As on Lambda a refused delivery is final: the failure record is lost and the stream goes on. What
a client retries by itself (a lost connection, a throttle) is not a refusal.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.poller import SendFailure, failure_text

__all__ = ["Delivery", "Destinations"]


# Takes a failure record to its destination; None when delivered, otherwise why it was refused.
Delivery = Callable[[SendFailure], str | None]


class Destinations:
    """Sends failure records through boto3; `client("sqs")` makes the client of a service."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self._clients: dict[str, Any] = {}
        self._queue_urls: dict[str, str] = {}

    def send(self, failure: SendFailure) -> str | None:
        """Send one failure record; None when it was taken, otherwise why not."""
        if failure.destination is None:
            return "the mapping has no destination"
        text = failure_text(failure.body)
        service = failure.destination.split(":")[2]
        try:
            match service:
                case "sqs":
                    url = self._queue_url(failure.destination)
                    self._of("sqs").send_message(QueueUrl=url, MessageBody=text)
                case "sns":
                    self._of("sns").publish(TopicArn=failure.destination, Message=text)
                case "s3":
                    self._of("s3").put_object(
                        Bucket=failure.destination.split(":")[5],
                        Key=failure.key,
                        Body=text.encode(),
                        ContentType="application/octet-stream",
                    )
                case _:
                    return f"{failure.destination} is no queue, topic or bucket"
        except (ClientError, BotoCoreError) as error:
            return str(error)
        return None

    def _queue_url(self, arn: str) -> str:
        if arn not in self._queue_urls:
            _, _, _, _, account, name = arn.split(":")
            found = self._of("sqs").get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
            self._queue_urls[arn] = found["QueueUrl"]
        return self._queue_urls[arn]

    def _of(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._client(service)
        return self._clients[service]
