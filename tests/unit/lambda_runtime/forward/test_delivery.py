"""Delivery: each answer is matched entry by entry, and the first failed record is named."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_streams.testing import FakeServices
from lambda_runtime import Modify, Router, forward, parse
from lambda_runtime.forward import Forwarder, ForwardError
from lambda_runtime.forward._delivery import ATTEMPTS

pytestmark = pytest.mark.usefixtures("partial_response")
# Services that answer for each entry; the others accept or refuse a whole call.
BY_ENTRY = ["bus", "topic", "FIFO topic", "queue", "FIFO queue", "Kinesis", "Firehose"]
ALL_OR_NOTHING = ["bucket", "function"]
LIMITS = {
    "bus": ("PutEvents", 10),
    "topic": ("PublishBatch", 10),
    "queue": ("SendMessageBatch", 10),
    "Kinesis": ("PutRecords", 500),
    "Firehose": ("PutRecordBatch", 500),
    "state machine": ("StartExecution", 1),
}


class Refusing:
    """Refuses the events of some items, the first `times` times each."""

    def __init__(self, *subjects: str, times: int = 1_000, code: str = "Throttled") -> None:
        self.left = dict.fromkeys(subjects, times)
        self.code = code

    def __call__(self, _service: str, event: Any) -> str | None:
        left = self.left.get(event["subject"], 0)
        if not left:
            return None
        self.left[event["subject"]] = left - 1
        return self.code


def run(target: Any, event: Any, services: FakeServices, context: Any = None) -> Any:
    with forward.services(services):
        return Forwarder(target).handler(event, context)


def accepted(services: FakeServices) -> list[str]:
    return [event["subject"] for event in services.events]


def test_every_change_arrives_once_and_in_order(target: Any, make_event: Any) -> None:
    services = FakeServices()

    answer = run(target, make_event(25), services)

    assert answer == {"batchItemFailures": []}
    assert accepted(services) == [f"item-{number}" for number in range(1, 26)]
    assert services.pauses == []


@pytest.mark.parametrize("name", LIMITS)
def test_calls_are_as_full_as_the_service_takes(
    target_named: Callable[[str], Any], make_event: Any, name: str
) -> None:
    services = FakeServices()
    operation, most = LIMITS[name]

    run(target_named(name), make_event(most * 2 + 1), services)

    assert [(call.operation, call.entries) for call in services.calls] == [
        (operation, most),
        (operation, most),
        (operation, 1),
    ]


@pytest.mark.parametrize("name", BY_ENTRY)
def test_entries_refused_for_the_moment_are_sent_again_by_themselves(
    target_named: Callable[[str], Any], make_event: Any, name: str
) -> None:
    services = FakeServices(refuse=Refusing("item-2", "item-5", times=2))

    answer = run(target_named(name), make_event(6), services)

    assert answer == {"batchItemFailures": []}
    assert sorted(accepted(services)) == [f"item-{number}" for number in range(1, 7)]
    assert [call.entries for call in services.calls] == [6, 2, 2]
    assert services.pauses == [0.1, 0.2]


@pytest.mark.parametrize("name", BY_ENTRY)
def test_the_first_record_that_was_not_accepted_is_named(
    target_named: Callable[[str], Any], make_event: Any, failed_at: Any, name: str
) -> None:
    services = FakeServices(refuse=Refusing("item-13", "item-15"))

    answer = run(target_named(name), make_event(30), services)

    assert answer == failed_at(13)
    assert [call.entries for call in services.calls[-ATTEMPTS + 1 :]] == [2, 2]


@pytest.mark.parametrize("name", ["bus", "queue", "FIFO queue", "topic"])
def test_nothing_is_sent_behind_a_call_with_a_failed_entry(
    target_named: Callable[[str], Any], make_event: Any, name: str
) -> None:
    services = FakeServices(refuse=Refusing("item-13"))

    run(target_named(name), make_event(30), services)

    assert "item-20" in accepted(services)
    assert "item-21" not in accepted(services)


@pytest.mark.parametrize("name", ALL_OR_NOTHING)
def test_a_call_that_counts_as_a_whole_fails_at_its_first_record(
    target_named: Callable[[str], Any], make_event: Any, failed_at: Any, name: str
) -> None:
    services = FakeServices(refuse=Refusing("item-3"))

    assert run(target_named(name), make_event(5), services) == failed_at(1)


def test_an_entry_that_will_never_be_accepted_is_not_sent_again(
    target_named: Callable[[str], Any], make_event: Any, failed_at: Any
) -> None:
    services = FakeServices(refuse=Refusing("item-2", code="MalformedDetail"))

    assert run(target_named("bus"), make_event(3), services) == failed_at(2)
    assert len(services.calls) == 1


def test_a_call_that_fails_names_its_first_record(
    target: Any, make_event: Any, failed_at: Any
) -> None:
    def broken(_service: str, event: Any) -> str | None:
        if event["subject"] == "item-1":
            raise ConnectionError
        return None

    assert run(target, make_event(3), FakeServices(refuse=broken)) == failed_at(1)


@pytest.mark.parametrize("name", ["FIFO queue", "FIFO topic", "Kinesis"])
def test_no_change_overtakes_an_earlier_one_of_its_item(
    target_named: Callable[[str], Any], make_record: Any, failed_at: Any, name: str
) -> None:
    # Both changes of one item in one call: the second would be accepted before the first.
    key = {"pk": {"S": "hot"}}
    records = [make_record(1, keys=key), make_record(2, "MODIFY", keys=key)]
    services = FakeServices(refuse=Refusing("hot", times=ATTEMPTS))

    assert run(target_named(name), {"Records": records}, services) == failed_at(1)
    assert accepted(services) == []
    assert run(target_named(name), {"Records": records}, services) == {"batchItemFailures": []}
    assert [event["type"][-6:] for event in services.events] == ["INSERT", "MODIFY"]


@pytest.mark.parametrize("name", ["FIFO queue", "FIFO topic", "state machine"])
def test_a_batch_that_is_delivered_again_is_accepted_once(
    target_named: Callable[[str], Any], make_event: Any, name: str
) -> None:
    services = FakeServices()

    for _ in range(2):
        assert run(target_named(name), make_event(3), services) == {"batchItemFailures": []}

    assert accepted(services) == ["item-1", "item-2", "item-3"]


def test_a_long_key_is_a_group_by_its_hash(
    target_named: Callable[[str], Any], make_record: Any
) -> None:
    sent: list[Any] = []

    class Client:
        def send_message_batch(self, **request: Any) -> Any:
            sent.extend(request["Entries"])
            return {"Successful": [{"Id": one["Id"]} for one in request["Entries"]]}

    class Services(FakeServices):
        def client(self, service: str) -> Any:
            assert service == "sqs"
            return Client()

    records = [make_record(1, keys={"pk": {"S": "x" * 2_000}}), make_record(2)]
    run(target_named("FIFO queue"), {"Records": records}, Services())

    assert [len(one["MessageGroupId"]) for one in sent] == [64, 6]
    assert [one["MessageDeduplicationId"] for one in sent] == [f"{n:032x}" for n in (1, 2)]


ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "bus": ("put_events", {"Entries": [{"EventId": "1"}]}),
    "queue": ("send_message_batch", {"Successful": [{"Id": "0"}]}),
    "topic": ("publish_batch", {"Successful": [{"Id": "0"}]}),
    "Kinesis": ("put_records", {"Records": [{"SequenceNumber": "1"}]}),
    "Firehose": ("put_record_batch", {"RequestResponses": [{"RecordId": "1"}]}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_entry_that_an_answer_does_not_speak_of_was_not_accepted(
    target_named: Callable[[str], Any], make_event: Any, failed_at: Any, name: str
) -> None:
    # The answer speaks of the first entry; sent again alone, the second is the first of its call.
    method, answer = ANSWERS[name]
    asked: list[int] = []

    def call(**request: Any) -> Any:
        (batch,) = [value for value in request.values() if isinstance(value, list)]
        asked.append(len(batch))
        return answer if len(asked) == 1 else {key: [] for key in answer}

    class Services(FakeServices):
        def client(self, service: str) -> Any:
            return type(service, (), {method: staticmethod(call)})

    assert run(target_named(name), make_event(2), Services()) == failed_at(2)
    assert asked == [2, 1, 1]


def test_a_record_that_makes_no_event_fails_alone(
    target: Any, make_event: Any, failed_at: Any
) -> None:
    event = make_event(4)
    event["Records"][2]["dynamodb"]["NewImage"]["total"] = {"N": "none"}
    services = FakeServices()

    assert run(target, event, services) == failed_at(3)
    assert accepted(services) == ["item-1", "item-2"]


def test_nothing_is_sent_near_the_deadline(
    target: Any, make_event: Any, make_context: Any, failed_at: Any
) -> None:
    services = FakeServices()
    context = make_context(10_000)

    class Late:
        """Most of the time is gone when the first call is about to be made."""

        def get_remaining_time_in_millis(self) -> int:
            now = context.get_remaining_time_in_millis()
            context.remaining_ms = 500
            return int(now)

    assert run(target, make_event(3), services, Late()) == failed_at(1)
    assert services.events == []


def test_a_refused_entry_is_not_sent_again_near_the_deadline(
    target_named: Callable[[str], Any], make_event: Any, make_context: Any, failed_at: Any
) -> None:
    context = make_context(10_000)

    def slow(_service: str, _event: Any) -> str:
        context.pass_ms(9_500)
        return "Throttled"

    services = FakeServices(refuse=slow)

    assert run(target_named("queue"), make_event(1), services, context) == failed_at(1)
    assert services.pauses == []


def test_without_partial_responses_a_failure_is_raised(
    target: Any, make_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STREAM_PARTIAL_RESPONSE")

    with pytest.raises(ForwardError, match=r"did not accept the event of a record: \w+"):
        run(target, make_event(3), FakeServices(refuse=Refusing("item-1")))


def test_a_tumbling_window_keeps_its_state(target: Any, make_event: Any) -> None:
    event = {**make_event(1), "window": {}, "state": {"total": 1}}

    answer = run(target, event, FakeServices())

    assert answer == {"state": {"total": 1}, "batchItemFailures": []}


def test_a_route_forwards_the_changes_it_takes(make_record: Any) -> None:
    on = Router()
    events = Forwarder(forward.EventBus("orders"))

    @on.modify("status")
    def status_changed(change: Modify) -> None:
        events.send(change)

    records = [make_record(1), make_record(2, "MODIFY", new={"status": {"S": "PAID"}})]
    services = FakeServices()
    with forward.services(services):
        assert on.handler({"Records": records}) == {"batchItemFailures": []}

    assert accepted(services) == ["item-2"]


def test_a_change_that_was_not_accepted_raises_for_its_route(make_event: Any) -> None:
    services = FakeServices(refuse=Refusing("item-2"))

    with (
        forward.services(services),
        pytest.raises(ForwardError, match="PutEvents did not accept the event of a record: Thr"),
    ):
        Forwarder(forward.EventBus("orders")).send(*parse(make_event(2)))


def test_an_object_is_named_and_written_by_its_changes_alone(
    target_named: Callable[[str], Any], make_event: Any
) -> None:
    first, second = FakeServices(), FakeServices()
    for services in (first, second):
        run(target_named("bucket"), make_event(2), services)

    assert first.objects == second.objects
    ((bucket, key),) = first.objects
    assert bucket == "orders"
    numbers = "3800002862244222465264-3800002862244222465265"
    assert key == f"changes/orders/2026/09/17/{numbers}.jsonl.gz"
    lines = gzip.decompress(first.objects[bucket, key]).splitlines()
    assert [json.loads(line)["subject"] for line in lines] == ["item-1", "item-2"]


@pytest.mark.parametrize(
    ("name", "largest"),
    [
        ("bus", 1_000_000),
        ("topic", 262_144),
        ("queue", 262_144),
        ("Kinesis", 1_048_576),
        ("Firehose", 1_024_000),
        ("state machine", 262_144),
        ("function", 6_000_000),
    ],
)
def test_events_at_and_over_a_service_s_limit_arrive(
    target_named: Callable[[str], Any], make_record: Any, name: str, largest: int
) -> None:
    fits = make_record(1, new={"text": {"S": "x" * (largest - 800)}})
    over = make_record(2, new={"text": {"S": "x" * (largest + 1)}})
    services = FakeServices()

    answer = run(target_named(name), {"Records": [fits, over]}, services)

    assert answer == {"batchItemFailures": []}
    whole, without_images = services.events
    assert len(whole["data"]["after"]["text"]) == largest - 800
    assert without_images["data"]["omitted"] == ["before", "after"]
    assert without_images["subject"] == "item-2"


def test_both_images_of_the_largest_item_fit_a_bus(make_record: Any) -> None:
    # An item has up to 400 KB, names and values.
    text = "x" * 409_000
    record = make_record(1, "MODIFY", new={"text": {"S": text}}, old={"text": {"S": text[::-1]}})
    services = FakeServices()

    run(forward.EventBus("orders"), {"Records": [record]}, services)

    assert "omitted" not in services.events[0]["data"]


def test_an_empty_set_is_no_dynamodb_value_and_fails_its_record(
    make_event: Any, failed_at: Any
) -> None:
    event = make_event(2)
    event["Records"][1]["dynamodb"]["NewImage"]["tags"] = {"SS": []}

    assert run(forward.EventBus("orders"), event, FakeServices()) == failed_at(2)


def test_a_queue_that_was_set_to_more_gets_more(make_record: Any) -> None:
    queue = forward.SqsQueue("https://sqs/orders", max_message_bytes=1_048_576)
    services = FakeServices(max_message_bytes=1_048_576)
    record = make_record(1, new={"text": {"S": "x" * 1_000_000}})

    run(queue, {"Records": [record]}, services)

    assert len(services.events[0]["data"]["after"]["text"]) == 1_000_000


def test_a_claim_check_brings_the_whole_change_to_the_other_side(make_record: Any) -> None:
    record = make_record(1, "MODIFY", new={"text": {"S": "x" * 300_000}, "n": {"NS": ["1"]}})
    services = FakeServices()
    queue = forward.SqsQueue("https://sqs/orders")
    with forward.services(services):
        Forwarder(queue, large_events=forward.ClaimChecks("large")).send(
            *parse({"Records": [record]})
        )
        (event,) = services.events
        assert event["dataref"] == f"s3://large/orders/2026/09/17/{1:032x}.json"
        (arrived,) = parse(event)
        assert not arrived.has_new
        whole = forward.fetch(arrived)

    assert whole.new == parse({"Records": [record]})[0].new


def test_a_large_event_whose_data_cannot_be_kept_fails_its_record(
    make_event: Any, failed_at: Any, caplog: pytest.LogCaptureFixture
) -> None:
    event = make_event(2)
    event["Records"][1]["dynamodb"]["NewImage"]["text"] = {"S": "x" * 300_000}

    class Services(FakeServices):
        def client(self, service: str) -> Any:
            if service == "s3":
                return type("S3", (), {"put_object": staticmethod(denied)})
            return super().client(service)

    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")

    events = Forwarder(
        forward.SqsQueue("https://sqs/orders"), large_events=forward.ClaimChecks("large")
    )
    with forward.services(Services()):
        assert events.handler(event) == failed_at(2)

    (line,) = [json.loads(record.getMessage()) for record in caplog.records]
    assert line["error_message"] == "PutObject did not keep the data of a large event: AccessDenied"


def test_a_change_without_a_claim_check_is_its_own(make_event: Any) -> None:
    (change,) = parse(make_event(1))

    assert forward.fetch(change) is change


def test_a_claim_check_elsewhere_is_refused(make_record: Any) -> None:
    record = {**make_record(), "dataref": "https://example.com/data"}
    (change,) = parse({"Records": [record]})

    with pytest.raises(ForwardError, match="dataref must be an s3:// URI"):
        forward.fetch(change)


def test_a_log_line_names_the_error_s_code_and_no_value(
    make_event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run(forward.EventBus("orders"), make_event(1), FakeServices(refuse=Refusing("item-1")))

    (line,) = [json.loads(record.getMessage()) for record in caplog.records]
    assert line["error_message"] == "PutEvents did not accept the event of a record: Throttled"
    assert line["route"] == "PutEvents"
    assert "item-1" not in json.dumps({**line, "error_traceback": ""})
