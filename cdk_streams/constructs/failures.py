"""Where records go that a function could not handle: the queue, its encryption, its grant."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_streams.errors import SourceError

__all__ = ["grant_send", "new_queue", "refuse_fifo"]

_RETENTION_DAYS: Final = 14  # SQS's most; the records themselves are gone after one day.


def new_queue(scope: Construct) -> sqs.Queue:
    """Create the queue: encrypted by SQS, reached over TLS alone, kept for 14 days."""
    return sqs.Queue(
        scope,
        "FailureQueue",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(_RETENTION_DAYS),
    )


def grant_send(queue: sqs.IQueue, grantee: iam.IGrantable) -> list[iam.Grant]:
    """Let the function's role, under which Lambda delivers, send to the queue and no more."""
    grants = [
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["sqs:SendMessage"], resource_arns=[queue.queue_arn]
        )
    ]
    if queue.encryption_master_key is not None:
        grants.append(queue.encryption_master_key.grant_encrypt_decrypt(grantee))
    return grants


def refuse_fifo(queue: sqs.IQueue) -> None:
    """Raise for a FIFO queue: Lambda delivers to standard queues and loses what it cannot."""
    if queue.fifo:
        raise SourceError(
            f"on_failure must be a standard queue, got the FIFO queue {queue.node.path!r}; "
            "Lambda cannot send failure records to it and would lose them"
        )
