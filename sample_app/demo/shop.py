"""The deployed sample as the demo uses it: what it writes, and what it reads back.

Reading goes past the consumers: the rows of the Stock table and the lines in the audit bucket.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sample_app.demo.items import plain, typed
from sample_app.demo.orders import item_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client

    from sample_app.demo.orders import Day, Write

__all__ = ["Audit", "Shop", "Stock", "read_audit", "read_stock", "stock_up", "write_order"]


@dataclass(frozen=True, slots=True)
class Shop:
    """The names the stack gave its resources, and the clients to reach them."""

    dynamodb: DynamoDBClient
    s3: S3Client
    orders_table: str
    stock_table: str
    audit_bucket: str


@dataclass(frozen=True, slots=True)
class Stock:
    """What `inventory` left: units by article, and TAKEN, RETURNED or SHORT by order."""

    available: dict[str, int]
    reservations: dict[str, str]

    @property
    def handled(self) -> int:
        """Changes it handled: one for each order, one more for each given back."""
        back = sum(reservation == "RETURNED" for reservation in self.reservations.values())
        return len(self.reservations) + back


@dataclass(slots=True)
class Audit:
    """What `audit` left, read so far: its lines by sequence number, and how many came twice."""

    lines: dict[str, dict[str, Any]] = field(default_factory=dict)
    repeated: int = 0
    objects: set[str] = field(default_factory=set)


def stock_up(shop: Shop, day: Day) -> None:
    """Fill the shelves for the day."""
    for sku, available in day.stock:
        item = {"id": f"sku#{sku}", "available": available}
        shop.dynamodb.put_item(TableName=shop.stock_table, Item=typed(item))


def write_order(shop: Shop, write: Write) -> None:
    """Do one write of the day, as the shop's own API would."""
    if write.action == "place":
        shop.dynamodb.put_item(TableName=shop.orders_table, Item=typed(item_of(write.order)))
        return
    name, value = ("city", write.city) if write.action == "change" else ("status", "CANCELLED")
    shop.dynamodb.update_item(
        TableName=shop.orders_table,
        Key=typed({"order_id": write.order.order_id}),
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues=typed({":value": value}),
    )


def read_stock(shop: Shop) -> Stock:
    """Everything in the Stock table."""
    stock = Stock({}, {})
    pages = shop.dynamodb.get_paginator("scan").paginate(
        TableName=shop.stock_table, ConsistentRead=True
    )
    for row in (row for page in pages for row in page["Items"]):
        item = plain(row)
        kind, _, name = item["id"].partition("#")
        if kind == "sku":
            stock.available[name] = int(item["available"])
        else:
            stock.reservations[name] = item["reservation"]
    return stock


def read_audit(shop: Shop, audit: Audit) -> None:
    """Add to `audit` the lines of the objects that were not there last time."""
    for key in _keys(shop):
        if key in audit.objects:
            continue
        audit.objects.add(key)
        body = shop.s3.get_object(Bucket=shop.audit_bucket, Key=key)["Body"].read()
        for line in map(json.loads, body.splitlines()):
            audit.repeated += line["sequence_number"] in audit.lines
            audit.lines[line["sequence_number"]] = line


def _keys(shop: Shop) -> Iterator[str]:
    pages = shop.s3.get_paginator("list_objects_v2").paginate(Bucket=shop.audit_bucket)
    return (found.get("Key", "") for page in pages for found in page.get("Contents", []))
