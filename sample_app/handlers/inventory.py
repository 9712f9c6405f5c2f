"""Stock follows orders: placing an order takes its lines, cancelling it gives them back.

An order is `{"order_id": "o-1", "status": "PLACED", "lines": [{"sku": "mug", "quantity": 2}]}`;
the stock of mugs is `{"id": "sku#mug", "available": 40}`.

Lambda delivers at least once, and a change that failed can come back hours later. So each order
has a marker beside the stock, `{"id": "order#o-1", "reservation": "TAKEN"}`, and both change in
one transaction, on the condition that the marker has not moved yet: repeated, it does nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from lambda_runtime import Insert, Modify, Router, encode

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

on = Router()


@on.insert
def placed(change: Insert) -> None:
    """Take what the order needs, all of it or nothing."""
    order = change.new
    lines = quantities(order["lines"])
    refused = write([mark(order["order_id"], "TAKEN"), *(take(*line) for line in lines)])
    if refused and 0 not in refused:
        # The marker was new, so it was the stock that did not suffice.
        write([mark(order["order_id"], "SHORT")])


@on.modify("status")
def cancelled(change: Modify) -> None:
    """Give back what the order took, if it took anything."""
    order = change.new
    if order["status"] != "CANCELLED":
        return
    lines = quantities(order["lines"])
    refused = write([unmark(order["order_id"]), *(give_back(*line) for line in lines)])
    if refused:
        # Nothing was taken. Should the order's insert still come, it must not take anything now.
        write([mark(order["order_id"], "RETURNED")])


handler = on.handler


def quantities(lines: Iterable[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    """Add up the lines of one article: a transaction may name an item once."""
    total: Counter[str] = Counter()
    for line in lines:
        total[line["sku"]] += line["quantity"]
    return sorted(total.items())


def mark(order_id: str, reservation: str) -> dict[str, Any]:
    """Put the order's marker where there is none."""
    return {
        "Put": {
            "TableName": os.environ["STOCK_TABLE"],
            "Item": typed(id=f"order#{order_id}", reservation=reservation),
            "ConditionExpression": "attribute_not_exists(id)",
        }
    }


def unmark(order_id: str) -> dict[str, Any]:
    """Turn the order's marker from TAKEN to RETURNED."""
    change = update(
        f"order#{order_id}", "SET reservation = :after", before="TAKEN", after="RETURNED"
    )
    change["Update"]["ConditionExpression"] = "reservation = :before"
    return change


def take(sku: str, quantity: Any) -> dict[str, Any]:
    """Lower the stock of an article, never below zero."""
    change = update(f"sku#{sku}", "SET available = available - :quantity", quantity=quantity)
    change["Update"]["ConditionExpression"] = "available >= :quantity"
    return change


def give_back(sku: str, quantity: Any) -> dict[str, Any]:
    """Raise the stock of an article."""
    return update(f"sku#{sku}", "SET available = available + :quantity", quantity=quantity)


def update(item_id: str, expression: str, **values: Any) -> dict[str, Any]:
    """Change one item of the stock table; `:name` in the expression is the value of that name."""
    return {
        "Update": {
            "TableName": os.environ["STOCK_TABLE"],
            "Key": typed(id=item_id),
            "UpdateExpression": expression,
            "ExpressionAttributeValues": typed(**{f":{name}": values[name] for name in values}),
        }
    }


def write(actions: list[Any]) -> set[int]:
    """Write all or nothing; return the places of the actions whose condition did not hold."""
    try:
        dynamodb().transact_write_items(TransactItems=actions)
    except ClientError as error:
        codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        if not codes or not {"None", "ConditionalCheckFailed"}.issuperset(codes):
            # A conflict, a throttle: raise, and Lambda brings the change again.
            raise
        return {place for place, code in enumerate(codes) if code == "ConditionalCheckFailed"}
    return set()


def typed(**attributes: Any) -> dict[str, Any]:
    """Spell values as DynamoDB does: `{"id": {"S": "sku#mug"}}`."""
    return {name: encode(value) for name, value in attributes.items()}


@cache
def dynamodb() -> DynamoDBClient:
    """Make the client on first use: importing this file needs no region and costs no time."""
    return boto3.client("dynamodb")
