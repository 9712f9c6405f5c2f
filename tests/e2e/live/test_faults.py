"""The live driver through everything that goes wrong: nothing lost, nothing out of order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from cdk_streams.local import LocalAws, client
from cdk_streams.mapping import MappingSettings

pytestmark = pytest.mark.e2e

Clients = Callable[[str], Any]


@pytest.mark.parametrize("seed", [1, 2])
def test_throttled_and_broken_reads_lose_nothing(
    table: Any, eventually: Any, fault_proxy: Any, clients_at: Callable[[str], Clients], seed: int
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
    table: Any, eventually: Any, fault_proxy: Any, clients_at: Callable[[str], Clients]
) -> None:
    target = table.clients("dynamodb").meta.endpoint_url
    table.write(50)
    with fault_proxy(target, seed=3, rate=0.6) as proxy:
        kinds = {"throttled", "limited", "failed", "expired", "broken before", "broken within"}
        with table.driven(MappingSettings(batch_size=1), clients_at(proxy.endpoint_url)):
            eventually(lambda: kinds <= set(proxy.counts), "every kind must come")
            eventually(lambda: len(table.seen()) >= 50, "50 records must be handled")
    assert [each["n"] for each in table.seen()] == list(range(50))


def numbers(table: Any) -> set[str]:
    return {each["number"] for each in table.seen()}


def test_a_handler_that_hangs_is_isolated_and_the_rest_goes_through(
    table: Any, eventually: Any, aws: LocalAws
) -> None:
    table.write(5)
    table.write(1, do={"S": "hang"})
    table.write(5)
    settings = MappingSettings(
        retry_attempts=0, bisect_batch_on_error=True, on_failure=_queue(aws, table.name)
    )
    with table.driven(settings, timeout_s=0.5) as watch:
        eventually(lambda: watch.counts["FailureSent"] == 1, "one record must be given up")
        eventually(lambda: len(numbers(table)) == 10, "ten records must be handled")
    (body,) = _messages(aws, table.name)
    assert body["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert body["responseContext"]["functionError"] == "Unhandled"
    assert body["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_destination_that_refuses_loses_the_failure_record_and_nothing_else(
    table: Any,
    eventually: Any,
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
    (problem,) = watch.problems
    assert problem.startswith("the failure record was refused and is lost")


def test_an_item_deleted_by_time_to_live_says_who_deleted_it(table: Any, eventually: Any) -> None:
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
