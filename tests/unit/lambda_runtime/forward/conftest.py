"""The targets that every rule of a forwarder is tried with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambda_runtime import forward

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:orders"
TARGETS: dict[str, Callable[[], Any]] = {
    "bus": lambda: forward.EventBus("orders"),
    "topic": lambda: forward.SnsTopic("arn:aws:sns:eu-west-1:111122223333:orders"),
    "FIFO topic": lambda: forward.SnsTopic("arn:aws:sns:eu-west-1:111122223333:orders.fifo"),
    "queue": lambda: forward.SqsQueue("https://sqs.eu-west-1.amazonaws.com/1/orders"),
    "FIFO queue": lambda: forward.SqsQueue("https://sqs.eu-west-1.amazonaws.com/1/orders.fifo"),
    "Kinesis": lambda: forward.KinesisStream("orders"),
    "Firehose": lambda: forward.FirehoseDeliveryStream("orders"),
    "bucket": lambda: forward.S3Bucket("orders", prefix="changes/"),
    "state machine": lambda: forward.SfnStateMachine(MACHINE),
    "function": lambda: forward.LambdaFunction("orders"),
}


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Any:
    return TARGETS[request.param]()


@pytest.fixture
def target_named() -> Callable[[str], Any]:
    return lambda name: TARGETS[name]()
