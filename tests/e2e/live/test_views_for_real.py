"""A view on DynamoDB Local, its driver killed (-9), its calls failing: it is a recomputation.

VIEW_WRITES=20000 python -m pytest -s tests/e2e/live/test_views_for_real.py
"""

from __future__ import annotations

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
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.data import Comparison, Side, compare_view
from lambda_runtime import encode
from lambda_runtime.views import Count, Sum, View

pytestmark = pytest.mark.e2e

Clients = Callable[[str], Any]
ROOT = Path(__file__).parents[3]
WRITES = int(os.environ.get("VIEW_WRITES", "1500"))
KILLS = 2

# One call in a hundred fails before its work, and one after it.
HANDLER = """
import random
from lambda_runtime.views import Count, Sum, View, view_handler

view = View(group_by="customer", where=lambda order: order["status"] != "CANCELLED",
            orders=Count(), total=Sum("total"))
keep = view_handler(views={"orders:view": view})

def handler(event, context):
    if random.random() < 0.01:
        raise RuntimeError("before its work")
    answer = keep(event, context)
    if random.random() < 0.01:
        raise RuntimeError("after its work")
    return answer
"""
VIEW = View(
    group_by="customer",
    where=lambda order: order["status"] != "CANCELLED",
    orders=Count(),
    total=Sum("total"),
)

DRIVER = """
import sys, threading
from pathlib import Path
import boto3
from cdk_streams.lambda_local import DeployedFunction
from cdk_streams.live import CheckpointStore, DeployedConsumer, drive
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import EventSourceMapping

endpoint, faulty, stream, folder, target = sys.argv[1:]
function = DeployedFunction(
    Path(folder, "code"), "orders.handler", timeout_s=30,
    environment={"STREAM_PARTIAL_RESPONSE": "1", "STREAM_VIEW": "orders:view",
                 "STREAM_VIEW_TARGET": target, "STREAM_VIEW_MARKS": target + "-marks"})
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
        [DeployedConsumer("view", function, mapping)], client, checkpoints=checkpoints,
        observer=NoObserver(), scratch=Path(folder),
        connection={"AWS_ENDPOINT_URL": faulty, "AWS_ACCESS_KEY_ID": "local",
                    "AWS_SECRET_ACCESS_KEY": "local"}):
    threading.Event().wait()
"""


class Shop:
    """Orders in a table with a stream, and the table of their totals."""

    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb = dynamodb
        self.name = f"orders-{uuid.uuid4().hex[:8]}"
        self.target = f"{self.name}-totals"
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        self.stream_arn = self._table(self.name, "order_id", StreamSpecification=stream)[
            "LatestStreamArn"
        ]
        self._table(self.target, "customer")
        self._table(f"{self.target}-marks", "item")

    def _table(self, name: str, key: str, **more: Any) -> Any:
        return self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **more,
        )["TableDescription"]

    def write(self, count: int) -> None:
        """Make, change, move and delete orders from eight threads."""

        def one(number: int) -> None:
            chance = random.Random(number)  # noqa: S311 - the number is the reproduction
            order = {"order_id": f"o-{chance.randrange(max(count // 10, 1))}"}
            if chance.random() < 0.1:
                self.dynamodb.delete_item(TableName=self.name, Key=encode(order)["M"])
                return
            item = {
                **order,
                "customer": f"c-{chance.randrange(40)}",
                "status": chance.choice(["PLACED", "PAID", "CANCELLED"]),
                "total": Decimal(chance.randrange(1, 99_999)).scaleb(-2),
            }
            self.dynamodb.put_item(TableName=self.name, Item=encode(item)["M"])

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(one, range(count)))

    def compared(self, rounds: int = 0) -> Comparison:
        sides = (
            Side(self.dynamodb, self.name, ("order_id",)),
            Side(self.dynamodb, self.target, ("customer",)),
        )
        return compare_view(*sides, view=VIEW, segments=1, lag_s=0.5, rounds=rounds)

    def delete(self) -> None:
        for name in (self.name, self.target, f"{self.target}-marks"):
            self.dynamodb.delete_table(TableName=name)


@pytest.fixture
def shop(amazon: Clients) -> Iterator[Shop]:
    made = Shop(amazon("dynamodb"))
    yield made
    made.delete()


def test_after_kills_and_failing_calls_a_view_is_a_recomputation(
    shop: Shop, dynamodb_endpoint: str, fault_proxy: Any, tmp_path: Path
) -> None:
    shutil.copytree(
        ROOT / "lambda_runtime",
        tmp_path / "code" / "lambda_runtime",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (tmp_path / "code" / "orders.py").write_text(HANDLER)
    chance = random.Random(1)  # noqa: S311 - moments, not secrets
    began = time.monotonic()
    with (
        fault_proxy(dynamodb_endpoint, seed=1, rate=0.01) as faulty,
        ThreadPoolExecutor(1) as writing,
    ):
        argv = [sys.executable, "-c", DRIVER, dynamodb_endpoint, faulty.endpoint_url]
        argv += [shop.stream_arn, str(tmp_path), shop.target]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        written = writing.submit(shop.write, WRITES)
        for _ in range(KILLS):
            driver = subprocess.Popen(argv, env=environment)  # noqa: S603 - this Python, our text
            time.sleep(chance.uniform(2, 5))
            driver.send_signal(signal.SIGKILL)
            driver.wait()
        driver = subprocess.Popen(argv, env=environment)  # noqa: S603 - this Python, our text
        try:
            written.result()
            give_up = time.monotonic() + 60 + WRITES / 50
            while not (result := shop.compared()).is_equal and time.monotonic() < give_up:
                time.sleep(1)
        finally:
            driver.send_signal(signal.SIGTERM)
            driver.wait()
        failed = sum(faulty.counts.values()) - faulty.counts["forwarded"]

    assert failed > 0
    assert (result.differences, result.faults) == ((), ())
    print(  # noqa: T201 - shown with -s: the counts
        f"{WRITES:,} writes, {KILLS} kills, {failed} failing calls of DynamoDB: "
        f"{result.source_items:,} orders and {result.target_items} groups, 0 differ, "
        f"{time.monotonic() - began:.0f} s"
    )
