"""A table whose consumer writes down what it handles, and ways to make its driver's life hard."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.lambda_local import DeployedFunction, LogLine
from cdk_streams.live import CheckpointStore, DeployedConsumer, Notice, Problem, drive
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import CallEnded, EventSourceMapping, Throttled

Clients = Callable[[str], Any]

# Writes down what it handles, one line a record, before it does anything else with it.
HANDLER = """
import json, os, time

def handler(event, context):
    total = event.get("state", {}).get("total", 0)
    for record in event["Records"]:
        change = record["dynamodb"]
        image = change.get("NewImage") or change.get("OldImage")
        behaviour = image.get("do", {}).get("S")
        if behaviour == "hang":
            time.sleep(600)
        if behaviour == "raise":
            raise ValueError("a bad record")
        time.sleep(float(os.environ.get("PAUSE_S", "0")))
        total += int(image["n"]["N"])
        with open(os.environ["SEEN"], "a") as seen:
            seen.write(json.dumps({
                "key": image["pk"]["S"], "n": int(image["n"]["N"]), "name": record["eventName"],
                "number": change["SequenceNumber"], "identity": record.get("userIdentity"),
            }) + "\\n")
    if event.get("isFinalInvokeForWindow"):
        with open(os.environ["SEEN"] + "-totals", "a") as totals:
            window = event["shardId"] + " " + event["window"]["start"]
            totals.write(json.dumps([window, total]) + "\\n")
    return {"state": {"total": total}}
"""

# Drives the consumer until it is killed.
DRIVER = """
import json, sys, threading
from pathlib import Path
import boto3
from cdk_streams.mapping import MappingSettings
from cdk_streams.lambda_local import DeployedFunction
from cdk_streams.live import DeployedConsumer
from cdk_streams.live import drive
from cdk_streams.live import CheckpointStore
from cdk_streams.poller import EventSourceMapping

endpoint, stream, folder, settings = sys.argv[1:]
function = DeployedFunction(
    Path(folder, "code"), "seeing.handler", timeout_s=30,
    environment={"SEEN": folder + "/seen", "PAUSE_S": "0.005"})
mapping = EventSourceMapping(
    settings=MappingSettings(**json.loads(settings)), function_arn=function.invoked_arn,
    stream_arn=stream, uuid="mapping")

class NoObserver:
    def notice(self, consumer, at_ms, notice): pass
    def log(self, consumer, line): pass

def client(service):
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1",
                        aws_access_key_id="local", aws_secret_access_key="local")

with CheckpointStore(Path(folder) / "checkpoints") as checkpoints, drive(
        [DeployedConsumer("seeing", function, mapping)], client, checkpoints=checkpoints,
        observer=NoObserver(), connection={}, scratch=Path(folder)):
    threading.Event().wait()
"""


def eventually(true: Callable[[], bool], what: str, limit_s: float = 60) -> None:
    give_up = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < give_up, what
        time.sleep(0.05)


@dataclass
class Watch:
    """Counts notices by kind and keeps problems."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def notice(self, _consumer: str, _at_ms: int, notice: Notice) -> None:
        self.counts[type(notice).__name__] += 1
        match notice:
            case Problem(what):
                self.problems.append(what)
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
        """Return what the handler wrote down."""
        return self._lines("seen")

    def totals(self) -> dict[str, set[int]]:
        """Return what the closing calls of each shard's windows were told."""
        found: dict[str, set[int]] = {}
        for window, total in self._lines("seen-totals"):
            found.setdefault(window, set()).add(total)
        return found

    def left(self, count: int) -> set[int]:
        """Return which of the first `count` changes were not handled yet."""
        return set(range(count)) - {each["n"] for each in self.seen()}

    def _lines(self, name: str) -> list[Any]:
        """Return a file's lines, a half-written last one left out."""
        path = self.folder / name
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
            CheckpointStore(self.folder / "checkpoints") as checkpoints,
            drive(
                [self.consumer(settings, timeout_s)],
                clients or self.clients,
                checkpoints=checkpoints,
                observer=watch,
                connection={},
            ) as run,
        ):
            yield watch
            run.check()

    def driven_and_killed(
        self, endpoint_url: str, settings: dict[str, Any], count: int, *, kills: int, seed: int
    ) -> None:
        """Drive in a process of its own, and kill it (-9) again and again a moment after a call."""
        draws = random.Random(seed)  # noqa: S311 - moments, not secrets
        argv = [sys.executable, "-c", DRIVER, endpoint_url, self.stream_arn]
        argv += [str(self.folder), json.dumps(settings)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        for _ in range(kills):
            before = len(self.seen())
            driver = subprocess.Popen(argv, env=environment)  # noqa: S603 - this Python, our text
            eventually(
                lambda before=before: len(self.seen()) > before or not self.left(count),  # type: ignore[misc]
                "the driver must go on",
            )
            time.sleep(draws.uniform(0, 0.3))
            driver.send_signal(signal.SIGKILL)
            driver.wait()


@pytest.fixture
def table(amazon: Clients, near: Clients, tmp_path: Path) -> Iterator[Table]:
    def clients(service: str) -> Any:
        return (amazon if service.startswith("dynamodb") else near)(service)

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


@pytest.fixture(name="eventually")
def _eventually() -> Callable[..., None]:
    """Return the wait for something, because a test cannot import what stands beside it."""
    return eventually
