"""The live driver through everything that goes wrong: nothing lost, nothing out of order."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings
from cdk_streams.operations.consumer import Notice, Trouble
from cdk_streams.operations.deployed_function import DeployedFunction
from cdk_streams.operations.deployment import DeployedConsumer
from cdk_streams.operations.function_logs import LogLine
from cdk_streams.operations.live import driving
from cdk_streams.operations.local_aws import LocalAws, client
from cdk_streams.operations.positions import PositionStore
from cdk_streams.poller import CallEnded, EventSourceMapping, Throttled

pytestmark = pytest.mark.e2e

Clients = Callable[[str], Any]

# Writes down what it handles, one line a record, before it does anything else with it.
HANDLER = """
import json, os, time

def handler(event, context):
    for record in event["Records"]:
        change = record["dynamodb"]
        image = change.get("NewImage") or change.get("OldImage")
        behaviour = image.get("do", {}).get("S")
        if behaviour == "hang":
            time.sleep(600)
        if behaviour == "raise":
            raise ValueError("a bad record")
        time.sleep(float(os.environ.get("PAUSE_S", "0")))
        with open(os.environ["SEEN"], "a") as seen:
            seen.write(json.dumps({
                "key": image["pk"]["S"], "n": int(image["n"]["N"]), "name": record["eventName"],
                "number": change["SequenceNumber"], "identity": record.get("userIdentity"),
            }) + "\\n")
"""


@dataclass
class Watch:
    """Counts notices by kind and keeps troubles."""

    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    def notice(self, _consumer: str, _at_ms: int, notice: Notice) -> None:
        self.counts[type(notice).__name__] += 1
        match notice:
            case Trouble(what):
                self.troubles.append(what)
            case CallEnded(outcome=Throttled()):
                self.counts["throttles"] += 1

    def log(self, _consumer: str, _line: LogLine) -> None:
        pass


@dataclass
class Table:
    """A table with a stream, and a handler that writes down what it gets."""

    clients: Clients
    name: str
    stream_arn: str
    folder: Path
    written: int = 0

    def write(self, count: int, **more: Any) -> None:
        """Write `count` changes over ten items; `n` grows with each change."""
        dynamodb = self.clients("dynamodb")
        for _ in range(count):
            key = f"item-{self.written % 10}"
            item = {"pk": {"S": key}, "n": {"N": str(self.written)}, **more}
            dynamodb.put_item(TableName=self.name, Item=item)
            self.written += 1

    def seen(self) -> list[dict[str, Any]]:
        """Return what the handler wrote down, a half-written last line left out."""
        path = self.folder / "seen"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def consumer(self, settings: MappingSettings, timeout_s: float = 30) -> DeployedConsumer:
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{self.name}"
        environment = {"SEEN": str(self.folder / "seen")}
        function = DeployedFunction(
            self.folder / "code",
            "seeing.handler",
            environment=environment,
            arn=arn,
            timeout_s=timeout_s,
        )
        mapping = EventSourceMapping(
            settings=settings, function_arn=arn, stream_arn=self.stream_arn, uuid="mapping"
        )
        return DeployedConsumer("seeing", function, mapping)

    @contextlib.contextmanager
    def driven(
        self,
        settings: MappingSettings,
        clients: Clients | None = None,
        timeout_s: float = 30,
    ) -> Iterator[Watch]:
        watch = Watch()
        with (
            PositionStore(self.folder / "positions") as positions,
            driving(
                [self.consumer(settings, timeout_s)],
                clients or self.clients,
                positions=positions,
                audience=watch,
                connection={},
            ) as run,
        ):
            yield watch
            run.check()


def eventually(true: Callable[[], bool], what: str, limit_s: float = 60) -> None:
    give_up = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < give_up, what
        time.sleep(0.05)


@pytest.fixture
def table(
    dynamodb_endpoint: str,
    clients_at: Callable[[str], Clients],
    aws: LocalAws,
    tmp_path: Path,
) -> Iterator[Table]:
    amazon = clients_at(dynamodb_endpoint)

    def clients(service: str) -> Any:
        return amazon(service) if service.startswith("dynamodb") else client(aws, service)

    name = f"faults-{uuid.uuid4().hex[:8]}"
    made = amazon("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    # Apart from what the run writes: a changed file in an asset is new code.
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "seeing.py").write_text(HANDLER)
    yield Table(clients, name, made["LatestStreamArn"], tmp_path)
    amazon("dynamodb").delete_table(TableName=name)


def assert_nothing_is_lost_or_out_of_order(seen: list[dict[str, Any]], count: int) -> None:
    first_times = list(dict.fromkeys(each["n"] for each in seen))
    assert first_times == list(range(count))


@pytest.mark.parametrize("seed", [1, 2])
def test_throttled_and_broken_reads_lose_nothing(
    table: Table, fault_proxy: Any, clients_at: Callable[[str], Clients], seed: int
) -> None:
    target = table.clients("dynamodb").meta.endpoint_url
    with fault_proxy(target, seed=seed, rate=0.4) as proxy:
        faulty = clients_at(proxy.endpoint_url)
        with table.driven(MappingSettings(batch_size=10), faulty) as watch:
            table.write(300)
            eventually(lambda: len(table.seen()) >= 300, "300 records must be handled")
    assert [each["n"] for each in table.seen()] == list(range(300))
    assert watch.counts["ReadFailed"] > 0
    print(  # noqa: T201 - shown with -s: the counts
        f"seed {seed}: 300 of 300 handled once, in order; {dict(proxy.counts)}"
    )


def test_every_kind_of_fault_was_met(
    table: Table, fault_proxy: Any, clients_at: Callable[[str], Clients]
) -> None:
    target = table.clients("dynamodb").meta.endpoint_url
    table.write(50)
    with fault_proxy(target, seed=3, rate=0.6) as proxy:
        kinds = {"throttled", "limited", "failed", "expired", "broken before", "broken within"}
        with table.driven(MappingSettings(batch_size=1), clients_at(proxy.endpoint_url)):
            eventually(lambda: kinds <= set(proxy.counts), "every kind must come")
            eventually(lambda: len(table.seen()) >= 50, "50 records must be handled")
    assert [each["n"] for each in table.seen()] == list(range(50))


DRIVER = """
import json, sys, threading
from pathlib import Path
import boto3
from cdk_streams.mapping import MappingSettings
from cdk_streams.operations.deployed_function import DeployedFunction
from cdk_streams.operations.deployment import DeployedConsumer
from cdk_streams.operations.live import driving
from cdk_streams.operations.positions import PositionStore
from cdk_streams.poller import EventSourceMapping

endpoint, stream, folder = sys.argv[1:]
function = DeployedFunction(
    Path(folder, "code"), "seeing.handler", timeout_s=30,
    environment={"SEEN": folder + "/seen", "PAUSE_S": "0.005"})
settings = MappingSettings(batch_size=7, parallelization_factor=int("PF"))
mapping = EventSourceMapping(
    settings=settings, function_arn=function.invoked_arn, stream_arn=stream, uuid="mapping")

class Nobody:
    def notice(self, consumer, at_ms, notice): pass
    def log(self, consumer, line): pass

def client(service):
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1",
                        aws_access_key_id="local", aws_secret_access_key="local")

with PositionStore(Path(folder) / "positions") as positions, driving(
        [DeployedConsumer("seeing", function, mapping)], client, positions=positions,
        audience=Nobody(), connection={}, scratch=Path(folder)):
    threading.Event().wait()
"""


@pytest.mark.parametrize("factor", [1, 3])
def test_a_driver_killed_at_random_moments_loses_nothing(table: Table, factor: int) -> None:
    count, kills = 300, 5
    draws = random.Random(factor)  # noqa: S311 - moments, not secrets
    writing = threading.Thread(target=table.write, args=(count,))
    writing.start()
    endpoint = table.clients("dynamodb").meta.endpoint_url
    argv = [sys.executable, "-c", DRIVER.replace("PF", str(factor))]
    argv += [endpoint, table.stream_arn, str(table.folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    for _ in range(kills):
        before = len(table.seen())
        driver = subprocess.Popen(argv, env=environment)  # noqa: S603 - this Python, our text
        eventually(
            lambda before=before: len(table.seen()) > before or not _left(table, count),  # type: ignore[misc]
            "the driver must go on",
        )
        time.sleep(draws.uniform(0, 0.3))
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    writing.join()
    with table.driven(MappingSettings(batch_size=7, parallelization_factor=factor)):
        eventually(lambda: not _left(table, count), "every record must be handled")
    seen = table.seen()
    for key in {each["key"] for each in seen}:
        numbers = [each["n"] for each in seen if each["key"] == key]
        assert list(dict.fromkeys(numbers)) == sorted(set(numbers)), key
    if factor == 1:
        assert_nothing_is_lost_or_out_of_order(seen, count)
    again = len(seen) - count
    print(  # noqa: T201 - shown with -s: the counts
        f"factor {factor}: {kills} kills, {count} of {count} handled, {again} of them again"
    )


def _numbers(table: Table) -> set[str]:
    return {each["number"] for each in table.seen()}


def _left(table: Table, count: int) -> set[int]:
    return set(range(count)) - {each["n"] for each in table.seen()}


def test_a_handler_that_hangs_is_isolated_and_the_rest_goes_through(
    table: Table, aws: LocalAws
) -> None:
    table.write(5)
    table.write(1, do={"S": "hang"})
    table.write(5)
    settings = MappingSettings(
        retry_attempts=0, bisect_batch_on_error=True, on_failure=_queue(aws, table.name)
    )
    with table.driven(settings, timeout_s=0.5) as watch:
        eventually(lambda: watch.counts["FailureSent"] == 1, "one record must be given up")
        eventually(lambda: len(_numbers(table)) == 10, "ten records must be handled")
    (body,) = _messages(aws, table.name)
    assert body["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert body["responseContext"]["functionError"] == "Unhandled"
    assert body["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_destination_that_refuses_loses_the_failure_record_and_nothing_else(
    table: Table,
) -> None:
    table.write(2)
    table.write(1, do={"S": "raise"})
    table.write(2)
    settings = MappingSettings(
        batch_size=1,
        retry_attempts=0,
        on_failure="arn:aws:sqs:us-east-1:000000000000:there-is-no-such-queue",
    )
    with table.driven(settings) as watch:
        eventually(lambda: len(table.seen()) == 4, "four records must be handled")
    assert watch.counts["FailureSent"] == 1
    (trouble,) = watch.troubles
    assert trouble.startswith("the failure record was refused and is lost")


def test_an_item_deleted_by_time_to_live_says_who_deleted_it(table: Table) -> None:
    dynamodb = table.clients("dynamodb")
    dynamodb.update_time_to_live(
        TableName=table.name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"},
    )
    table.write(1, expires={"N": str(int(time.time()) - 60)})
    with table.driven(MappingSettings()):
        eventually(lambda: len(table.seen()) == 2, "the item must expire")
    removed = table.seen()[1]
    assert removed["name"] == "REMOVE"
    assert removed["identity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def _queue(aws: LocalAws, name: str) -> str:
    sqs = client(aws, "sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn: str = attributes["Attributes"]["QueueArn"]
    return arn


def _messages(aws: LocalAws, name: str) -> list[dict[str, Any]]:
    sqs = client(aws, "sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(each["Body"]) for each in found]
