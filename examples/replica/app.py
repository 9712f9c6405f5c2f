"""A table of orders, and the same orders under their customers.

Orders ──stream──▶ ByCustomer ──▶ OrdersByCustomer    {"customer": "c-1", "order_id": "o-1", …}
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

import cdk_streams as streams

SHAPE: Final = Path(__file__).parent / "handlers" / "shape.py"


class ReplicaStack(cdk.Stack):
    """Orders are written by anyone; their replica is written by its stream alone."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Example: a replica under other keys")
        orders = streams.StreamTable(self, "Orders", partition_key=_text("order_id"))
        by_customer = dynamodb.TableV2(
            self,
            "OrdersByCustomer",
            partition_key=_text("customer"),
            sort_key=_text("order_id"),
            # Tombstones of deleted items go after 15 days.
            time_to_live_attribute="_stream_expires_at",
        )
        streams.TableReplica(
            self, "ByCustomer", source=orders, target=by_customer, transform=f"{SHAPE}:shape"
        )
        cdk.CfnOutput(self, "OrdersTableName", value=orders.table_name)
        cdk.CfnOutput(self, "ReplicaTableName", value=by_customer.table_name)


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


if __name__ == "__main__":
    app = cdk.App()
    ReplicaStack(app, "Replica")
    app.synth()
