"""A table of orders and a function that keeps a search index.

Orders ──stream──▶ Index
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

import cdk_streams as streams

HANDLERS: Final = Path(__file__).parent / "handlers"
KEY: Final = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)


class SnapshotTestStack(cdk.Stack):
    """A stack to take a snapshot of."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Example: a template under review")
        orders = streams.StreamTable(self, "Orders", partition_key=KEY)
        function = streams.StreamFunction(self, "IndexFunction", entry=HANDLERS / "index.py")
        streams.StreamConsumer(self, "Index", table=orders, function=function)


if __name__ == "__main__":
    app = cdk.App()
    SnapshotTestStack(app, "SnapshotTest")
    app.synth()
