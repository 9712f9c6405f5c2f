"""A table of orders and two functions that share a module.

Orders ──stream──┬──▶ Receipts ───┬── shared/amounts.py
                 └──▶ Refunds ────┘
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


class SharedCodeStack(cdk.Stack):
    """Each function names its own file; `shared` ships with both."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Example: handlers that share code")
        orders = streams.StreamTable(self, "Orders", partition_key=KEY)
        paid = streams.Filter.modify(streams.NewImage("status").eq("PAID"))
        cancelled = streams.Filter.modify(streams.NewImage("status").eq("CANCELLED"))
        for name, file, only in [
            ("Receipts", "receipts.py", paid),
            ("Refunds", "refunds.py", cancelled),
        ]:
            function = streams.StreamFunction(self, f"{name}Function", entry=HANDLERS / file)
            streams.StreamConsumer(self, name, table=orders, function=function, filters=[only])
        cdk.CfnOutput(self, "OrdersTableName", value=orders.table_name)


if __name__ == "__main__":
    app = cdk.App()
    SharedCodeStack(app, "SharedCode")
    app.synth()
