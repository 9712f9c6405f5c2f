"""examples/view on a local AWS: deployed, driven, its totals read from the real table."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.lambda_local import LogLine
from cdk_streams.live import Notice
from cdk_streams.local import LocalApp, LocalRun, local_run
from examples.view.handlers.totals import view
from lambda_runtime import decode, encode
from lambda_runtime.views import backfill_event, recompute

pytestmark = pytest.mark.e2e

EXAMPLE = Path(__file__).parents[2] / "examples" / "view"


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


def items(run: LocalRun, output: str) -> list[dict[str, Any]]:
    page = run.client("dynamodb").scan(TableName=run.outputs["View"][output])
    return [decode({"M": item}) for item in page["Items"]]


def by_customer(totals: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["customer"]: each for each in totals}


def eventually(run: LocalRun, holds: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + 30
    while not holds() and time.monotonic() < give_up:
        run.check()
        time.sleep(0.2)
    return holds()


def test_the_totals_are_those_of_a_recomputation(run: LocalRun) -> None:
    dynamodb, table = run.client("dynamodb"), run.outputs["View"]["OrdersTableName"]
    for number in range(60):
        order: dict[str, Any] = {
            "order_id": f"o-{number % 20}",
            "customer": f"c-{number % 3}",
            "status": ("PLACED", "PAID", "CANCELLED")[number % 7 % 3],
            "total": Decimal(number * 100 + 99).scaleb(-2),
        }
        dynamodb.put_item(TableName=table, Item=encode(order)["M"])
    for number in (3, 4):
        dynamodb.delete_item(TableName=table, Key={"order_id": {"S": f"o-{number}"}})

    expected = by_customer(recompute(view, items(run, "OrdersTableName")))
    assert len(expected) == 3
    assert eventually(run, lambda: by_customer(items(run, "TotalsTableName")) == expected)


def test_a_backfill_by_the_deployed_function_changes_nothing_that_is_right(run: LocalRun) -> None:
    page = run.client("dynamodb").scan(TableName=run.outputs["View"]["OrdersTableName"])
    before = by_customer(items(run, "TotalsTableName"))
    event = backfill_event(page["Items"], ["order_id"], scanned_at=time.time() + 3600)

    answer = run.client("lambda").invoke(
        FunctionName=run.outputs["View"]["ViewFunctionName"], Payload=json.dumps(event).encode()
    )

    assert json.load(answer["Payload"]) == {"batchItemFailures": []}
    assert by_customer(items(run, "TotalsTableName")) == before
