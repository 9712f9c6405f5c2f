from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cdk_streams.cli._local import timeline_recorder
from cdk_streams.cli._local.live_view import display_name
from cdk_streams.cli._local.timeline_recorder import TimelineRecorder
from cdk_streams.lambda_local import InvokeResponse
from cdk_streams.live import DeployedConsumer, InvocationFinished
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import (
    CallOutcome,
    CallResult,
    FailureSent,
    Invoke,
    RecordsRead,
    SendFailure,
    Settled,
)
from cdk_streams.simulator import timeline_html
from cdk_streams.simulator._timeline.events import TimelineEvent

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000"


def record(number: int, name: str = "INSERT", **more: Any) -> dict[str, Any]:
    return {
        "eventName": name,
        "eventSourceARN": ARN,
        "dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": 1.0},
        **more,
    }


def told(*notices: Any, first_ms: int = 1_000) -> list[TimelineEvent]:
    recorder = TimelineRecorder()
    for number, notice in enumerate(notices):
        recorder.take("audit", first_ms + number * 10, notice)
    return list(recorder.timeline)


def test_a_write_is_drawn_once_for_all_consumers() -> None:
    recorder = TimelineRecorder()
    recorder.take("audit", 0, RecordsRead("s", 1, [record(1)]))
    recorder.take("stock", 5, RecordsRead("s", 1, [record(1), record(2, "MODIFY")]))
    lines = [(each.kind, each.at_ms, each.table, each.consumer) for each in recorder.timeline]
    assert lines == [("insert", 0, "orders", ""), ("modify", 5, "orders", "")]


def test_a_deletion_by_time_to_live_is_an_expiry() -> None:
    identity = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    (line,) = told(RecordsRead("s", 1, [record(1, "REMOVE", userIdentity=identity)]))
    assert line.kind == "expire"


@pytest.mark.parametrize(
    ("error_type", "outcome", "kind"),
    [
        (None, "handled", "handled"),
        (None, "partial", "partial"),
        (None, "failed", "failed"),
        (None, "throttled", "throttled"),
        ("ValueError", "failed", "failed"),
        ("Sandbox.Timedout", "failed", "timeout"),
    ],
)
def test_a_call_is_drawn_as_the_poller_judges_it(
    error_type: str | None, outcome: CallOutcome, kind: str
) -> None:
    call = Invoke("s", 0, 1, "r", 2, [record(1), record(2)])
    read = RecordsRead("s", 1, [record(1), record(2)])
    # Whatever the answer says: the mapping may not ask for it.
    body = b'{"batchItemFailures":[{"itemIdentifier":"2"}]}'
    answer = InvokeResponse("r", body, error_type=error_type)
    line = told(read, InvocationFinished(call, answer), CallResult("s", 0, 1, outcome))[-1]
    assert (line.kind, line.consumer, line.table, line.attempt) == (kind, "audit", "orders", 2)
    assert line.sequence_numbers == ("1", "2")


def test_a_call_shows_its_length_and_the_age_of_its_youngest_record() -> None:
    call = Invoke("s", 0, 1, "r", 1, [record(1)])
    finished = InvocationFinished(call, InvokeResponse("r", b"null", duration_s=0.2))
    (line,) = told(finished, CallResult("s", 0, 1, "handled"), first_ms=3_000)
    assert (line.took_ms, line.age_ms) == (200, 1_810)


def test_a_call_says_why_its_answer_failed_the_batch() -> None:
    finished = InvocationFinished(Invoke("s", 0, 1, "r", 1, [record(1)]), InvokeResponse("r"))
    (line,) = told(finished, CallResult("s", 0, 1, "failed", "an answer must be an object"))
    assert (line.kind, line.detail) == ("failed", "an answer must be an object")


FAILURE = {
    "requestContext": {"condition": "RetryAttemptsExhausted"},
    "DDBStreamBatchInfo": {"batchSize": 2, "startSequenceNumber": "1", "endSequenceNumber": "2"},
}
GIVEN_UP = Settled("s", "failed", [record(1), record(2)])


@pytest.mark.parametrize(
    ("delivered", "kind", "detail"),
    [
        (True, "sent", "RetryAttemptsExhausted, 2 record(s)"),
        (False, "lost", "RetryAttemptsExhausted, 2 record(s): the destination refused it"),
    ],
)
def test_a_failure_record_is_drawn_with_its_records_when_it_is_taken_or_refused(
    delivered: bool, kind: str, detail: str
) -> None:
    sending = SendFailure("s", 0, 1, FAILURE, "arn")
    (line,) = told(GIVEN_UP, sending, FailureSent("s", 0, 1, delivered))
    assert (line.kind, line.detail, line.sequence_numbers) == (kind, detail, ("1", "2"))


def test_a_failure_record_without_a_destination_is_lost_at_once() -> None:
    (line,) = told(GIVEN_UP, SendFailure("s", 0, 1, FAILURE, None))
    assert (line.kind, line.sequence_numbers) == ("lost", ("1", "2"))
    assert line.detail.endswith("there is no destination")


def test_a_partial_response_shows_how_many_records_it_settled() -> None:
    finished = InvocationFinished(
        Invoke("s", 0, 1, "r", 1, [record(1), record(2), record(3)]), InvokeResponse("r")
    )
    judged = CallResult("s", 0, 1, "partial")
    (line,) = told(finished, judged, Settled("s", "handled", [record(1), record(2)]))
    assert line.handled == 2


def test_an_introduced_consumer_brings_its_settings() -> None:
    settings = MappingSettings(batch_size=7)
    function = SimpleNamespace(timeout_s=30, reserved_concurrency=2)
    consumer = SimpleNamespace(function=function, mapping=SimpleNamespace(settings=settings))
    recorder = TimelineRecorder()
    recorder.introduce("audit", cast("DeployedConsumer", consumer))

    (setup,) = recorder.timeline_setup.consumers
    assert (setup.name, setup.settings, setup.reserved_concurrency) == ("audit", settings, 2)
    assert setup.timeout == timedelta(seconds=30)
    assert '"Timeout":"30 s"' in timeline_html(recorder)


def test_filtered_records_are_drawn_and_handled_ones_only_with_their_call() -> None:
    lines = told(Settled("s", "filtered", [record(1)]), Settled("s", "handled", [record(2)]))
    assert [each.kind for each in lines] == ["filtered"]


@pytest.mark.parametrize(
    ("logical_id", "name"),
    [
        ("InventoryMappingB760B3A6", "Inventory"),
        ("AuditDynamoDBEventSource12345678", "AuditDynamoDBEventSource"),
        ("PollerHarness", "PollerHarness"),
    ],
)
def test_a_consumer_is_shown_without_what_cdk_added(logical_id: str, name: str) -> None:
    assert display_name(logical_id) == name


def test_a_run_that_is_too_long_says_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline_recorder, "_MOST_LINES", 3)
    recorder = TimelineRecorder()
    recorder.take("audit", 1_000, RecordsRead("s", 1, [record(1), record(2)]))
    assert recorder.left_out == ""
    recorder.take("audit", 3_000, RecordsRead("s", 1, [record(3), record(4)]))
    recorder.take("audit", 4_000, RecordsRead("s", 1, [record(5)]))

    assert [each.sequence_numbers for each in recorder.timeline] == [("1",), ("2",), ("3",)]
    assert recorder.left_out == (
        "only the first 3 events, up to 00:00:00.000, are on the timeline; "
        "2 later ones are left out"
    )
