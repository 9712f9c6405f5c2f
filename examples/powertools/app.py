"""A table of orders and a function that logs each change with Powertools.

Orders ──stream──▶ Audit
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

import cdk_streams as streams

HANDLERS: Final = Path(__file__).parent / "handlers"
KEY: Final = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)


class PowertoolsStack(cdk.Stack):
    """The function ships with Powertools; `options` are those of `StreamFunction`."""

    def __init__(self, scope: Construct, construct_id: str, **options: Any) -> None:
        super().__init__(scope, construct_id, description="Example: a handler with Powertools")
        orders = streams.StreamTable(self, "Orders", partition_key=KEY)
        function = streams.StreamFunction(
            self,
            "AuditFunction",
            entry=HANDLERS / "audit.py",
            requirements=HANDLERS / "requirements.txt",
            environment={"POWERTOOLS_SERVICE_NAME": "orders"},
            **options,
        )
        streams.StreamConsumer(self, "Audit", table=orders, function=function)
        cdk.CfnOutput(self, "OrdersTableName", value=orders.table_name)


if __name__ == "__main__":
    app = cdk.App()
    PowertoolsStack(app, "Powertools")
    app.synth()
