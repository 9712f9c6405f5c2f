"""On-failure destinations of a consumer: queue, topic or bucket, each with its permissions.

A queue or topic gets a failure record that names the stream records by sequence number; a bucket
gets the records themselves. Lambda delivers under the role of the function, to standard queues and
topics only, and drops what it cannot deliver.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html

What differs between the kinds is in two tables of a row each: `KINDS` has CDK's classes and the
permissions, `cdk_streams.mapping.DESTINATION_KINDS` what stands in a template.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from aws_cdk import CfnResource, Duration, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_streams.constructs._keys import only_through
from cdk_streams.errors import SourceError
from cdk_streams.mapping import (
    DESTINATION_KINDS,
    FAILURE_OBJECTS,
    DestinationKind,
    destination_names,
)

__all__ = [
    "KINDS",
    "ConstructKind",
    "Failures",
    "OnFailure",
    "OnFailureChoice",
    "RejectsChoice",
    "check_choice",
    "check_rejects",
    "destination_of",
    "grant_delivery",
    "grant_rejects",
    "parts_of_policy",
    "reject_queue_of",
    "required",
]

# CDK's own classes for destinations of event sources; a consumer takes what they wrap.
_WRAPPERS: Final = (
    "SqsDlq",
    "SnsDlq",
    "S3OnFailureDestination",
    "SqsDestination",
    "SnsDestination",
)
_QUEUE_DAYS: Final = 14  # SQS's maximum; the stream records are trimmed after one day.
_BUCKET_DAYS: Final = 30  # Longer than the queue whose messages name the objects.


class OnFailure(Enum):
    """What a consumer creates for records that Lambda discards (retries or age exhausted)."""

    QUEUE = "a queue of failure records; the stream records can be read back for 24 hours"
    QUEUE_WITH_PAYLOAD = (
        "a bucket that keeps the stream records, and a queue that names each object"
    )
    NOTHING = "nothing; discarded records are lost without a trace"


# CDK's classes fit its interfaces in mypy, but not in pyright, so both are named.
AnyQueue: TypeAlias = sqs.IQueue | sqs.QueueBase
AnyTopic: TypeAlias = sns.ITopic | sns.TopicBase
AnyBucket: TypeAlias = s3.IBucket | s3.BucketBase
OnFailureChoice: TypeAlias = OnFailure | AnyQueue | AnyTopic | AnyBucket

RejectsChoice: TypeAlias = OnFailure | AnyQueue | None

_Found = TypeVar("_Found")


class ConstructKind(NamedTuple):
    """CDK's side of one kind of destination.

    `construct` is its class; `resource` and `policy` are the resources that the checks read.
    `permissions` are resource ARNs with the actions that delivery needs on them.
    """

    kind: DestinationKind
    construct: type[Any]
    resource: type[CfnResource]
    policy: type[CfnResource]
    arn: Callable[[Any], str]
    key: Callable[[Any], kms.IKey | None]
    permissions: Callable[[Any], list[tuple[str, list[str]]]]


_KINDS: Final = {kind.name: kind for kind in DESTINATION_KINDS}
_QUEUE: Final = ConstructKind(
    _KINDS["queue"],
    construct=sqs.QueueBase,
    resource=sqs.CfnQueue,
    policy=sqs.CfnQueuePolicy,
    arn=lambda queue: str(queue.queue_arn),
    key=lambda queue: queue.encryption_master_key,
    permissions=lambda queue: [(queue.queue_arn, ["sqs:SendMessage"])],
)
_TOPIC: Final = ConstructKind(
    _KINDS["topic"],
    construct=sns.TopicBase,
    resource=sns.CfnTopic,
    policy=sns.CfnTopicPolicy,
    arn=lambda topic: str(topic.topic_arn),
    key=lambda topic: topic.master_key,
    permissions=lambda topic: [(topic.topic_arn, ["sns:Publish"])],
)
_BUCKET: Final = ConstructKind(
    _KINDS["bucket"],
    construct=s3.BucketBase,
    resource=s3.CfnBucket,
    policy=s3.CfnBucketPolicy,
    arn=lambda bucket: str(bucket.bucket_arn),
    key=lambda bucket: bucket.encryption_key,
    permissions=lambda bucket: [
        (bucket.arn_for_objects(f"{FAILURE_OBJECTS}*"), ["s3:PutObject"]),
        (bucket.bucket_arn, ["s3:ListBucket"]),
    ],
)
KINDS: Final = (_QUEUE, _TOPIC, _BUCKET)


@dataclass(frozen=True, slots=True)
class Failures:
    """The destination of one consumer.

    Lambda delivers to `target`, a construct of that `kind`; both are None where nothing is kept.
    `queue` is the target, or the queue that is notified of a bucket's objects. `is_ours` tells that
    the consumer created all of it.
    """

    kind: ConstructKind | None = None
    target: Any = None
    queue: sqs.IQueue | None = None
    is_ours: bool = False

    @property
    def arn(self) -> str | None:
        """The ARN that the mapping's `DestinationConfig` names."""
        return self.kind and self.kind.arn(self.target)

    @property
    def topic(self) -> sns.ITopic | None:
        """The topic, where it is the target."""
        return self.target if self.kind is _TOPIC else None

    @property
    def bucket(self) -> s3.IBucket | None:
        """The bucket, where it is the target."""
        return self.target if self.kind is _BUCKET else None


def check_choice(choice: Any) -> None:
    """Refuse a destination that Lambda would not deliver to, before anything is created.

    Raises:
        SourceError: A FIFO queue or topic, or something that is no destination.

    """
    if isinstance(choice, OnFailure):
        return
    kind = _kind_of(choice)
    if kind is None:
        instead = "import it with from_queue_arn or the like"
        if choice is None:
            instead = "pass OnFailure.NOTHING to keep nothing of what fails"
        elif isinstance(choice, str) and choice.upper() in OnFailure.__members__:
            instead = f"pass OnFailure.{choice.upper()}"
        elif type(choice).__name__ in _WRAPPERS:
            instead = f"pass the {destination_names()} itself"
        raise SourceError(
            f"on_failure must be the construct of a {destination_names()}, or an OnFailure, "
            f"got {type(choice).__name__}; {instead}"
        )
    if getattr(choice, "fifo", False):
        raise SourceError(
            f"on_failure must be a standard {kind.kind.name}, got the FIFO {kind.kind.name} "
            f"{choice.node.path!r}; Lambda cannot send failure records to it and would lose them"
        )


def check_rejects(choice: Any) -> None:
    """Refuse a place for rejected records that `lambda_runtime` cannot send to.

    Raises:
        SourceError: A FIFO queue, or something that is no queue.

    """
    if choice is None or choice is OnFailure.QUEUE or choice is OnFailure.NOTHING:
        return
    if not isinstance(choice, sqs.QueueBase):
        shown = choice if isinstance(choice, OnFailure) else type(choice).__name__
        raise SourceError(
            f"rejects must be OnFailure.QUEUE or the construct of a queue, got {shown}; "
            "lambda_runtime sends the whole record to a queue"
        )
    if choice.fifo:
        raise SourceError(
            f"rejects must be a standard queue, got the FIFO queue {choice.node.path!r}; "
            "lambda_runtime sends no group id"
        )


def parts_of_policy(choice: OnFailureChoice) -> list[Construct | None]:
    """Return the constructs of this app that the delivery's permissions name.

    None is a construct that the consumer will create; an import is named by its ARN alone.
    """
    if isinstance(choice, OnFailure):
        return [] if choice is OnFailure.NOTHING else [None]
    kind = _kind_of(choice)
    assert kind is not None  # noqa: S101 - for the type checker; check_choice has been here
    return [cast("Construct", choice)] if Token.is_unresolved(kind.arn(choice)) else []


def destination_of(scope: Construct, choice: OnFailureChoice) -> Failures:
    """Return the destination; an `OnFailure` is created in the scope."""
    if choice is OnFailure.NOTHING:
        return Failures()
    if not isinstance(choice, OnFailure):
        kind = _kind_of(choice)
        queue: Any = choice if kind is _QUEUE else None
        return Failures(kind, choice, queue)
    queue = _new_queue(scope)
    if choice is OnFailure.QUEUE:
        return Failures(_QUEUE, queue, queue, is_ours=True)
    return Failures(_BUCKET, _new_bucket(scope, queue), queue, is_ours=True)


def reject_queue_of(scope: Construct, choice: RejectsChoice) -> sqs.IQueue | None:
    """Return the queue of rejected records; `OnFailure.QUEUE` is created in the scope."""
    if choice is OnFailure.QUEUE:
        return _new_queue(scope, "RejectQueue")
    return None if isinstance(choice, OnFailure) else choice


def grant_rejects(queue: sqs.IQueue, grantee: iam.IGrantable) -> list[iam.Grant]:
    """Let the role of the function send rejected records, and nothing more."""
    return grant_delivery(Failures(_QUEUE, queue, queue), grantee)


def grant_delivery(failures: Failures, grantee: iam.IGrantable) -> list[iam.Grant]:
    """Let the role of the function deliver, and nothing more: no reading, no deleting."""
    kind, target = failures.kind, failures.target
    if kind is None:
        return []
    grants = [
        iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=[arn])
        for arn, actions in kind.permissions(target)
    ]
    # What the consumer creates is encrypted by SQS or S3; Node need not be asked for a key.
    key = None if failures.is_ours else kind.key(target)
    if key is not None:
        grant = key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey")
        grants.append(only_through(kind.kind.service, grant))
    return grants


def required(found: _Found | None, name: str, consumer: str) -> _Found:
    """Return the failure queue, topic or bucket that was asked for; SourceError without one."""
    if found is None:
        raise SourceError(
            f"the consumer {consumer!r} has no failure {name}; "
            "on_failure= chooses where failed records go"
        )
    return found


def _kind_of(choice: Any) -> ConstructKind | None:
    return next((kind for kind in KINDS if isinstance(choice, kind.construct)), None)


@cache
def _queue_retention() -> Duration:
    """Return the retention period; made once, because each duration costs a call to Node."""
    return Duration.days(_QUEUE_DAYS)


def _new_queue(scope: Construct, name: str = "FailureQueue") -> sqs.Queue:
    """Create the queue: encrypted by SQS, TLS only, with the longest retention."""
    return sqs.Queue(
        scope,
        name,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=_queue_retention(),
    )


def _new_bucket(scope: Construct, queue: sqs.Queue) -> s3.Bucket:
    """Create the bucket that notifies the queue of new objects.

    The notification is a property of the bucket: CDK's own way adds a custom resource. S3 tests
    it when the bucket is created, so the queue's policy comes first and can name the account only,
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
    assert isinstance(cfn, s3.CfnBucket)  # noqa: S101 - for the type checker; CDK's own child
    prefix = s3.CfnBucket.FilterRuleProperty(name="prefix", value=FAILURE_OBJECTS)
    notification = s3.CfnBucket.QueueConfigurationProperty(
        event="s3:ObjectCreated:*",
        queue=queue.queue_arn,
        filter=s3.CfnBucket.NotificationFilterProperty(
            s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[prefix])
        ),
    )
    cfn.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        queue_configurations=[notification]
    )
    cfn.node.add_dependency(queue.node.find_child("Policy"))
    return bucket
