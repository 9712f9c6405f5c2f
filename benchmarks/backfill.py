"""`backfill` beside a loop that scans and puts one item after the other, on DynamoDB Local.

    python benchmarks/backfill.py [--items 1000000] [--plain 20000]

The backfill runs in a process of its own, is killed (-9) twice on the way, and goes on; its rate
counts the items of all three runs over their time. `compare` then says that both tables are equal.
The plain loop runs over the first items only. Needs Java and npm.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from cdk_streams.data import backfill, compare, side_of
from tests.bench.dynamodb_local import dynamodb_local, fetch, missing

CACHE = Path(__file__).parents[1] / ".cache"
ROOT = Path(__file__).parents[1]
KILLS = 2


def connection_to(endpoint_url: str) -> dict[str, Any]:
    return {
        "endpoint_url": endpoint_url,
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }


def client_at(endpoint_url: str) -> Any:
    config = Config(max_pool_connections=32, parameter_validation=False)
    return boto3.client("dynamodb", config=config, **connection_to(endpoint_url))


def create_table(dynamodb: Any, name: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def fill(dynamodb: Any, items: int) -> None:
    def write(start: int) -> None:
        puts = [
            {
                "PutRequest": {
                    "Item": {
                        "pk": {"S": f"order-{number:08}"},
                        "n": {"N": str(number)},
                        "status": {"S": "PAID"},
                    }
                }
            }
            for number in range(start, min(start + 25, items))
        ]
        dynamodb.batch_write_item(RequestItems={"orders": puts})

    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(write, range(0, items, 25)):
            pass


def plain(endpoint_url: str, items: int) -> float:
    """Scan and put, one after the other; return the items a second."""
    tables = boto3.resource("dynamodb", **connection_to(endpoint_url))
    source, target = tables.Table("orders"), tables.Table("plain")
    begin, done = time.perf_counter(), 0
    start: dict[str, Any] = {}
    while done < items:
        page = source.scan(Limit=1_000, **start)
        for item in page["Items"]:
            target.put_item(Item=item)
            done += 1
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return done / (time.perf_counter() - begin)


def backfill_here(endpoint_url: str, file: Path) -> None:
    """The whole of the other process; its last line is its peak memory in MB."""
    client = client_at(endpoint_url)
    source, target = side_of(client, "orders"), side_of(client, "copy")
    result = backfill(source, target, progress_file=file)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{result.counts.read} {result.counts.written} {peak_mb:.0f}")


def backfill_with_kills(endpoint_url: str, items: int) -> tuple[float, str]:
    """Run it in processes of its own, killed twice; return seconds and what the last one said."""
    took_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, __file__, "--run", endpoint_url, f"{folder}/progress"]
        for turn in range(KILLS + 1):
            begin = time.perf_counter()
            process = subprocess.Popen(  # noqa: S603 - this script
                argv, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
            )
            if turn < KILLS:
                time.sleep(max(2.0, items / 50_000))
                process.send_signal(signal.SIGKILL)
            said, _ = process.communicate()
            took_s += time.perf_counter() - begin
            if turn < KILLS and process.returncode == 0:
                raise SystemExit("it had ended before it was killed; use more --items")
    return took_s, said


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--plain", type=int, default=20_000)
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        backfill_here(options.run[0], Path(options.run[1]))
        return
    if (why_not := missing()) is not None:
        raise SystemExit(why_not)
    with dynamodb_local(fetch(CACHE)) as endpoint_url:
        dynamodb = client_at(endpoint_url)
        for name in ("orders", "copy", "plain"):
            create_table(dynamodb, name)
        fill(dynamodb, options.items)
        slow = plain(endpoint_url, min(options.plain, options.items))
        took_s, said = backfill_with_kills(endpoint_url, options.items)
        read, written, peak_mb = said.split()
        fast = options.items / took_s
        print(f"plain loop: {slow:,.0f} items/s")
        print(f"backfill, killed {KILLS} times: {fast:,.0f} items/s, {fast / slow:.1f}x")
        print(f"items read {int(read):,}, written by the last run and before {int(written):,}")
        print(f"peak memory {peak_mb} MB")
        found = compare(side_of(dynamodb, "orders"), side_of(dynamodb, "copy"), lag_s=0)
        print(f"compare: {len(found.differences)} of {found.source_items:,} items differ")


if __name__ == "__main__":
    main()
