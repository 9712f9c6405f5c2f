"""Orders, owned by one stack, and a search index that another stack keeps.

Shop: shop-orders ──stream──▶ Search: Index
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

import cdk_streams as streams

HANDLERS: Final = Path(__file__).parent / "handlers"
TABLE_NAME: Final = "shop-orders"
KEY: Final = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)


class ShopStack(cdk.Stack):
    """The owner of the table; it exports nothing."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Example: the stack of a table")
        streams.StreamTable(self, "Orders", table_name=TABLE_NAME, partition_key=KEY)


class SearchStack(cdk.Stack):
    """A reader; it finds the table by its name, and the stream when it is deployed."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Example: a reader in another stack")
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
    shop = ShopStack(app, "Shop")
    SearchStack(app, "Search").add_stack_dependency(shop)
    app.synth()
