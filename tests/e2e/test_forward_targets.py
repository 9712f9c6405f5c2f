"""A forwarder and each of its targets on a local AWS: what is read there is what was changed.

Every target is real here. What stays on fakes (tests/unit/lambda_runtime/forward) is what the local
AWS never does: refusing some entries of a call, throttling, and the limits of a call in bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cdk_streams.simulator import in_order, insert, modify, remove
from lambda_runtime import forward, parse
from lambda_runtime.forward import Forwarder

pytestmark = pytest.mark.e2e

Clients = Callable[[str], Any]
RECORDS = in_order(
    insert({"pk": "a", "total": 12, "tags": {"x", "y"}, "photo": b"\x00\xff"}, keys="pk"),
    modify({"pk": "a", "total": 12}, {"pk": "a", "total": 13}, keys="pk"),
    insert({"pk": "b", "big": 10**30}, keys="pk"),
    remove({"pk": "a", "total": 13}, keys="pk"),
)
CHANGES = parse({"Records": RECORDS})


class Near:
    """The local AWS's clients, as a forwarder asks for them."""

    def __init__(self, clients: Clients) -> None:
        self.client = clients

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


@pytest.fixture(autouse=True)
def _services(near: Clients, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", "1")
    with forward.services(Near(near)):
        yield


@pytest.fixture
def name() -> str:
    return f"forward-{uuid.uuid4().hex[:8]}"


def send(target: Any, times: int = 1) -> None:
    for _ in range(times):
        assert Forwarder(target).handler({"Records": RECORDS}) == {"batchItemFailures": []}


def received(near: Clients, url: str, count: int, limit_s: float = 20) -> list[Any]:
    """Return the messages of a queue as Lambda would be called with them."""
    found: list[Any] = []
    give_up = time.monotonic() + limit_s
    while len(found) < count and time.monotonic() < give_up:
        answer = near("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        )
        for message in answer.get("Messages", []):
            found.append({"eventSource": "aws:sqs", "body": message["Body"]})
            near("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def queue_of(near: Clients, name: str, **attributes: str) -> tuple[str, str]:
    sqs = near("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, told["Attributes"]["QueueArn"]


def same(arrived: list[Any]) -> None:
    by_number = sorted(arrived, key=lambda change: int(change.sequence_number))
    assert by_number == CHANGES


def test_a_queue(near: Clients, name: str) -> None:
    url, _ = queue_of(near, name)
    send(forward.SqsQueue(url))
    same(parse({"Records": received(near, url, 4)}))


def test_a_fifo_queue_keeps_the_order_and_takes_each_event_once(near: Clients, name: str) -> None:
    url, _ = queue_of(near, f"{name}.fifo", FifoQueue="true")
    send(forward.SqsQueue(url), times=2)
    arrived = parse({"Records": received(near, url, 4)})
    same(arrived)
    assert received(near, url, 1, limit_s=1) == []
    numbers = [int(each.sequence_number) for each in arrived if each.keys["pk"] == "a"]
    assert numbers == sorted(numbers)


def test_a_topic_and_the_queue_behind_it(near: Clients, name: str) -> None:
    url, arn = queue_of(near, name)
    topic = near("sns").create_topic(Name=name)["TopicArn"]
    near("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    send(forward.SnsTopic(topic))
    same(parse({"Records": received(near, url, 4)}))


def test_a_fifo_topic_and_the_fifo_queue_behind_it(near: Clients, name: str) -> None:
    url, arn = queue_of(near, f"{name}.fifo", FifoQueue="true")
    topic = near("sns").create_topic(Name=f"{name}.fifo", Attributes={"FifoTopic": "true"})
    near("sns").subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=arn)
    send(forward.SnsTopic(topic["TopicArn"]), times=2)
    same(parse({"Records": received(near, url, 4)}))
    assert received(near, url, 1, limit_s=1) == []


def test_a_bus_and_a_rule_that_asks_for_what_changed(near: Clients, name: str) -> None:
    every, every_arn = queue_of(near, name)
    totals, totals_arn = queue_of(near, f"{name}-totals")
    events = near("events")
    events.create_event_bus(Name=name)
    patterns = {
        every_arn: {"source": [CHANGES[0].source.arn.partition("/stream/")[0]]},
        totals_arn: {"detail": {"data": {"changed": ["total"], "after": {"total": [13]}}}},
    }
    for number, (arn, pattern) in enumerate(patterns.items()):
        rule = {"Name": f"{name}-{number}", "EventBusName": name}
        events.put_rule(**rule, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=rule["Name"], EventBusName=name, Targets=[{"Id": "1", "Arn": arn}])
    send(forward.EventBus(name))
    same(parse({"Records": received(near, every, 4)}))
    assert parse({"Records": received(near, totals, 1)}) == [CHANGES[1]]


def test_a_kinesis_stream_keeps_the_order_of_each_item(near: Clients, name: str) -> None:
    kinesis = near("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    send(forward.KinesisStream(name))
    (shard,) = kinesis.list_shards(StreamName=name)["Shards"]
    iterator = kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert parse([json.loads(each["Data"]) for each in records]) == CHANGES
    assert {each["PartitionKey"] for each in records} == {"a", "b"}


def test_a_firehose_stream_writes_lines(near: Clients, name: str) -> None:
    near("s3").create_bucket(Bucket=name)
    near("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/firehose",
            "BucketARN": f"arn:aws:s3:::{name}",
        },
    )
    send(forward.FirehoseDeliveryStream(name))
    lines: list[str] = []
    give_up = time.monotonic() + 20
    while len(lines) < 4 and time.monotonic() < give_up:
        lines = [line for body in bodies(near, name).values() for line in body.splitlines()]
    same(parse([json.loads(line) for line in lines]))


def test_a_bucket_gets_one_object_for_a_batch_however_often(near: Clients, name: str) -> None:
    near("s3").create_bucket(Bucket=name)
    send(forward.S3Bucket(name, prefix="changes/"), times=2)
    ((key, body),) = bodies(near, name).items()
    assert key.startswith("changes/Table/2026/01/01/")
    same(parse([json.loads(line) for line in body.splitlines()]))


def bodies(near: Clients, bucket: str) -> dict[str, str]:
    listed = near("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    read = {
        each["Key"]: near("s3").get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
        for each in listed
    }
    return {
        key: (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode()
        for key, body in read.items()
    }


def test_a_claim_check_is_read_back(near: Clients, name: str) -> None:
    near("s3").create_bucket(Bucket=name)
    url, _ = queue_of(near, name)
    (large,) = parse({"Records": in_order(insert({"pk": "a", "text": "x" * 300_000}, keys="pk"))})
    Forwarder(forward.SqsQueue(url), large_events=forward.ClaimChecks(name)).send(large)
    (arrived,) = parse({"Records": received(near, url, 1)})
    assert not arrived.has_new
    assert forward.fetch(arrived).new == large.new


def test_a_state_machine_starts_once_for_each_change(near: Clients, name: str) -> None:
    states = near("stepfunctions")
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    machine = states.create_state_machine(
        name=name,
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::000000000000:role/states",
    )["stateMachineArn"]
    send(forward.SfnStateMachine(machine), times=2)
    executions = states.list_executions(stateMachineArn=machine)["executions"]
    inputs = [
        json.loads(states.describe_execution(executionArn=each["executionArn"])["input"])
        for each in executions
    ]
    same(parse(inputs))


FUNCTION = """
import json, os, boto3

def handler(event, context):
    if len(event) == 1:
        raise ValueError("one alone")
    body = json.dumps(event).encode()
    boto3.client("s3").put_object(Bucket=os.environ["SEEN"], Key="seen", Body=body)
"""


def test_a_function_is_called_with_a_list_of_events(near: Clients, name: str) -> None:
    near("s3").create_bucket(Bucket=name)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", FUNCTION)
    near("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/function",
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"SEEN": name}},
        Timeout=30,
    )
    send(forward.LambdaFunction(name))
    same(parse(json.loads(bodies(near, name)["seen"])))
    failed = Forwarder(forward.LambdaFunction(name)).handler({"Records": RECORDS[:1]})
    assert failed == {"batchItemFailures": [{"itemIdentifier": CHANGES[0].sequence_number}]}
