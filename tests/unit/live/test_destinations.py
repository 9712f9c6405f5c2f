from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from cdk_streams.live._destinations import Destinations
from cdk_streams.poller import SendFailure

BODY = {"version": "1.0", "payload": "é"}


class Service:
    """Stands in for any boto3 client: it notes each request, or fails with `error`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._error = error

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> dict[str, Any]:
            self.requests.append((operation, request))
            if self._error is not None:
                raise self._error
            return {"QueueUrl": "https://queue"}

        return call


def failure(destination: str | None) -> SendFailure:
    return SendFailure("s", 0, 1, BODY, destination, "aws/lambda/key")


def test_a_queue_gets_the_record_as_its_body() -> None:
    sqs = Service()
    send = Destinations(lambda _service: sqs).send
    assert send(failure("arn:aws:sqs:us-east-1:000000000000:failed")) is None
    assert sqs.requests == [
        ("get_queue_url", {"QueueName": "failed", "QueueOwnerAWSAccountId": "000000000000"}),
        ("send_message", {"QueueUrl": "https://queue", "MessageBody": _text()}),
    ]


def test_the_address_of_a_queue_is_asked_for_once() -> None:
    sqs = Service()
    send = Destinations(lambda _service: sqs).send
    for _ in range(3):
        send(failure("arn:aws:sqs:us-east-1:000000000000:failed"))
    assert [name for name, _ in sqs.requests].count("get_queue_url") == 1


def test_a_topic_gets_the_record_as_its_message() -> None:
    sns = Service()
    topic = "arn:aws:sns:us-east-1:000000000000:failed"
    assert Destinations(lambda _service: sns).send(failure(topic)) is None
    assert sns.requests == [("publish", {"TopicArn": topic, "Message": _text()})]


def test_a_bucket_gets_an_object_under_lambdas_key() -> None:
    s3 = Service()
    assert Destinations(lambda _service: s3).send(failure("arn:aws:s3:::failed")) is None
    assert s3.requests == [
        (
            "put_object",
            {
                "Bucket": "failed",
                "Key": "aws/lambda/key",
                "Body": _text().encode(),
                "ContentType": "application/octet-stream",
            },
        )
    ]


def test_a_refusal_is_told() -> None:
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Publish")
    send = Destinations(lambda _service: Service(refusal)).send
    assert "AccessDenied" in (send(failure("arn:aws:sns:us-east-1:0:failed")) or "")


def test_a_destination_that_cannot_be_reached_is_told() -> None:
    lost = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    send = Destinations(lambda _service: Service(lost)).send
    assert "127.0.0.1:1" in (send(failure("arn:aws:sns:us-east-1:0:failed")) or "")


def _text() -> str:
    return json.dumps(BODY, ensure_ascii=False, separators=(",", ":"))
