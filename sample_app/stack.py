"""The stack: a table of orders, and two functions that follow its changes.

Orders ──stream──┬──▶ inventory ──▶ Stock     takes and gives back what orders need
                 └──▶ audit ──────▶ bucket    keeps every change, as JSON lines
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

import cdk_streams as streams

HANDLERS: Final = Path(__file__).parent / "handlers"
# A sample leaves nothing behind. For data that matters keep CDK's default, which is RETAIN.
THROW_AWAY: Final = RemovalPolicy.DESTROY


class OrdersStack(Stack):
    """An order system in one stack."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="The sample of cdk-streams: orders")
        # A stream that carries both images: inventory reads the new one, audit keeps both.
        orders = streams.StreamTable(
            self,
            "Orders",
            partition_key=_text("order_id"),
            stream_view_type=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            removal_policy=THROW_AWAY,
        )
        self._inventory(orders)
        self._audit(orders)
        CfnOutput(self, "OrdersTableName", value=orders.table_name)

    def _inventory(self, orders: streams.StreamTable) -> None:
        stock = dynamodb.TableV2(
            self, "Stock", partition_key=_text("id"), removal_policy=THROW_AWAY
        )
        function = streams.StreamFunction(
            self,
            "InventoryFunction",
            entry=HANDLERS / "inventory.py",
            environment={"STOCK_TABLE": stock.table_name},
        )
        # What TransactWriteItems needs for its puts and updates, and nothing else.
        stock.grant(function, "dynamodb:PutItem", "dynamodb:UpdateItem")
        consumer = streams.StreamConsumer(
            self,
            "Inventory",
            table=orders,
            function=function,
            # The function is not called for any other change, and not charged for it either.
            filters=[
                streams.Filter.insert(streams.NewImage("status").eq("PLACED")),
                streams.Filter.modify(streams.NewImage("status").eq("CANCELLED")),
            ],
        )
        CfnOutput(self, "StockTableName", value=stock.table_name)
        CfnOutput(self, "InventoryFailuresUrl", value=consumer.failure_queue.queue_url)

    def _audit(self, orders: streams.StreamTable) -> None:
        # The bucket outlives the stack (CDK's default): an audit trail that goes with it is none.
        bucket = s3.Bucket(
            self,
            "AuditTrail",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
        )
        function = streams.StreamFunction(
            self,
            "AuditFunction",
            entry=HANDLERS / "audit.py",
            environment={"AUDIT_BUCKET": bucket.bucket_name},
        )
        bucket.grant_put(function)
        consumer = streams.StreamConsumer(
            self,
            "Audit",
            table=orders,
            function=function,
            # Few and full objects: wait up to five seconds for up to 500 changes.
            batch_size=500,
            max_batching_window=Duration.seconds(5),
        )
        CfnOutput(self, "AuditBucketName", value=bucket.bucket_name)
        CfnOutput(self, "AuditFailuresUrl", value=consumer.failure_queue.queue_url)


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
