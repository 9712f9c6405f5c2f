"""The files of a new app, as text. A test runs them, and compares them with README's example."""

from __future__ import annotations

from typing import Final

__all__ = ["PROJECT_FILES"]

_APP: Final = '''\
"""The stack: a table, a function, and the consumer that connects them."""

import cdk_streams as streams
from aws_cdk import App, CfnOutput, Stack
from aws_cdk.aws_dynamodb import Attribute, AttributeType

app = App()
stack = Stack(app, "Shop")

# A table with a stream: each change of an item becomes a stream record.
key = Attribute(name="id", type=AttributeType.STRING)
orders = streams.StreamTable(stack, "Orders", partition_key=key)

# The function: this file and what it imports, with lambda_runtime beside it.
function = streams.StreamFunction(stack, "NotifyFunction", entry="handlers/notify.py")

# The consumer calls the function with orders that were changed to PAID, and no others.
# Retries, a queue for what fails for good, and alarms are set; every setting can be given.
paid = streams.Filter.modify(streams.NewImage("status").eq("PAID"))
streams.StreamConsumer(stack, "Notify", table=orders, function=function, filters=[paid])

# cdk-streams local gives outputs to the command of --run as environment variables.
CfnOutput(stack, "OrdersTable", value=orders.table_name)
app.synth()
'''

_HANDLER: Final = '''\
"""Called when the status of an order changes to PAID."""

from lambda_runtime import Modify, Router

on = Router()


@on.modify("status")
def paid(change: Modify) -> None:
    print(
        f"{change.keys['id']} is {change.new['status']}, the total is {change.new['total']}"
    )


handler = on.handler
'''

_TEST: Final = '''\
"""Runs the handler by Lambda's own rules, without AWS and without waiting."""

from cdk_streams.simulator import MappingSettings, in_order, modify, simulate

from handlers.notify import handler


def test_an_order_without_a_total_fails_alone():
    orders = [
        {"id": "o-1", "status": "PAID", **each}
        for each in ({"total": 5}, {}, {"total": 7})
    ]
    records = in_order(*(modify({"id": "o-1"}, order, keys="id") for order in orders))
    settings = MappingSettings(
        retry_attempts=2, bisect_batch_on_error=True, report_batch_item_failures=True
    )
    run = simulate(handler, records, settings=settings)
    assert [failure["DDBStreamBatchInfo"]["batchSize"] for failure in run.failures] == [
        1
    ]
'''

_WRITES: Final = '''\
"""Write three orders and pay them: cdk-streams local --run "python write_orders.py"."""

import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["OrdersTable"])
for number in (1, 2, 3):
    order = {"id": f"o-{number}", "total": 5 * number}
    table.put_item(Item={**order, "status": "NEW"})
    table.put_item(Item={**order, "status": "PAID"})
'''

PROJECT_FILES: Final = {
    "app.py": _APP,
    "handlers/notify.py": _HANDLER,
    "test_notify.py": _TEST,
    "write_orders.py": _WRITES,
    "cdk.json": '{\n  "app": "python app.py"\n}\n',
    "requirements.txt": "cdk-streams[local]\npytest\n",
    ".gitignore": "__pycache__/\n.pytest_cache/\n.venv/\ncdk.out/\n",
}
"""Each file's text, by its path in the folder, in the order to read them."""
