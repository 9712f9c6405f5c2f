"""A table of orders, one forwarder, and two subscribers of its events.

Orders ──stream──▶ OrderEvents ──▶ bus ─┬─▶ Notify    a function, for orders that became paid
                                        └─▶ Search    a queue, for every change
"""

# pyright: reportArgumentType=false
# CDK's own classes do not fit its own interfaces in pyright: an SqsQueue is no IRuleTarget.

from __future__ import annotations

from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as subscribers
from aws_cdk import aws_sqs as sqs
from constructs import Construct

import cdk_streams as streams

NOTIFY: Final = Path(__file__).parent / "handlers" / "notify.py"
KEY: Final = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
PAID: Final = {"data": {"changed": ["status"], "after": {"status": ["PAID"]}}}


class EventsStack(cdk.Stack):
    """One reader of the stream, any number of subscribers behind it."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Example: changes as events")
        orders = streams.StreamTable(self, "Orders", partition_key=KEY)
        bus = events.EventBus(self, "Bus")
        streams.StreamForwarder(
            self,
            "OrderEvents",
            table=orders,
            target=streams.targets.EventBus(bus),
            source="shop.orders",
        )

        notify = streams.StreamFunction(self, "NotifyFunction", entry=NOTIFY)
        paid = events.Rule(
            self,
            "Paid",
            event_bus=bus,
            event_pattern=events.EventPattern(source=["shop.orders"], detail=PAID),
        )
        paid.add_target(subscribers.LambdaFunction(notify))

        search = sqs.Queue(self, "Search", enforce_ssl=True)
        every = events.Rule(
            self,
            "Every",
            event_bus=bus,
            event_pattern=events.EventPattern(source=["shop.orders"]),
        )
        every.add_target(subscribers.SqsQueue(search))

        cdk.CfnOutput(self, "OrdersTableName", value=orders.table_name)
        cdk.CfnOutput(self, "SearchQueueUrl", value=search.queue_url)
        cdk.CfnOutput(self, "NotifyFunctionName", value=notify.function_name)


if __name__ == "__main__":
    app = cdk.App()
    EventsStack(app, "Events")
    app.synth()
