"""Orders, a global table of two Regions, and a search index in the second one.

us-east-1: worldwide-orders ──▶ eu-west-1: worldwide-orders ──stream──▶ Index
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

import cdk_streams as streams

HANDLERS: Final = Path(__file__).parent / "handlers"
TABLE_NAME: Final = "worldwide-orders"
KEY: Final = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
HOME: Final = cdk.Environment(region="us-east-1")
READER: Final = cdk.Environment(region="eu-west-1")


class OrdersStack(cdk.Stack):
    """The table, in its home Region; DynamoDB keeps the replica in the reader's Region."""

    def __init__(self, scope: Construct, construct_id: str, *, env: cdk.Environment = HOME) -> None:
        super().__init__(scope, construct_id, env=env, description="Example: a global table")
        streams.StreamTable(
            self,
            "Orders",
            table_name=TABLE_NAME,
            partition_key=KEY,
            replicas=[dynamodb.ReplicaTableProps(region=READER.region or "")],
        )


class IndexStack(cdk.Stack):
    """A consumer of the replica, in the replica's Region; it finds the stream when deployed."""

    def __init__(
        self, scope: Construct, construct_id: str, *, env: cdk.Environment = READER
    ) -> None:
        super().__init__(scope, construct_id, env=env, description="Example: a reader elsewhere")
        orders = streams.StreamTable.look_up(
            self,
            "Orders",
            table_name=TABLE_NAME,
            stream_view_type=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        )
        function = streams.StreamFunction(self, "IndexFunction", entry=HANDLERS / "index.py")
        streams.StreamConsumer(self, "Index", table=orders, function=function)


if __name__ == "__main__":
    app = cdk.App()
    IndexStack(app, "Index").add_stack_dependency(OrdersStack(app, "Orders"))
    app.synth()
