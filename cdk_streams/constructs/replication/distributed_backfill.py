"""`DistributedBackfill`: a Step Functions Distributed Map over the files of an export.

For a table that one machine cannot carry. The state machine exports the table to a bucket, waits,
and hands each data file to a worker of the same code as `cdk-streams backfill`:

    aws stepfunctions start-execution --state-machine-arn …
"""

from __future__ import annotations

from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from cdk_streams.constructs.function import StreamFunction

__all__ = ["DistributedBackfill"]

_BUCKET_DAYS: Final = 14  # Tombstones are kept for 15; an older export must not be written.
_FILES_AT_A_TIME: Final = 40
_RETRIES: Final = 5
_SECONDS_BETWEEN_LOOKS: Final = 60


class DistributedBackfill(Construct):
    """The state machine, its worker and the bucket of the export; `TableReplica` makes it.

    The source needs point-in-time recovery. Start an execution once the replica's mapping is
    enabled; it may be started again at any time.

    Args:
        scope: The replica.
        id: The construct id within it.
        source: The table to export.
        worker: The function that writes one data file.

    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name for it
        *,
        source: dynamodb.ITable,
        worker: StreamFunction,
    ) -> None:
        super().__init__(scope, id)
        self.worker = worker
        self.bucket = s3.Bucket(
            self,
            "Export",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(_BUCKET_DAYS))],
        )
        iam.Grant.add_to_principal(
            grantee=worker,
            actions=["s3:GetObject"],
            resource_arns=[self.bucket.arn_for_objects("AWSDynamoDB/*/data/*")],
        )
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_chainable(self._definition(source)),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(self, "Logs", retention=logs.RetentionDays.ONE_MONTH),
                level=sfn.LogLevel.ALL,
            ),
        )
        # DynamoDB writes the export with the rights of who asks for it.
        self.state_machine.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:AbortMultipartUpload", "s3:PutObject"],
                resources=[self.bucket.arn_for_objects("AWSDynamoDB/*")],
            )
        )

    def _definition(self, source: dynamodb.ITable) -> sfn.IChainable:
        export = self._call(
            "ExportTable",
            "exportTableToPointInTime",
            {
                "TableArn": source.table_arn,
                "S3Bucket": self.bucket.bucket_name,
                "ExportFormat": "DYNAMODB_JSON",
                "S3SseAlgorithm": "AES256",
            },
            source.table_arn,
        )
        wait = sfn.Wait(
            self,
            "WaitForExport",
            time=sfn.WaitTime.duration(Duration.seconds(_SECONDS_BETWEEN_LOOKS)),
        )
        look = self._call(
            "DescribeExport",
            "describeExport",
            {"ExportArn": sfn.JsonPath.string_at("$.ExportDescription.ExportArn")},
            f"{source.table_arn}/export/*",
        )
        status = "$.ExportDescription.ExportStatus"
        failed = sfn.Fail(
            self,
            "ExportFailed",
            cause_path=sfn.JsonPath.string_at("$.ExportDescription.FailureMessage"),
        )
        choice = (
            sfn.Choice(self, "IsExported")
            .when(sfn.Condition.string_equals(status, "COMPLETED"), self._map())
            .when(sfn.Condition.string_equals(status, "FAILED"), failed)
            .otherwise(wait)
        )
        return export.next(wait).next(look).next(choice)

    def _call(
        self, name: str, action: str, parameters: dict[str, Any], resource: str
    ) -> tasks.CallAwsService:
        return tasks.CallAwsService(
            self,
            name,
            service="dynamodb",
            action=action,
            iam_action=f"dynamodb:{action[0].upper()}{action[1:]}",
            parameters=parameters,
            iam_resources=[resource],
        )

    def _map(self) -> sfn.DistributedMap:
        """One child execution a data file; a file that takes longer than a call is gone on with."""
        parts = "States.StringSplit($.ExportDescription.ExportArn, '/')"
        each = sfn.DistributedMap(
            self,
            "EachFile",
            max_concurrency=_FILES_AT_A_TIME,
            item_reader=sfn.S3ObjectsItemReader(
                bucket=self.bucket,
                prefix=sfn.JsonPath.format(
                    "AWSDynamoDB/{}/data/",
                    sfn.JsonPath.string_at(f"States.ArrayGetItem({parts}, 3)"),
                ),
            ),
            item_selector={
                "bucket": self.bucket.bucket_name,
                "key": sfn.JsonPath.string_at("$$.Map.Item.Value.Key"),
                "exportTime": sfn.JsonPath.string_at("$.ExportDescription.ExportTime"),
                "line": 0,
                "read": 0,
                "written": 0,
                "superseded": 0,
            },
            result_path=sfn.JsonPath.DISCARD,
        )
        write = tasks.LambdaInvoke(
            self, "WriteFile", lambda_function=self.worker, payload_response_only=True
        )
        # What was written stays, so a file that failed is written from where the call began.
        write.add_retry(errors=["States.TaskFailed"], max_attempts=_RETRIES)
        is_done = sfn.Choice(self, "IsWritten")
        is_done.when(sfn.Condition.number_equals("$.line", -1), sfn.Succeed(self, "Written"))
        is_done.otherwise(write)
        each.item_processor(write.next(is_done))
        return each
