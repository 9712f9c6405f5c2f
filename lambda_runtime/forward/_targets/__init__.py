"""The services that events go to, one class each."""

from __future__ import annotations

__all__ = ["HOMES", "NAMES"]

HOMES = {
    "event_bus": "EventBus",
    "executions": "LambdaFunction SfnStateMachine",
    "messages": "SnsTopic SqsQueue",
    "objects": "S3Bucket",
    "record_streams": "FirehoseDeliveryStream KinesisStream",
}
"""The classes that each module of this folder is the home of, separated by spaces."""

NAMES = tuple(sorted(" ".join(HOMES.values()).split()))
"""The names of all classes: what STREAM_FORWARD_TYPE may be."""
