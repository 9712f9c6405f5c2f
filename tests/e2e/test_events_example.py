"""examples/events on a local AWS: deployed, driven, its bus and both subscribers real."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.lambda_local import LogLine
from cdk_streams.live import Notice
from cdk_streams.local import LocalApp, LocalRun, local_run
from lambda_runtime import Insert, Modify, parse

pytestmark = pytest.mark.e2e

EXAMPLE = Path(__file__).parents[2] / "examples" / "events"


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


def eventually(found: Callable[[], Any]) -> Any:
    give_up = time.monotonic() + 30
    while not (answer := found()) and time.monotonic() < give_up:
        time.sleep(0.2)
    return answer


def test_changes_reach_both_subscribers(run: LocalRun) -> None:
    outputs = run.outputs["Events"]
    table = outputs["OrdersTableName"]
    write = run.client("dynamodb").put_item
    write(TableName=table, Item={"order_id": {"S": "o-1"}, "total": {"N": "12.5"}})
    item = {"order_id": {"S": "o-1"}, "total": {"N": "12.5"}, "status": {"S": "PAID"}}
    write(TableName=table, Item=item)

    messages: list[Any] = []

    def both() -> bool:
        answer = run.client("sqs").receive_message(
            QueueUrl=outputs["SearchQueueUrl"], MaxNumberOfMessages=10
        )
        messages.extend({"body": each["Body"]} for each in answer.get("Messages", []))
        run.check()
        return len(messages) >= 2

    assert eventually(both)
    by_number = sorted(parse({"Records": messages}), key=lambda change: int(change.sequence_number))
    assert [type(each) for each in by_number] == [Insert, Modify]
    assert by_number[1].new == {"order_id": "o-1", "total": 12.5, "status": "PAID"}
    assert json.loads(messages[0]["body"])["source"] == "shop.orders"
    assert eventually(lambda: "Order o-1 is paid: 12.5." in told(run))


def told(run: LocalRun) -> str:
    """Return what the notifying function wrote to its log."""
    logs, group = run.client("logs"), f"/aws/lambda/{run.outputs['Events']['NotifyFunctionName']}"
    try:
        return "".join(
            each["message"] for each in logs.filter_log_events(logGroupName=group)["events"]
        )
    except logs.exceptions.ResourceNotFoundException:
        return ""
