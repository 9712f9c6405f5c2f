"""Replicas of DynamoDB Local: driver and backfill killed (-9), calls failing, `compare` says equal.

REPLICA_WRITES=20000 python -m pytest -s tests/e2e/live/test_replicas_for_real.py
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.data import Comparison, Side, compare
from lambda_runtime import encode

pytestmark = pytest.mark.e2e

Clients = Callable[[str], Any]
ROOT = Path(__file__).parents[3]
WRITES = int(os.environ.get("REPLICA_WRITES", "1500"))
KILLS = 2
STATUSES = ("DRAFT", "PLACED", "PAID")

# One call in a hundred fails before its work, and one after it.
HANDLER = """
import random
from lambda_runtime.replication import handler_from_environment

def handler(event, context):
    if random.random() < 0.01:
        raise RuntimeError("before its work")
    answer = handler_from_environment(event, context)
    if random.random() < 0.01:
        raise RuntimeError("after its work")
    return answer
"""
SHAPE = """
def shape(order):
    if order["status"] == "DRAFT":
        return None
    return {"status": order["status"], "order": order["pk"], "total": order["total"]}
"""
DRIVER = """
import json, sys, threading
from pathlib import Path
import boto3
from cdk_streams.lambda_local import DeployedFunction
from cdk_streams.live import CheckpointStore, DeployedConsumer, drive
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import EventSourceMapping

endpoint, target_endpoint, stream, folder, variables = sys.argv[1:]
function = DeployedFunction(Path(folder, "code"), "copying.handler", timeout_s=30,
                            environment=json.loads(variables))
mapping = EventSourceMapping(
    settings=MappingSettings(batch_size=50, retry_attempts=20, bisect_batch_on_error=True,
                             report_batch_item_failures=True, parallelization_factor=2),
    function_arn=function.invoked_arn, stream_arn=stream, uuid="mapping")

class NoObserver:
    def notice(self, consumer, at_ms, notice): pass
    def log(self, consumer, line): pass

def client(service):
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1",
                        aws_access_key_id="local", aws_secret_access_key="local")

with CheckpointStore(Path(folder) / "checkpoints") as checkpoints, drive(
        [DeployedConsumer("replica", function, mapping)], client, checkpoints=checkpoints,
        observer=NoObserver(), scratch=Path(folder),
        connection={"AWS_ENDPOINT_URL": target_endpoint, "AWS_ACCESS_KEY_ID": "local",
                    "AWS_SECRET_ACCESS_KEY": "local"}):
    threading.Event().wait()
"""


def create_table(dynamodb: Any, name: str, *keys: str) -> None:
    kinds = zip(keys, ("HASH", "RANGE"), strict=False)
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


class Shop:
    """Orders of which a tenth was there before the stream, and the folder of their replica."""

    def __init__(self, dynamodb: Any, folder: Path) -> None:
        self.dynamodb = dynamodb
        self.folder = folder
        self.name = f"orders-{uuid.uuid4().hex[:8]}"
        create_table(dynamodb, self.name, "pk")
        for number in range(WRITES // 10):
            self._write(number)
        changed = dynamodb.update_table(
            TableName=self.name,
            StreamSpecification={
                "StreamEnabled": True,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        )
        self.stream_arn = changed["TableDescription"]["LatestStreamArn"]
        code = folder / "code"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "lambda_runtime", code / "lambda_runtime", ignore=ignored)
        (code / "copying.py").write_text(HANDLER)
        (code / "shape.py").write_text(SHAPE)

    def write(self, count: int) -> None:
        """Make, change and delete orders from eight threads."""
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(self._write, range(count)))

    def _write(self, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - the number is the reproduction
        key = {"pk": f"order-{chance.randrange(max(WRITES // 5, 1))}"}
        if chance.random() < 0.1:
            self.dynamodb.delete_item(TableName=self.name, Key=encode(key)["M"])
            return
        item = {**key, "status": chance.choice(STATUSES), "total": number, "raw": b"\0\xff"}
        typed = encode(item, binary="bytes")["M"]
        self.dynamodb.put_item(TableName=self.name, Item=typed)

    def driver(self, endpoint: str, target_endpoint: str, **settings: str) -> list[str]:
        """The command that drives the replica until it is killed."""
        variables = {f"STREAM_REPLICA_{name.upper()}": value for name, value in settings.items()}
        variables["STREAM_PARTIAL_RESPONSE"] = "1"
        argv = [sys.executable, "-c", DRIVER, endpoint, target_endpoint, self.stream_arn]
        return [*argv, str(self.folder), json.dumps(variables)]

    def backfill(self, endpoint: str, target_endpoint: str, target: str, *more: str) -> list[str]:
        argv = [sys.executable, "-m", "cdk_streams", "backfill", self.name, target, "--yes"]
        argv += ["--endpoint-url", endpoint, "--target-endpoint-url", target_endpoint]
        return [*argv, "--region", "us-east-1", "--progress", str(self.folder / "progress"), *more]


@pytest.fixture
def shop(amazon: Clients, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(amazon("dynamodb"), tmp_path)
    yield made
    made.dynamodb.delete_table(TableName=made.name)


ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
}


def run_and_kill(argv: list[str], chance: random.Random, longest_s: float) -> int | None:
    """Run a command, kill it at a random moment; return its exit code when it had ended before."""
    process = subprocess.Popen(argv, env=ENVIRONMENT, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    time.sleep(chance.uniform(longest_s / 3, longest_s))
    ended = process.poll()
    process.send_signal(signal.SIGKILL)
    process.wait()
    return ended


def run_to_end(argv: list[str]) -> str:
    """Run a command to its end, again when a failing call has ended it."""
    for _ in range(5):
        done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
        if done.returncode == 0:
            return done.stdout
    raise AssertionError(done.stderr)


def until_equal(compared: Callable[[], Comparison], limit_s: float) -> Comparison:
    give_up = time.monotonic() + limit_s
    while not (result := compared()).is_equal and time.monotonic() < give_up:
        time.sleep(1)
    return result


def test_after_kills_and_failing_calls_a_replica_is_its_transformed_source(
    shop: Shop, dynamodb_endpoint: str, fault_proxy: Any
) -> None:
    target = f"{shop.name}-shaped"
    create_table(shop.dynamodb, target, "status", "order")
    namespace: dict[str, Any] = {}
    exec(SHAPE, namespace)  # noqa: S102 - our own text
    sides = (
        Side(shop.dynamodb, shop.name, ("pk",)),
        Side(shop.dynamodb, target, ("status", "order")),
    )
    chance, began = random.Random(1), time.monotonic()  # noqa: S311 - moments, not secrets
    with (
        fault_proxy(dynamodb_endpoint, seed=1, rate=0.01) as faulty,
        ThreadPoolExecutor(2) as beside,
    ):
        settings = {"table": target, "keys": "status,order", "transform": "shape:shape"}
        driving = shop.driver(dynamodb_endpoint, faulty.endpoint_url, **settings)
        transform = ("--transform", str(shop.folder / "code" / "shape.py") + ":shape")
        filling = shop.backfill(
            faulty.endpoint_url, faulty.endpoint_url, target, *transform, "--rate", str(WRITES / 20)
        )
        written = beside.submit(shop.write, WRITES)
        filled = beside.submit(
            lambda: [*(run_and_kill(filling, chance, 3) for _ in range(KILLS)), run_to_end(filling)]
        )
        for _ in range(KILLS):
            run_and_kill(driving, chance, 5)
        driver = subprocess.Popen(driving, env=ENVIRONMENT)  # noqa: S603 - our own
        try:
            written.result()
            kills = filled.result()
            result = until_equal(
                lambda: compare(*sides, transform=namespace["shape"], lag_s=0, rounds=1),
                60 + WRITES / 50,
            )
        finally:
            driver.send_signal(signal.SIGTERM)
            driver.wait()
        failed = sum(faulty.counts.values()) - faulty.counts["forwarded"]
    shop.dynamodb.delete_table(TableName=target)

    assert failed > 0
    assert (result.differences, result.faults) == ((), ())
    print(  # noqa: T201 - shown with -s: the counts
        f"{WRITES:,} writes, {KILLS} kills of the driver, {kills[:KILLS].count(None)} of the "
        f"backfill, {failed} failing calls: {result.source_items:,} items in the source, "
        f"{result.target_items:,} in the target, 0 differ, {time.monotonic() - began:.0f} s\n"
        f"{kills[-1]}"
    )


def test_a_replica_at_another_endpoint_is_its_source(
    shop: Shop, dynamodb_endpoint: str, aws: Any, near: Clients
) -> None:
    """Two endpoints as two Regions: DynamoDB Local here, the local AWS there."""
    remote = near("dynamodb")
    create_table(remote, shop.name, "pk")
    sides = Side(shop.dynamodb, shop.name, ("pk",)), Side(remote, shop.name, ("pk",))
    driving = shop.driver(dynamodb_endpoint, aws.endpoint_url, table=shop.name, region=aws.region)
    driver = subprocess.Popen(driving, env=ENVIRONMENT)  # noqa: S603 - our own
    try:
        shop.write(300)
        more = ("--target-region", aws.region)
        said = run_to_end(shop.backfill(dynamodb_endpoint, aws.endpoint_url, shop.name, *more))
        result = until_equal(lambda: compare(*sides, lag_s=0, rounds=1), 60)
    finally:
        driver.send_signal(signal.SIGTERM)
        driver.wait()
        remote.delete_table(TableName=shop.name)
    assert (result.differences, result.faults) == ((), ())
    assert "0 not written" in said
