"""A table of orders and a function that reads them as pydantic models.

Orders ──stream──▶ Ship        orders that do not fit the model ──▶ queue of rejected records
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs
from constructs import Construct

import cdk_streams as streams

HANDLERS: Final = Path(__file__).parent / "handlers"
KEY: Final = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)


class PydanticModelsStack(cdk.Stack):
    """The function ships with pydantic; `options` are those of `StreamFunction`."""

    def __init__(self, scope: Construct, construct_id: str, **options: Any) -> None:
        super().__init__(scope, construct_id, description="Example: items as pydantic models")
        orders = streams.StreamTable(self, "Orders", partition_key=KEY)
        function = streams.StreamFunction(
            self,
            "ShipFunction",
            entry=HANDLERS / "ship.py",
            requirements=HANDLERS / "requirements.txt",
            **options,
        )
        rejects = sqs.Queue(self, "Rejects", enforce_ssl=True)
        streams.StreamConsumer(self, "Ship", table=orders, function=function, rejects=rejects)
        cdk.CfnOutput(self, "OrdersTableName", value=orders.table_name)
        cdk.CfnOutput(self, "RejectsUrl", value=rejects.queue_url)


if __name__ == "__main__":
    app = cdk.App()
    PydanticModelsStack(app, "PydanticModels")
    app.synth()
