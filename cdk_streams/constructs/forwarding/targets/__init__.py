"""Targets of a `StreamForwarder`, one class for each service, in the manner of aws_events_targets.

streams.StreamForwarder(self, "OrderEvents", table=orders, target=streams.targets.EventBus(bus))
"""

from __future__ import annotations

from cdk_streams.constructs.forwarding.targets._invocations import LambdaFunction, SfnStateMachine
from cdk_streams.constructs.forwarding.targets._messages import EventBus, SnsTopic, SqsQueue
from cdk_streams.constructs.forwarding.targets._records import (
    FirehoseDeliveryStream,
    KinesisStream,
    S3Bucket,
)
from cdk_streams.constructs.forwarding.targets._target import ForwardTarget

__all__ = [
    "EventBus",
    "FirehoseDeliveryStream",
    "ForwardTarget",
    "KinesisStream",
    "LambdaFunction",
    "S3Bucket",
    "SfnStateMachine",
    "SnsTopic",
    "SqsQueue",
]
