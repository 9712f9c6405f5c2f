"""A replica beside a plain handler that puts one item after the other: same stream, same target.

    python benchmarks/replica.py [--writes 2000]

The records are read from a stream of DynamoDB Local and given to both handlers in batches of 100,
in turns. A local DynamoDB answers at once, so each request of both contestants also waits as long
as one to AWS does: not at all, 5 ms (the same Region) and 70 ms (another one). Needs Java and npm.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from cdk_streams.live import event_record
from lambda_runtime import parse
from lambda_runtime.replication import Replica, Settings
from tests.bench.dynamodb_local import dynamodb_local, fetch, missing

CACHE = Path(__file__).parents[1] / ".cache"
BATCH = 100
LATENCIES_S = (0, 0.005, 0.07)
LONG_S = 0.01
ROUNDS = 3
Handler = Callable[[dict[str, Any], Any], Any]


def session_at(endpoint_url: str) -> dict[str, Any]:
    return {
        "endpoint_url": endpoint_url,
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }


def create_table(dynamodb: Any, name: str, **options: Any) -> Any:
    return dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **options,
    )["TableDescription"]


def stream_records(connection: dict[str, Any], writes: int) -> list[dict[str, Any]]:
    """Write orders, a quarter of them changes; return the records as Lambda sends them."""
    dynamodb = boto3.client("dynamodb", **connection)
    view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    table = create_table(dynamodb, "orders", StreamSpecification=view)
    target = boto3.resource("dynamodb", **connection).Table("orders")
    for number in range(writes):
        # Every fourth write changes an order of before.
        order = number // 2 if number % 4 == 3 else number  # noqa: PLR2004 - see above
        item: dict[str, Any] = {"pk": f"order-{order:06}", "total": Decimal(number) / 100}
        target.put_item(Item=item | {"note": "x" * 60, "lines": [{"sku": "a", "count": number}]})
    streams = boto3.client("dynamodbstreams", **connection)
    arn = table["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records: list[dict[str, Any]] = []
    while len(records) < writes:
        page = streams.get_records(ShardIterator=iterator)
        records += [event_record(each, arn) for each in page["Records"]]
        iterator = page["NextShardIterator"]
    return records


def plain(connection: dict[str, Any], latency_s: float) -> Handler:
    """The handler of every tutorial: one put after the other, without a guard."""
    resource = boto3.resource("dynamodb", **connection)
    wait_before_each_request(resource.meta.client, latency_s)
    table = resource.Table("copy")

    def handler(event: dict[str, Any], _context: Any = None) -> None:
        for change in parse(event):
            table.put_item(Item=change.new.to_dict())

    return handler


def replica(connection: dict[str, Any], latency_s: float) -> Handler:
    config = Config(max_pool_connections=16, parameter_validation=False)
    client = boto3.client("dynamodb", config=config, **connection)
    wait_before_each_request(client, latency_s)
    unchecked: Any = client
    return Replica(Settings(table="copy", concurrency=16), client=unchecked).handler


def wait_before_each_request(client: Any, latency_s: float) -> None:
    if latency_s:
        client.meta.events.register("before-send", lambda **_: time.sleep(latency_s))


def run(handler: Handler, records: list[dict[str, Any]]) -> float:
    """Return the records a second."""
    begin = time.perf_counter()
    for start in range(0, len(records), BATCH):
        handler({"Records": records[start : start + BATCH]}, None)
    return len(records) / (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--writes", type=int, default=2_000)
    writes = parser.parse_args().writes
    if (why_not := missing()) is not None:
        raise SystemExit(why_not)
    with dynamodb_local(fetch(CACHE)) as endpoint_url:
        connection = session_at(endpoint_url)
        records = stream_records(connection, writes)
        dynamodb = boto3.client("dynamodb", **connection)
        print("| a request to the target takes | plain, records/s | replica, records/s | |")
        print("|---|---|---|---|")
        for latency_s in LATENCIES_S:
            # The plain handler waits for each request: fewer records tell the same.
            few = records if latency_s < LONG_S else records[: 3 * BATCH]
            rates: dict[str, list[float]] = {"plain": [], "replica": []}
            for _ in range(ROUNDS):
                for name, make in (("plain", plain), ("replica", replica)):
                    create_table(dynamodb, "copy")
                    rates[name].append(run(make(connection, latency_s), few))
                    dynamodb.delete_table(TableName="copy")
            one, other = (statistics.median(each) for each in rates.values())
            shown = f"{latency_s * 1000:.0f} ms more than locally"
            print(f"| {shown} | {one:,.0f} | {other:,.0f} | {other / one:.1f}x |", flush=True)


if __name__ == "__main__":
    main()
