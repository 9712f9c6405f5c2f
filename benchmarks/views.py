"""A view's handler beside plain ones, on the same changes and on DynamoDB Local, in one run.

    python benchmarks/views.py [--changes 4000]

Orders of 50 customers change, batch after batch of 100 records. Three handlers keep each customer's
count and sum:

* view: `lambda_runtime.views`, as a `TableView` deploys it;
* by hand, safe: what a careful handler does for each record by itself: read the order's mark, then
  one transaction of mark and customers;
* by hand, unsafe: one ADD for each customer that a record touches, from both images, without marks:
  a retry counts twice. It shows what exactness costs.

Each has tables of its own; the turns are interleaved, batch by batch. Both safe ones must end as a
recomputation does. Needs Java and npm.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from lambda_runtime import Router, decode, encode, parse
from lambda_runtime.views import Count, Sum, View, ViewWriter, recompute
from tests.bench.dynamodb_local import dynamodb_local, fetch, missing

CACHE = Path(__file__).parents[1] / ".cache"
BATCH = 100
VIEW = View(group_by="customer", orders=Count(), total=Sum("total"))
Handler = Callable[[Any], Any]


def changes(count: int, seed: int = 1) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return records of orders that come, change, move to other customers and go; and the end."""
    chance = random.Random(seed)  # noqa: S311 - the seed is the reproduction
    orders: dict[str, dict[str, Any]] = {}
    records: list[dict[str, Any]] = []
    while len(records) < count:
        name = f"o-{chance.randrange(count // 4)}"
        before = orders.get(name)
        after: dict[str, Any] | None = {
            "order_id": name,
            "customer": f"c-{chance.randrange(50)}",
            "total": Decimal(chance.randrange(1, 99_999)).scaleb(-2),
        }
        if before is not None and not chance.randrange(10):
            after = None
            del orders[name]
        elif after is not None:
            orders[name] = after
        records.append(record(len(records) + 1, before, after))
    return records, orders


def record(number: int, before: Any, after: Any) -> dict[str, Any]:
    images = {
        name: encode(item)["M"]
        for name, item in (("OldImage", before), ("NewImage", after))
        if item is not None
    }
    return {
        "eventName": "REMOVE" if after is None else "INSERT" if before is None else "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_789_654_328.0,
            "Keys": encode({"order_id": (before or after)["order_id"]})["M"],
            **images,
            "SequenceNumber": str(10**21 + number),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def view_handler(client: Any, target: str, marks: str) -> Handler:
    on = Router()
    on.aggregate(ViewWriter(VIEW, target=target, marks=marks, client=client))
    return lambda records: on.handler({"Records": records})


def safe_handler(client: Any, target: str, marks: str) -> Handler:
    """One read and one transaction a record, with a mark that holds what the order gave."""

    def handle(records: list[Any]) -> None:
        for change in parse({"Records": records}):
            key = {"item": {"S": change.keys["order_id"]}}
            number = change.sequence_number.zfill(40)
            read = client.get_item(TableName=marks, Key=key, ConsistentRead=True).get("Item")
            mark = decode({"M": read}) if read else {}
            if mark.get("sequence", "") >= number:
                continue
            gave, gives = mark.get("gave"), None
            if change.has_new:
                gives = {"customer": change.new["customer"], "total": change.new["total"]}
            row = {**key, "sequence": {"S": number}, "gave": encode(gives)}
            condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(#s)"}
            if read:
                condition = {
                    "ConditionExpression": "#s = :s",
                    "ExpressionAttributeValues": {":s": read["sequence"]},
                }
            names = {"#s": "sequence"}
            put = {"TableName": marks, "Item": row, "ExpressionAttributeNames": names, **condition}
            updates = [{"Update": each} for each in _adds(target, gave, gives)]
            client.transact_write_items(TransactItems=[{"Put": put}, *updates])

    return handle


def unsafe_handler(client: Any, target: str) -> Handler:
    """One ADD for each customer that a record touches, without marks."""

    def handle(records: list[Any]) -> None:
        for change in parse({"Records": records}):
            before = dict(change.old) if change.has_old else None
            after = dict(change.new) if change.has_new else None
            for request in _adds(target, before, after):
                client.update_item(**request)

    return handle


def _adds(table: str, before: Any, after: Any) -> list[dict[str, Any]]:
    gains: dict[str, list[Decimal]] = {}
    for item, sign in ((before, -1), (after, 1)):
        if item is not None:
            gain = gains.setdefault(item["customer"], [Decimal(), Decimal()])
            gain[0] += sign
            gain[1] += sign * item["total"]
    return [
        {
            "TableName": table,
            "Key": {"customer": {"S": customer}},
            "UpdateExpression": "ADD #o :o, #t :t",
            "ExpressionAttributeNames": {"#o": "orders", "#t": "total"},
            "ExpressionAttributeValues": {":o": encode(count), ":t": encode(total)},
        }
        for customer, (count, total) in gains.items()
    ]


def totals(client: Any, table: str) -> dict[str, tuple[Decimal, Decimal]]:
    items = [decode({"M": each}) for each in client.scan(TableName=table)["Items"]]
    return {each["customer"]: (each["orders"], each["total"]) for each in items if each["orders"]}


def make_tables(client: Any) -> None:
    for name in ("view", "safe", "unsafe"):
        for table, key in ((name, "customer"), (f"{name}-marks", "item")):
            client.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--changes", type=int, default=4_000)
    count = parser.parse_args().changes
    if (why_not := missing()) is not None:
        raise SystemExit(why_not)
    records, orders = changes(count)
    with dynamodb_local(fetch(CACHE)) as endpoint:
        session = boto3.Session("local", "local", region_name="us-east-1")
        client: Any = session.client(
            "dynamodb", endpoint_url=endpoint, config=Config(parameter_validation=False)
        )
        make_tables(client)
        handlers = {
            "view": view_handler(client, "view", "view-marks"),
            "by hand, safe": safe_handler(client, "safe", "safe-marks"),
            "by hand, unsafe": unsafe_handler(client, "unsafe"),
        }
        spent: dict[str, list[float]] = {name: [] for name in handlers}
        for start in range(0, count, BATCH):
            for name, handler in handlers.items():
                began = time.perf_counter()
                handler(records[start : start + BATCH])
                spent[name].append(time.perf_counter() - began)
        expected = {
            each["customer"]: (each["orders"], each["total"])
            for each in recompute(VIEW, orders.values())
        }
        for table in ("view", "safe"):
            if totals(client, table) != expected:
                raise SystemExit(f"the totals of {table!r} are not those of a recomputation")
    print(f"{count:,} changes of {len(orders):,} orders left, batches of {BATCH}, 50 customers\n")
    ours = sum(spent["view"])
    print(f"{'':<18}{'changes/s':>10}{'ms a batch, median':>20}{'view is':>9}")
    for name, seconds in spent.items():
        rate, median_ms = count / sum(seconds), statistics.median(seconds) * 1000
        print(f"{name:<18}{rate:>10,.0f}{median_ms:>20.1f}{sum(seconds) / ours:>8.1f}x")


if __name__ == "__main__":
    main()
