"""`consumer.grants`: what the commands that people run against a consumer may do.

Each method is as narrow as the command allows; docs/cli.md has the table of actions.
"""

from __future__ import annotations

from collections.abc import Iterator

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from cdk_streams.constructs._consumer_view import ConsumerView
from cdk_streams.constructs._keys import only_through
from cdk_streams.mapping import FAILURE_OBJECTS

__all__ = ["ConsumerGrants"]


class ConsumerGrants:
    """Grants of one consumer, each to a role, a user or another principal of CDK.

    consumer.grants.redrive(on_call_role)
    """

    def __init__(self, consumer: ConsumerView) -> None:
        self._consumer = consumer

    def redrive(self, grantee: iam.IGrantable) -> list[iam.Grant]:
        """Grant `cdk-streams redrive --yes`: read failures, call the function, delete them.

        It includes the reject queue. A bucket's objects may be deleted where no queue names them.
        """
        consumer, failures = self._consumer, self._consumer.failures
        grants = self.read_failures(grantee)
        changes = {consumer.function_arn: ["lambda:InvokeFunction"]}
        for queue in self._queues():
            changes[queue.queue_arn] = ["sqs:DeleteMessage"]
        if failures.bucket is not None and failures.queue is None:
            objects = failures.bucket.arn_for_objects(f"{FAILURE_OBJECTS}*")
            changes[objects] = ["s3:DeleteObject"]
        return grants + _granted(grantee, changes)

    def read_failures(self, grantee: iam.IGrantable) -> list[iam.Grant]:
        """Grant `cdk-streams redrive` without `--yes`: the plan, with the items that failed."""
        consumer, stack = self._consumer, Stack.of(self._consumer.event_source_mapping)
        mapping = stack.format_arn(
            service="lambda",
            resource="event-source-mapping",
            resource_name=consumer.event_source_mapping.ref,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        reads = {
            "*": ["lambda:ListEventSourceMappings"],
            mapping: ["lambda:GetEventSourceMapping"],
            stack.stack_id: ["cloudformation:ListStackResources"],
            consumer.stream_arn: ["dynamodb:GetShardIterator", "dynamodb:GetRecords"],
        }
        for queue in self._queues():
            reads[queue.queue_arn] = [
                "sqs:ReceiveMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueUrl",
            ]
        bucket = consumer.failures.bucket
        if bucket is not None:
            reads[bucket.arn_for_objects(f"{FAILURE_OBJECTS}*")] = ["s3:GetObject"]
            reads[bucket.bucket_arn] = ["s3:ListBucket", "s3:GetBucketNotification"]
        keys = [
            only_through(service, key.grant(grantee, "kms:Decrypt"))
            for service, key in self._keys()
        ]
        return _granted(grantee, reads) + keys

    def _queues(self) -> list[sqs.IQueue]:
        found = (self._consumer.failures.queue, self._consumer.rejects)
        return [queue for queue in found if queue is not None]

    def _keys(self) -> Iterator[tuple[str, kms.IKey]]:
        """Yield keys of the app with the service through which they decrypt what is read."""
        bucket = self._consumer.failures.bucket
        keys = [
            ("dynamodb", self._consumer.table.encryption_key),
            *(("sqs", queue.encryption_master_key) for queue in self._queues()),
            ("s3", None if bucket is None else bucket.encryption_key),
        ]
        for service, key in keys:
            if key is not None:
                yield service, key


def _granted(grantee: iam.IGrantable, actions: dict[str, list[str]]) -> list[iam.Grant]:
    return [
        iam.Grant.add_to_principal(grantee=grantee, actions=names, resource_arns=[arn])
        for arn, names in actions.items()
    ]
