"""examples/replica on a local AWS: deployed, driven, backfilled and compared."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.data import backfill, compare, side_of
from cdk_streams.lambda_local import LogLine
from cdk_streams.live import Notice
from cdk_streams.local import LocalApp, LocalRun, local_run
from examples.replica.handlers.shape import shape

pytestmark = pytest.mark.e2e

EXAMPLE = Path(__file__).parents[2] / "examples" / "replica"


class Quiet:
    """An observer that keeps nothing."""

    def notice(self, consumer: str, at_ms: int, notice: Notice) -> None: ...

    def log(self, consumer: str, line: LogLine) -> None: ...


@pytest.fixture(scope="module")
def run() -> Iterator[LocalRun]:
    if shutil.which("cdk") is None:
        pytest.skip("the cdk command is not on the PATH")
    with local_run(LocalApp(EXAMPLE), observer=Quiet()) as running:
        yield running


def order(number: int, customer: str, status: str = "PLACED") -> dict[str, Any]:
    return {
        "order_id": {"S": f"o-{number}"},
        "customer": {"S": customer},
        "status": {"S": status},
        "total": {"N": "12.5"},
        "raw": {"B": b"\0\1"},
    }


def eventually(found: Callable[[], Any]) -> Any:
    give_up = time.monotonic() + 30
    while not (answer := found()) and time.monotonic() < give_up:
        time.sleep(0.2)
    return answer


def test_the_replica_follows_and_compares_equal(run: LocalRun) -> None:
    outputs = run.outputs["Replica"]
    orders, replica = outputs["OrdersTableName"], outputs["ReplicaTableName"]
    dynamodb = run.client("dynamodb")
    for number in range(60):
        status = "DRAFT" if number % 5 == 0 else "PLACED"
        dynamodb.put_item(TableName=orders, Item=order(number, f"c-{number % 7}", status))
    for number in range(20):
        dynamodb.put_item(TableName=orders, Item=order(number, "c-moved"))
    for number in range(10):
        dynamodb.delete_item(TableName=orders, Key={"order_id": {"S": f"o-{number}"}})

    source, target = side_of(dynamodb, orders), side_of(dynamodb, replica)

    def is_equal() -> bool:
        run.check()
        return compare(source, target, transform=shape, lag_s=0, rounds=1).is_equal

    assert eventually(is_equal)
    moved = dynamodb.query(
        TableName=replica,
        KeyConditionExpression="customer = :c",
        ExpressionAttributeValues={":c": {"S": "c-moved"}},
    )["Items"]
    # Those that were deleted are tombstones.
    assert sum("_stream_deleted" not in item for item in moved) == 10


def test_a_backfill_changes_nothing_that_the_stream_has_brought(run: LocalRun) -> None:
    outputs = run.outputs["Replica"]
    source = side_of(run.client("dynamodb"), outputs["OrdersTableName"])
    target = side_of(run.client("dynamodb"), outputs["ReplicaTableName"])
    result = backfill(source, target, transform=shape)
    assert (result.counts.written, result.counts.failures) == (0, ())
    assert compare(source, target, transform=shape, lag_s=0).is_equal
