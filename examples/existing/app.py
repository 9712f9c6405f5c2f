"""One consumer; its table, its function and its queue belong to other stacks.

orders ──stream──▶ Audit ──▶ audit        failure records ──▶ audit-failures
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

import cdk_streams as streams


class ExistingStack(cdk.Stack):
    """Everything but the event source mapping, its permissions and its alarms is imported."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Example: what exists already")
        table_arn = self.format_arn(service="dynamodb", resource="table", resource_name="orders")
        stream_arn = cdk.CfnParameter(self, "OrdersStreamArn").value_as_string
        role_arn = cdk.CfnParameter(self, "AuditRoleArn").value_as_string
        orders = dynamodb.TableV2.from_table_attributes(
            self, "Orders", table_arn=table_arn, table_stream_arn=stream_arn
        )
        audit = lambda_.Function.from_function_attributes(
            self,
            "AuditFunction",
            function_arn=self.format_arn(
                service="lambda",
                resource="function",
                resource_name="audit",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            ),
            role=iam.Role.from_role_arn(self, "AuditRole", role_arn),
            same_environment=True,
        )
        queue_arn = self.format_arn(service="sqs", resource="audit-failures")
        consumer = streams.StreamConsumer(
            self,
            "Audit",
            table=orders,
            function=audit,
            on_failure=sqs.Queue.from_queue_arn(self, "AuditFailures", queue_arn),
            report_batch_item_failures=False,
        )
        cdk.Annotations.of(consumer).acknowledge_warning(
            "cdk-streams:PartialResponsesOff", "The function returns no partial batch response."
        )


if __name__ == "__main__":
    app = cdk.App()
    ExistingStack(app, "Existing")
    app.synth()
