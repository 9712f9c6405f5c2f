"""The services of a forwarder in memory: they hold AWS's limits, and answer as it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_streams.testing import FakeServices

EVENT = '{"subject": "o-1"}'
FIFO = "https://sqs/orders.fifo"
Call = Callable[[FakeServices, int, str], Any]


def put_events(services: FakeServices, count: int, text: str) -> Any:
    entry = {"Source": "shop", "DetailType": "x", "Detail": text, "EventBusName": "bus"}
    return services.client("events").put_events(Entries=[entry] * count)


def send_messages(services: FakeServices, count: int, text: str) -> Any:
    entries = [{"Id": str(number), "MessageBody": text} for number in range(count)]
    return services.client("sqs").send_message_batch(QueueUrl="https://sqs/q", Entries=entries)


def publish(services: FakeServices, count: int, text: str) -> Any:
    entries = [{"Id": str(number), "Message": text} for number in range(count)]
    return services.client("sns").publish_batch(
        TopicArn="arn:aws:sns:::t", PublishBatchRequestEntries=entries
    )


def put_records(services: FakeServices, count: int, text: str) -> Any:
    record = {"Data": text.encode(), "PartitionKey": "k"}
    return services.client("kinesis").put_records(StreamName="s", Records=[record] * count)


def put_lines(services: FakeServices, count: int, text: str) -> Any:
    record = {"Data": text.encode()}
    return services.client("firehose").put_record_batch(
        DeliveryStreamName="s", Records=[record] * count
    )


def padded(size_bytes: int) -> str:
    """Return an event of this many bytes."""
    return EVENT[:-1] + ', "x": "' + "x" * (size_bytes - len(EVENT) - 9) + '"}'


# The call, how many entries it takes, and the largest one; what counts besides its text.
LIMITS: dict[str, tuple[Call, int, int, int]] = {
    "events": (put_events, 10, 1_048_575, len("shopx") + 14),
    "sqs": (send_messages, 10, 262_144, 0),
    "sns": (publish, 10, 262_144, 0),
    "kinesis": (put_records, 500, 1_048_576, 1),
    "firehose": (put_lines, 500, 1_024_000, 0),
}


@pytest.mark.parametrize("service", LIMITS)
def test_a_call_has_so_many_entries_at_most(service: str) -> None:
    call, entries, _, _ = LIMITS[service]
    services = FakeServices()

    call(services, entries, EVENT)
    with pytest.raises(ClientError, match="TooManyEntriesInBatchRequest"):
        call(services, entries + 1, EVENT)

    assert len(services.events) == entries
    assert [each.entries for each in services.calls] == [entries]


@pytest.mark.parametrize("service", LIMITS)
def test_an_entry_has_so_many_bytes_at_most(service: str) -> None:
    call, _, largest, besides = LIMITS[service]
    services = FakeServices()

    call(services, 1, padded(largest - besides))
    with pytest.raises(ClientError, match="BatchRequestTooLong"):
        call(services, 1, padded(largest - besides + 1))

    assert [each.size_bytes for each in services.calls] == [largest]


@pytest.mark.parametrize(
    ("service", "entries"), [("events", 2), ("sns", 2), ("sqs", 5), ("kinesis", 11)]
)
def test_all_entries_of_a_call_have_so_many_bytes_at_most(service: str, entries: int) -> None:
    call, _, largest, _ = LIMITS[service]

    with pytest.raises(ClientError, match="BatchRequestTooLong"):
        call(FakeServices(), entries, padded(largest - 100))


@pytest.mark.parametrize("service", LIMITS)
def test_an_empty_call_is_refused(service: str) -> None:
    with pytest.raises(ClientError, match="EmptyBatchRequest"):
        LIMITS[service][0](FakeServices(), 0, EVENT)


def test_the_ids_of_a_batch_differ() -> None:
    entries = [{"Id": "1", "MessageBody": EVENT}] * 2

    with pytest.raises(ClientError, match="BatchEntryIdsNotDistinct"):
        FakeServices().client("sqs").send_message_batch(QueueUrl="https://sqs/q", Entries=entries)


@pytest.mark.parametrize(("url", "group"), [(FIFO, {}), ("https://sqs/q", {"MessageGroupId": "1"})])
def test_a_fifo_queue_asks_for_groups_and_another_has_none(url: str, group: Any) -> None:
    entries = [{"Id": "1", "MessageBody": EVENT, **group}]

    with pytest.raises(ClientError, match="InvalidParameterValue"):
        FakeServices().client("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def test_a_fifo_queue_takes_an_id_once_within_five_minutes() -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    services = FakeServices(now=lambda: now[0])
    entry = {
        "Id": "1",
        "MessageBody": EVENT,
        "MessageGroupId": "o-1",
        "MessageDeduplicationId": "a",
    }

    for wait_s in (0, 299, 1):
        now[0] += timedelta(seconds=wait_s)
        answer = services.client("sqs").send_message_batch(QueueUrl=FIFO, Entries=[entry])
        assert answer["Successful"] == [{"Id": "1"}]

    assert len(services.events) == 2


def test_a_refused_entry_is_told_in_its_place() -> None:
    verdicts = iter([None, "Throttled"])
    services = FakeServices(refuse=lambda _service, _event: next(verdicts))

    answer = put_events(services, 2, EVENT)

    assert answer["FailedEntryCount"] == 1
    assert [each.get("ErrorCode") for each in answer["Entries"]] == [None, "Throttled"]
    assert len(services.events) == 1


def test_an_object_that_nobody_put_is_not_there() -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        FakeServices().client("s3").get_object(Bucket="b", Key="k")
