"""What a scenario needs to run for real: a table with its items, a queue, a function."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cdk_streams.errors import StreamsError
from cdk_streams.lambda_local import DeployedFunction
from cdk_streams.live import Client, DeployedConsumer
from cdk_streams.poller import EventSourceMapping
from lambda_runtime import encode
from tests.bench import scenario_handler
from tests.bench.scenario import Scenario

__all__ = ["ScenarioFixture", "scenario_fixture"]

_ENABLED_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class ScenarioFixture:
    """A table with `scenario.count` items written in order, and a queue for failure records.

    `began_s` is the moment, in epoch seconds, from which the scenario counts its own.
    """

    scenario: Scenario
    client: Client
    table: str
    stream_arn: str
    queue_url: str
    queue_arn: str
    asset: Path
    began_s: int

    @property
    def starts_ms(self) -> int:
        """Return when the mapping starts, by its own clock."""
        last_s = max(self.scenario.written_s, default=0)
        return (self.began_s + last_s + self.scenario.late_s) * 1000

    def consumer(self) -> DeployedConsumer:
        """Return the scenario's mapping and function as if they were deployed."""
        name = f"{self.table}-handler"
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
        plan = json.dumps(dict(self.scenario.plan))
        return DeployedConsumer(
            name,
            DeployedFunction(
                self.asset,
                "scenario_handler.handler",
                name=name,
                arn=arn,
                environment={"PLAN": plan},
                timeout_s=30,
            ),
            EventSourceMapping(
                settings=replace(self.scenario.settings, on_failure=self.queue_arn),
                function_arn=arn,
                stream_arn=self.stream_arn,
                uuid=str(uuid.uuid4()),
                ids=lambda _number: str(uuid.uuid4()),
            ),
        )

    def failures(self) -> list[dict[str, Any]]:
        """Return the failure records that are in the queue, in the order they were sent."""
        bodies: list[dict[str, Any]] = []
        while True:
            sqs = self.client("sqs")
            found = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
            messages = found.get("Messages", [])
            if not messages:
                return sorted(bodies, key=lambda body: str(body["timestamp"]))
            for message in messages:
                bodies.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])

    def ordinals(self) -> dict[str, int]:
        """Return the ordinal of each sequence number of the stream."""
        streams = self.client("dynamodbstreams")
        described = streams.describe_stream(StreamArn=self.stream_arn)["StreamDescription"]
        ordinals: dict[str, int] = {}
        for shard in described["Shards"]:
            iterator = streams.get_shard_iterator(
                StreamArn=self.stream_arn,
                ShardId=shard["ShardId"],
                ShardIteratorType="TRIM_HORIZON",
            )["ShardIterator"]
            # The records are in the stream already, so the first empty answer is the end.
            while records := (answer := streams.get_records(ShardIterator=iterator))["Records"]:
                for change in (record["dynamodb"] for record in records):
                    ordinals[change["SequenceNumber"]] = int(change["NewImage"]["ordinal"]["N"])
                iterator = answer["NextShardIterator"]
        return ordinals


@contextlib.contextmanager
def scenario_fixture(
    scenario: Scenario, client: Client, *, waiting: bool = True
) -> Iterator[ScenarioFixture]:
    """Make the scenario's table and queue, write its items, and remove both in the end.

    `waiting`: each item is written at its own second, and not as soon as possible.
    """
    name = f"{scenario.name}-{uuid.uuid4().hex[:8]}"
    dynamodb, sqs = client("dynamodb"), client("sqs")
    stream_arn = _new_table(dynamodb, name)
    _await_stream(client("dynamodbstreams"), stream_arn)
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    try:
        with tempfile.TemporaryDirectory(prefix="cdk-streams-scenario-") as folder:
            # Apart from everything that changes: a changed file in an asset is new code.
            asset = Path(folder, "asset")
            asset.mkdir()
            shutil.copy(scenario_handler.__file__, asset)
            began_s = _begin(scenario, waiting=waiting)
            for ordinal in range(1, scenario.count + 1):
                if waiting and scenario.written_s:
                    _sleep_until(began_s + scenario.written_s[ordinal - 1])
                item = encode(scenario.item(ordinal))["M"]
                dynamodb.put_item(TableName=name, Item=item)
            yield ScenarioFixture(
                scenario,
                client,
                name,
                stream_arn,
                queue_url,
                attributes["Attributes"]["QueueArn"],
                asset,
                began_s,
            )
    finally:
        dynamodb.delete_table(TableName=name)
        sqs.delete_queue(QueueUrl=queue_url)


def _new_table(dynamodb: Any, name: str) -> str:
    """Make a table of that name and return its stream's ARN."""
    made = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    stream_arn: str = made["TableDescription"]["LatestStreamArn"]
    return stream_arn


def _await_stream(streams: Any, stream_arn: str) -> None:
    """Wait until the stream takes records: some endpoints lose what is written before that."""
    give_up = time.monotonic() + _ENABLED_WITHIN_S
    while True:
        described = streams.describe_stream(StreamArn=stream_arn)["StreamDescription"]
        if (status := described["StreamStatus"]) == "ENABLED":
            return
        if time.monotonic() > give_up:
            raise StreamsError(
                f"{stream_arn} must be ENABLED within {_ENABLED_WITHIN_S:g} s, got {status}"
            )
        time.sleep(_LOOK_EVERY_S)


def _begin(scenario: Scenario, *, waiting: bool) -> int:
    """Return the start of the tumbling window (without one: the second) that is now or next."""
    if not scenario.written_s:
        return int(time.time())
    window = scenario.settings.tumbling_window
    length_s = 1 if window is None else int(window.total_seconds())
    now_s = int(time.time())
    return now_s - now_s % length_s + (length_s if waiting else 0)


def _sleep_until(epoch_s: float) -> None:
    time.sleep(max(0.0, epoch_s - time.time()))
