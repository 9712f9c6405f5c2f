"""Where records go that a function could not handle: queue, topic or bucket, and its rights.

A queue or topic is told which records failed (shard and sequence numbers); a bucket gets the
records themselves. Lambda delivers under the function's role, to standard queues and topics only,
and loses what it cannot deliver.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, TypeAlias

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_streams.errors import SourceError
from cdk_streams.mapping import FAILURE_OBJECTS

__all__ = ["Failures", "OnFailure", "OnFailureChoice", "check", "destination", "grant_delivery"]

_QUEUE_DAYS: Final = 14  # SQS's most; the records themselves are gone after one day.
_BUCKET_DAYS: Final = 30  # Longer than the queue whose messages name its objects.


class OnFailure(Enum):
    """What a consumer makes for the records that failed for good."""

    QUEUE = "a queue that is told which records failed; they can be read back for 24 hours"
    QUEUE_WITH_PAYLOAD = "a bucket that keeps the failed records, and a queue that names each file"
    NOTHING = "nothing; what fails is lost without a trace"


# CDK's classes fit its interfaces in mypy, but not in pyright, so both are named.
AnyQueue: TypeAlias = sqs.IQueue | sqs.QueueBase
AnyTopic: TypeAlias = sns.ITopic | sns.TopicBase
AnyBucket: TypeAlias = s3.IBucket | s3.BucketBase
OnFailureChoice: TypeAlias = OnFailure | AnyQueue | AnyTopic | AnyBucket


@dataclass(frozen=True, slots=True)
class Failures:
    """The destination of one consumer; `arn` is what the mapping is told, None for nothing.

    `is_ours` tells that it was made for the consumer.
    """

    arn: str | None = None
    queue: sqs.IQueue | None = None
    topic: sns.ITopic | None = None
    bucket: s3.IBucket | None = None
    is_ours: bool = False


def check(choice: Any) -> None:
    """Refuse what Lambda would not deliver to, before anything is made.

    Raises:
        SourceError: A FIFO queue or topic, or no destination at all.

    """
    if isinstance(choice, (OnFailure, s3.BucketBase)):
        return
    if not isinstance(choice, (sqs.QueueBase, sns.TopicBase)):
        instead = "import it with from_queue_arn or the like"
        if choice is None:
            instead = "OnFailure.NOTHING keeps nothing of what fails"
        raise SourceError(
            "on_failure must be a queue, topic or bucket of CDK's or an OnFailure, "
            f"got {type(choice).__name__}; {instead}"
        )
    if choice.fifo:
        kind = "queue" if isinstance(choice, sqs.QueueBase) else "topic"
        raise SourceError(
            f"on_failure must be a standard {kind}, got the FIFO {kind} {choice.node.path!r}; "
            "Lambda cannot send failure records to it and would lose them"
        )


def destination(scope: Construct, choice: OnFailureChoice) -> Failures:
    """Return the destination, made in the scope where it is not the caller's own."""
    if isinstance(choice, sqs.QueueBase):
        return Failures(choice.queue_arn, queue=choice)
    if isinstance(choice, sns.TopicBase):
        return Failures(choice.topic_arn, topic=choice)
    if isinstance(choice, s3.BucketBase):
        return Failures(choice.bucket_arn, bucket=choice)
    if choice is OnFailure.QUEUE:
        queue = _new_queue(scope)
        return Failures(queue.queue_arn, queue=queue, is_ours=True)
    if choice is OnFailure.QUEUE_WITH_PAYLOAD:
        queue = _new_queue(scope)
        bucket = _new_bucket(scope, queue)
        return Failures(bucket.bucket_arn, queue=queue, bucket=bucket, is_ours=True)
    return Failures()


def grant_delivery(failures: Failures, grantee: iam.IGrantable) -> list[iam.Grant]:
    """Let the function's role deliver, and nothing more: no reading, no deleting."""

    def grant(arn: str, *actions: str) -> iam.Grant:
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=list(actions), resource_arns=[arn]
        )

    def encrypt(key: kms.IKey | None) -> list[iam.Grant]:
        return [key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey")] if key else []

    arn = failures.arn
    if arn is None:
        return []
    if failures.bucket is not None:
        objects = failures.bucket.arn_for_objects(f"{FAILURE_OBJECTS}*")
        return [
            grant(objects, "s3:PutObject"),
            grant(arn, "s3:ListBucket"),
            *encrypt(failures.bucket.encryption_key),
        ]
    if failures.topic is not None:
        return [grant(arn, "sns:Publish"), *encrypt(failures.topic.master_key)]
    # A queue of ours is encrypted by SQS; Node need not be asked for a key.
    key = failures.queue.encryption_master_key if failures.queue and not failures.is_ours else None
    return [grant(arn, "sqs:SendMessage"), *encrypt(key)]


@cache
def _queue_retention() -> Duration:
    """Make the length of time once: it costs a call to Node."""
    return Duration.days(_QUEUE_DAYS)


def _new_queue(scope: Construct) -> sqs.Queue:
    """Create the queue: encrypted by SQS, reached over TLS alone, kept for 14 days."""
    return sqs.Queue(
        scope,
        "FailureQueue",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=_queue_retention(),
    )


def _new_bucket(scope: Construct, queue: sqs.Queue) -> s3.Bucket:
    """Create the bucket whose new objects are told to the queue.

    The notification is a property of the bucket: CDK's own way adds a custom resource. S3 tests
    it when the bucket is made, so the queue's policy comes first and can name the account alone,
    not the bucket.
    """
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sqs:SendMessage"],
            principals=[iam.ServicePrincipal("s3.amazonaws.com")],
            resources=[queue.queue_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        )
    )
    bucket = s3.Bucket(
        scope,
        "FailureBucket",
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(_BUCKET_DAYS))],
    )
    cfn = bucket.node.default_child
    assert isinstance(cfn, s3.CfnBucket)  # noqa: S101 -- for the type checker; CDK's own child
    prefix = s3.CfnBucket.FilterRuleProperty(name="prefix", value=FAILURE_OBJECTS)
    told = s3.CfnBucket.QueueConfigurationProperty(
        event="s3:ObjectCreated:*",
        queue=queue.queue_arn,
        filter=s3.CfnBucket.NotificationFilterProperty(
            s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[prefix])
        ),
    )
    cfn.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        queue_configurations=[told]
    )
    cfn.node.add_dependency(queue.node.find_child("Policy"))
    return bucket
