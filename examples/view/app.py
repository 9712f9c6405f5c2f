"""A table of orders, and a table with the totals of each customer.

Orders ──stream──▶ CustomerTotals ──▶ Totals    {"customer": "c-1", "orders": 2, "total": 42.5}
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

import cdk_streams as streams

TOTALS: Final = Path(__file__).parent / "handlers" / "totals.py"


class ViewStack(cdk.Stack):
    """Orders are written by anyone; their totals are written by the view alone."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Example: a view kept by a stream")
        orders = streams.StreamTable(
            self,
            "Orders",
            partition_key=_text("order_id"),
            stream_view_type=dynamodb.StreamViewType.NEW_IMAGE,
        )
        totals = dynamodb.TableV2(self, "Totals", partition_key=_text("customer"))
        view = streams.TableView(
            self, "CustomerTotals", source=orders, target=totals, view=f"{TOTALS}:view"
        )
        cdk.CfnOutput(self, "OrdersTableName", value=orders.table_name)
        cdk.CfnOutput(self, "TotalsTableName", value=totals.table_name)
        cdk.CfnOutput(self, "ViewFunctionName", value=view.function.function_name)


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


if __name__ == "__main__":
    app = cdk.App()
    ViewStack(app, "View")
    app.synth()
