"""Run a scenario for real: a new table, a new queue, the handler in Lambda's runtime client.

    rehearse(SCENARIOS[0], client, connection={}) == SCENARIOS[0].expected

This is how a local AWS is compared with Lambda's recorded behaviour, and how the poller that the
simulator runs is shown to do the same with real reads, real calls and real failure records.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cdk_streams.errors import StreamsError
from cdk_streams.poller import (
    Checkpoint,
    EventSourceMapping,
    FailureSent,
    Invoke,
    SendFailure,
    Settled,
)

from . import scenario_handler
from .consumer import Notice
from .deployed_function import DeployedFunction
from .deployment import Client, DeployedConsumer
from .function_logs import LogLine
from .live import driving
from .positions import PositionStore
from .scenarios import Result, Scenario, result_of

__all__ = ["Rehearsal", "rehearse", "rehearsing"]

_LIMIT_S = 60.0


@dataclass(slots=True)
class _Watch:
    """Waits until all records are settled and all failure records sent; keeps what was called."""

    expected: int
    calls: list[Any] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    settled: int = 0
    sending: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    def notice(self, _consumer: str, _at_ms: int, notice: Notice) -> None:
        """Take part in a run."""
        match notice:
            case Invoke():
                self.calls.append(notice.records)
                self.request_ids.append(notice.request_id)
            case Settled(_, _, records):
                self.settled += len(records)
            case SendFailure():
                self.sending += 1
            case FailureSent():
                self.sending -= 1
            case Checkpoint() if self.settled >= self.expected and not self.sending:
                self.done.set()

    def log(self, _consumer: str, _line: LogLine) -> None:
        """Take part in a run; nobody reads these handlers' lines."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A table with `scenario.count` items written in order, and a queue for failure records."""

    scenario: Scenario
    client: Client
    table: str
    stream_arn: str
    queue_url: str
    queue_arn: str
    asset: Path

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
            for record in streams.get_records(ShardIterator=iterator)["Records"]:
                change = record["dynamodb"]
                ordinals[change["SequenceNumber"]] = int(change["NewImage"]["ordinal"]["N"])
        return ordinals


def rehearse(scenario: Scenario, client: Client, connection: Mapping[str, str]) -> Result:
    """Run the scenario and return the calls that were made and the failure records that came.

    Raises:
        StreamsError: Not every record was dealt with in a minute.

    """
    watch = _Watch(scenario.count)
    with contextlib.ExitStack() as stack:
        rehearsal = stack.enter_context(rehearsing(scenario, client))
        positions = stack.enter_context(PositionStore(rehearsal.asset.parent / "positions"))
        run = stack.enter_context(
            driving(
                [rehearsal.consumer()],
                client,
                positions=positions,
                audience=watch,
                connection=connection,
            )
        )
        if not watch.done.wait(_LIMIT_S):
            run.check()
            raise StreamsError(
                f"{scenario.name}: {scenario.count} records must be dealt with in {_LIMIT_S:g} s, "
                f"got {watch.settled}"
            )
        return result_of(watch.calls, rehearsal.failures(), rehearsal.ordinals())


@contextlib.contextmanager
def rehearsing(scenario: Scenario, client: Client) -> Iterator[Rehearsal]:
    """Make the scenario's table and queue, write its items, and remove both in the end."""
    name = f"{scenario.name}-{uuid.uuid4().hex[:8]}"
    dynamodb, sqs = client("dynamodb"), client("sqs")
    table = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    try:
        with tempfile.TemporaryDirectory(prefix="cdk-streams-scenario-") as folder:
            # Apart from everything that changes: a changed file in an asset is new code.
            asset = Path(folder, "asset")
            asset.mkdir()
            shutil.copy(scenario_handler.__file__, asset)
            for ordinal in range(1, scenario.count + 1):
                item = {
                    "pk": {"S": f"item-{ordinal}"},
                    "ordinal": {"N": str(ordinal)},
                    "keep": {"BOOL": ordinal in scenario.keep},
                }
                dynamodb.put_item(TableName=name, Item=item)
            yield Rehearsal(
                scenario,
                client,
                name,
                table["LatestStreamArn"],
                queue_url,
                attributes["Attributes"]["QueueArn"],
                asset,
            )
    finally:
        dynamodb.delete_table(TableName=name)
        sqs.delete_queue(QueueUrl=queue_url)
