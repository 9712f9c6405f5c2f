"""Rejected records: sent away whole, so that the batch goes on; an ordinary failure otherwise."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest

from cdk_streams.simulator import Faults, MappingSettings, World
from lambda_runtime import Reject, Router
from lambda_runtime._batches import rejects

HANDLED: dict[str, Any] = {"batchItemFailures": []}


def rejecting(number: int, **settings: Any) -> tuple[Router, list[int]]:
    """A router that rejects this record, and the list of those it handled."""
    on = Router(**settings)
    seen: list[int] = []

    @on.insert
    def handle(change: Any) -> None:
        if int(change.event_id, 16) == number:
            raise Reject("no such product")
        seen.append(int(change.event_id, 16))

    return on, seen


class FakeQueues:
    """Stands in for the boto3 module: its clients keep what they are told to send."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.clients: list[str] = []

    def client(self, service: str) -> Any:
        self.clients.append(service)
        return SimpleNamespace(send_message=lambda **message: self.sent.append(message))


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> FakeQueues:
    fake = FakeQueues()
    monkeypatch.setitem(sys.modules, "boto3", fake)
    monkeypatch.setattr(rejects, "_clients", [])
    return fake


def test_a_rejected_record_is_sent_whole_and_the_batch_goes_on(make_event: Any) -> None:
    messages: list[str] = []
    on, seen = rejecting(2, on_reject=messages.append)
    event = make_event(3)

    assert on.handler(event) == HANDLED
    assert seen == [1, 3]
    (message,) = map(json.loads, messages)
    assert message == {
        "reason": "no such product",
        "route": "rejecting.<locals>.handle",
        "eventSourceARN": event["Records"][1]["eventSourceARN"],
        "functionName": None,
        "functionArn": None,
        "record": event["Records"][1],
    }


def test_a_rejected_record_can_be_handled_again_from_its_message(make_event: Any) -> None:
    messages: list[str] = []
    on, _ = rejecting(1, on_reject=messages.append)
    on.handler(make_event(1))
    again, seen = rejecting(0)

    assert again.handler({"Records": [json.loads(messages[0])["record"]]}) == HANDLED
    assert seen == [1]


def test_the_environment_names_the_queue(
    make_event: Any, queues: FakeQueues, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://sqs.eu-west-1.amazonaws.com/111122223333/rejects"
    monkeypatch.setenv("STREAM_REJECT_QUEUE_URL", url)
    on, _ = rejecting(2)

    assert on.handler(make_event(3)) == HANDLED
    assert on.handler(make_event(3)) == HANDLED
    assert [message["QueueUrl"] for message in queues.sent] == [url, url]
    assert json.loads(queues.sent[0]["MessageBody"])["reason"] == "no such product"
    assert queues.clients == ["sqs"]  # One client serves the process.


def test_the_routers_own_queue_comes_before_the_environments(
    make_event: Any, queues: FakeQueues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAM_REJECT_QUEUE_URL", "https://queue/of-the-environment")
    on, _ = rejecting(1, on_reject="https://queue/of-the-router")

    on.handler(make_event(1))

    assert [message["QueueUrl"] for message in queues.sent] == ["https://queue/of-the-router"]


@pytest.mark.usefixtures("partial_response")
def test_without_a_queue_a_rejected_record_is_a_failed_record(
    make_event: Any, failed_at: Any
) -> None:
    on, seen = rejecting(2)

    assert on.handler(make_event(3)) == failed_at(2)
    assert seen == [1]


@pytest.mark.usefixtures("partial_response")
def test_when_sending_fails_the_record_is_a_failed_record(make_event: Any, failed_at: Any) -> None:
    def send(_message: str) -> None:
        raise ConnectionError("no route to host")

    on, seen = rejecting(2, on_reject=send)

    assert on.handler(make_event(3)) == failed_at(2)
    assert seen == [1]


def test_the_error_of_sending_tells_what_was_to_be_sent(make_event: Any) -> None:
    def send(_message: str) -> None:
        raise ConnectionError("no route to host")

    on, _ = rejecting(1, on_reject=send)

    with pytest.raises(ConnectionError) as raised:
        on.handler(make_event(1))
    assert isinstance(raised.value.__cause__, Reject)


def test_a_record_too_large_for_a_queue_goes_without_its_images(make_record: Any) -> None:
    large = {"note": {"S": "é" * 200_000}}
    record = make_record(1, "MODIFY", new=large, old=large)

    text = rejects.message(record, "too strange", "created")
    message = json.loads(text)

    assert len(text.encode()) <= rejects.LARGEST_MESSAGE_BYTES
    assert message["omitted"] == ["NewImage", "OldImage"]
    assert message["record"]["dynamodb"]["Keys"] == record["dynamodb"]["Keys"]
    assert message["record"]["dynamodb"]["SequenceNumber"] == record["dynamodb"]["SequenceNumber"]
    assert "NewImage" in record["dynamodb"]  # The event itself is left alone.


def test_the_largest_message_that_fits_keeps_its_images(make_record: Any) -> None:
    empty = len(rejects.message(make_record(new={"note": {"S": ""}}), "", None))
    fits = {"note": {"S": "x" * (rejects.LARGEST_MESSAGE_BYTES - empty)}}
    too_large = {"note": {"S": fits["note"]["S"] + "x"}}

    assert "omitted" not in json.loads(rejects.message(make_record(new=fits), "", None))
    assert "omitted" in json.loads(rejects.message(make_record(new=too_large), "", None))


def test_routes_behind_the_one_that_rejects_do_not_get_the_record(make_event: Any) -> None:
    on, _ = rejecting(1, on_reject=lambda _message: None)
    seen: list[str] = []
    on.insert(lambda change: seen.append(change.event_id))

    on.handler(make_event(2))

    assert len(seen) == 1


def test_a_record_rejected_on_a_thread_lets_the_batch_go_on(make_event: Any) -> None:
    messages: list[str] = []
    on, seen = rejecting(2, on_reject=messages.append, concurrency=2)

    assert on.handler(make_event(4)) == HANDLED
    assert sorted(seen) == [1, 3, 4]
    assert len(messages) == 1


def test_the_message_names_the_alias_that_was_invoked(make_event: Any) -> None:
    class Context:
        invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:audit:live"

    sent: list[str] = []
    on = Router(on_reject=sent.append)

    @on.default
    def handle(_: Any) -> None:
        raise Reject("no such product")

    on.handler(make_event(1), Context())

    (message,) = map(json.loads, sent)
    assert message["functionArn"] == Context.invoked_function_arn


@pytest.mark.parametrize("seed", range(5))
def test_under_faults_each_change_is_handled_or_in_the_reject_queue(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", "1")
    messages: list[str] = []
    handled: dict[str, list[int]] = defaultdict(list)
    known: set[str] = {"item-0", "item-1"}
    on = Router(on_reject=messages.append)

    @on.default
    def handle(change: Any) -> None:
        if change.keys["pk"] not in known:
            raise Reject("no such product")
        if change.new["number"] not in handled[change.keys["pk"]]:
            handled[change.keys["pk"]].append(change.new["number"])

    world = World(seed=seed, faults=Faults(destination_denied=0))
    table = world.table("orders")
    consumer = world.consumer(
        "audit", on.handler, table=table, settings=MappingSettings(batch_size=10)
    )
    for number in range(30):
        table.put({"pk": f"item-{number % 3}", "number": number})
    world.run()

    assert consumer.failures == []
    assert dict(handled) == {f"item-{which}": [*range(which, 30, 3)] for which in range(2)}
    # What was rejected is whole: handled again from its messages, in their order.
    known.add("item-2")
    for message in messages:
        assert on.handler({"Records": [json.loads(message)["record"]]}) == HANDLED
    assert handled["item-2"] == [*range(2, 30, 3)]
