"""The kinds of resources that failure records can be sent to.

A new kind is a row of `DESTINATION_KINDS`, a row for its CDK class in `constructs/failures.py`, the
request that delivers to it in `live/_destinations.py`, and its ARN in `template/_names.py`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from cdk_streams.arns import is_service

__all__ = ["DESTINATION_KINDS", "DestinationKind", "destination_kind", "destination_names"]


class DestinationKind(NamedTuple):
    """One kind of on-failure destination; properties go by their names in a template.

    Args:
        name: The word for it in messages.
        service: The service in its ARN.
        resource: Its resource type.
        policy: The type of the resource that holds its policy.
        attached_by: The property of the policy that names the resource.
        holds_records: Whether the stream records themselves arrive, not only their numbers.
        is_encrypted: Whether it encrypts what it holds when its properties say nothing of it.
        encryption_switch: The property that turns that encryption on and off; "": none does.
        fifo_switch: The property that makes it a FIFO one, which Lambda cannot send to; "": none.
        retention: How long it keeps a message when its properties say nothing of it. None: no
            message is deleted for its age.

    """

    name: str
    service: str
    resource: str
    policy: str
    attached_by: str
    holds_records: bool = False
    is_encrypted: bool = False
    encryption_switch: str = ""
    fifo_switch: str = ""
    retention: timedelta | None = None


DESTINATION_KINDS: Final = (
    DestinationKind(
        "queue",
        "sqs",
        resource="AWS::SQS::Queue",
        policy="AWS::SQS::QueuePolicy",
        attached_by="Queues",
        is_encrypted=True,
        encryption_switch="SqsManagedSseEnabled",
        fifo_switch="FifoQueue",
        retention=timedelta(days=4),
    ),
    DestinationKind(
        "topic",
        "sns",
        resource="AWS::SNS::Topic",
        policy="AWS::SNS::TopicPolicy",
        attached_by="Topics",
        fifo_switch="FifoTopic",
    ),
    DestinationKind(
        "bucket",
        "s3",
        resource="AWS::S3::Bucket",
        policy="AWS::S3::BucketPolicy",
        attached_by="Bucket",
        holds_records=True,
        is_encrypted=True,
    ),
)
"""Every kind of on-failure destination that Lambda takes for a stream, a row each."""


def destination_kind(arn: object) -> DestinationKind | None:
    """Return the kind that an ARN names; None for another service's, and for what is no ARN."""
    return next((kind for kind in DESTINATION_KINDS if is_service(arn, kind.service)), None)


def destination_names() -> str:
    """Return the kinds for a message: `queue, topic or bucket`."""
    *others, last = (kind.name for kind in DESTINATION_KINDS)
    return f"{', '.join(others)} or {last}"
