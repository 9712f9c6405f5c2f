"""Failure records in a real bucket and behind a real topic, as a person would find them there."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from cdk_streams.live import CheckpointStore, DeployedConsumer, Notice, drive
from cdk_streams.poller import FailureSent
from cdk_streams.redrive import receive_messages
from tests.bench.fixture import ScenarioFixture, scenario_fixture
from tests.bench.recorded_scenarios import SCENARIOS

pytestmark = pytest.mark.e2e

KEY = (
    r"aws/lambda/[0-9a-f-]{36}/shardId-[0-9a-f-]+/\d{4}/\d\d/\d\d/"
    r"\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}"
)


class UntilSent:
    """Waits for the one failure record of a run."""

    def __init__(self) -> None:
        self.sent = threading.Event()

    def notice(self, _consumer: str, _at_ms: int, notice: Notice) -> None:
        if isinstance(notice, FailureSent) and notice.delivered:
            self.sent.set()

    def log(self, _consumer: str, _line: object) -> None:
        pass


@pytest.fixture
def fixture(near: Callable[[str], Any]) -> Iterator[ScenarioFixture]:
    """Four records of which the second is bad, and no retries."""
    (scenario,) = [each for each in SCENARIOS if each.name == "raise_once"]
    with scenario_fixture(scenario, near) as made:
        yield made


def fail_into(fixture: ScenarioFixture, destination: str) -> None:
    consumer = fixture.consumer()
    settings = replace(consumer.mapping.settings, on_failure=destination)
    mapping = replace(consumer.mapping, settings=settings)
    watch = UntilSent()
    with (
        CheckpointStore(fixture.asset.parent / "checkpoints") as checkpoints,
        drive(
            [DeployedConsumer(consumer.name, consumer.function, mapping)],
            fixture.client,
            checkpoints=checkpoints,
            observer=watch,
            connection={},
        ),
    ):
        assert watch.sent.wait(60)


def test_a_bucket_holds_the_failure_record_with_its_records(
    fixture: ScenarioFixture, near: Callable[[str], Any]
) -> None:
    near("s3").create_bucket(Bucket="failed-records")
    fail_into(fixture, "arn:aws:s3:::failed-records")
    (found,) = near("s3").list_objects_v2(Bucket="failed-records")["Contents"]
    assert re.fullmatch(KEY, found["Key"])
    body = json.loads(
        near("s3").get_object(Bucket="failed-records", Key=found["Key"])["Body"].read()
    )
    assert list(body) == [
        "requestContext",
        "responseContext",
        "version",
        "payload",
        "timestamp",
        "DDBStreamBatchInfo",
    ]
    records = json.loads(body["payload"])["Records"]
    ordinals = [record["dynamodb"]["NewImage"]["ordinal"]["N"] for record in records]
    assert ordinals == ["1", "2", "3", "4"]


def test_a_topic_passes_the_failure_record_on(
    fixture: ScenarioFixture, near: Callable[[str], Any]
) -> None:
    topic = near("sns").create_topic(Name="failed-records")["TopicArn"]
    near("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=fixture.queue_arn)
    fail_into(fixture, topic)
    pages = receive_messages(near("sqs"), fixture.queue_url)
    (failure,) = (message for page in pages for message in page)
    assert failure.body["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert failure.body["DDBStreamBatchInfo"]["batchSize"] == 4
    assert "payload" not in failure.body
