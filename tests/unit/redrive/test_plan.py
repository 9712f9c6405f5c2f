from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_streams.errors import SourceError
from cdk_streams.lambda_local import InvokeResponse
from cdk_streams.mapping import MappingSettings
from cdk_streams.redrive._failure_record import FailureRecord
from cdk_streams.redrive._plan import RedrivePlan, carry_out, plan_redrive
from cdk_streams.testing import FakeStreams

ALL = MappingSettings()


@pytest.fixture
def streams() -> FakeStreams:
    made = FakeStreams()
    made.add_shard("s")
    return made


def write(streams: FakeStreams, count: int) -> list[str]:
    return [
        streams.write("s", {"ordinal": {"N": str(number)}, "even": {"BOOL": number % 2 == 0}})
        for number in range(count)
    ]


def failure(streams: FakeStreams, first: str, last: str, size: int) -> dict[str, Any]:
    return {
        "requestContext": {
            "requestId": "r-1",
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:audit",
            "condition": "RetryAttemptsExhausted",
        },
        "DDBStreamBatchInfo": {
            "shardId": "s",
            "startSequenceNumber": first,
            "endSequenceNumber": last,
            "batchSize": size,
            "streamArn": streams.arn,
        },
    }


FAILURE = FailureRecord("arn", "RetryAttemptsExhausted", "stream", "s")
RECORD = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1"}}


def with_payload(body: dict[str, Any], *records: Any) -> dict[str, Any]:
    return body | {"payload": json.dumps({"Records": records})}


def in_window(*, final: bool) -> dict[str, Any]:
    return {"timeWindowInfo": {"isFinalInvokeForWindow": final, "isWindowTerminatedEarly": False}}


def without_range(streams: FakeStreams) -> dict[str, Any]:
    """Return the failure record of a call without records, which ends a window."""
    body = failure(streams, "1", "1", 1)
    return body | {"DDBStreamBatchInfo": {"shardId": "s", "streamArn": streams.arn}}


def numbers(plan: RedrivePlan) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in plan.records]


def test_the_plan_holds_exactly_the_range_of_the_failure_record(streams: FakeStreams) -> None:
    written = write(streams, 6)
    plan = plan_redrive(failure(streams, written[1], written[3], 3), streams, ALL)
    assert numbers(plan) == written[1:4]
    assert plan.missing == 0
    assert plan.failure.condition == "RetryAttemptsExhausted"


def test_a_single_record_is_a_range(streams: FakeStreams) -> None:
    written = write(streams, 3)
    plan = plan_redrive(failure(streams, written[2], written[2], 1), streams, ALL)
    assert numbers(plan) == [written[2]]


def test_records_that_no_filter_matches_are_left_out(streams: FakeStreams) -> None:
    written = write(streams, 4)
    even = MappingSettings(filters=['{"dynamodb":{"NewImage":{"even":{"BOOL":[true]}}}}'])
    plan = plan_redrive(failure(streams, written[0], written[3], 2), streams, even)
    assert numbers(plan) == [written[0], written[2]]
    assert plan.missing == 0


def test_what_was_trimmed_is_missing(streams: FakeStreams) -> None:
    written = write(streams, 4)
    streams.trim("s", through=written[1])
    plan = plan_redrive(failure(streams, written[0], written[3], 4), streams, ALL)
    assert numbers(plan) == written[2:]
    assert plan.missing == 2


def test_reads_that_fail_are_repeated(streams: FakeStreams) -> None:
    written = write(streams, 2)
    streams.fail("get_records", "ThrottlingException", "ExpiredIteratorException")
    plan = plan_redrive(failure(streams, written[0], written[1], 2), streams, ALL)
    assert numbers(plan) == written


def test_a_stream_that_cannot_be_read_at_all_is_an_error(streams: FakeStreams) -> None:
    written = write(streams, 1)
    streams.fail("get_records", *["ThrottlingException"] * 50)
    with pytest.raises(SourceError, match="s could not be read: ThrottlingException"):
        plan_redrive(failure(streams, written[0], written[0], 1), streams, ALL)


def test_a_stream_that_is_gone_leaves_all_missing(streams: FakeStreams) -> None:
    streams.fail("get_shard_iterator", "ResourceNotFoundException")
    plan = plan_redrive(failure(streams, "1", "2", 2), streams, ALL)
    assert (plan.records, plan.missing) == ((), 2)


def test_a_failure_record_of_a_bucket_brings_its_records(streams: FakeStreams) -> None:
    plan = plan_redrive(with_payload(failure(streams, "1", "1", 1), RECORD), streams, ALL)
    assert plan.events == [{"Records": [RECORD]}]
    assert plan.missing == 0
    assert streams.calls == []


def test_a_payload_is_not_filtered_again(streams: FakeStreams) -> None:
    nothing = MappingSettings(filters=['{"eventName":["REMOVE"]}'])
    plan = plan_redrive(with_payload(failure(streams, "1", "1", 1), RECORD), streams, nothing)
    assert numbers(plan) == ["1"]


@pytest.mark.parametrize(
    "payload", ["hello", {"Records": []}, "[]", '{"Records":["text"]}', '{"Records":[{}]}', "{}"]
)
def test_a_payload_that_is_no_event_of_a_stream_is_refused(
    streams: FakeStreams, payload: Any
) -> None:
    with pytest.raises(SourceError, match="the payload of a failure record must be the JSON text"):
        plan_redrive(failure(streams, "1", "1", 1) | {"payload": payload}, streams, ALL)


@pytest.mark.parametrize(
    "change", [{"shardId": 7}, {"startSequenceNumber": "x"}, {"batchSize": "1"}, {"streamArn": []}]
)
def test_a_payload_does_not_excuse_a_batch_that_is_none(
    streams: FakeStreams, change: dict[str, Any]
) -> None:
    body = with_payload(failure(streams, "1", "1", 1), RECORD)
    body["DDBStreamBatchInfo"] |= change
    with pytest.raises(SourceError, match="a failure record must have requestContext"):
        plan_redrive(body, streams, ALL)


@pytest.mark.parametrize("payload", [{}, {"payload": json.dumps({"Records": [], "window": {}})}])
def test_a_batch_within_a_window_is_refused_because_nobody_would_carry_its_state(
    streams: FakeStreams, payload: dict[str, Any]
) -> None:
    body = failure(streams, "1", "1", 1) | payload | in_window(final=False)
    with pytest.raises(SourceError, match="the state that its function answers would reach no"):
        plan_redrive(body, streams, ALL)


def test_the_last_call_of_a_window_is_made_again_with_the_state_in_its_payload(
    streams: FakeStreams,
) -> None:
    event = {"Records": [], "window": {"start": "a", "end": "b"}, "state": {"n": {"N": "3"}}}
    body = without_range(streams) | {"payload": json.dumps(event)} | in_window(final=True)
    plan = plan_redrive(body, streams, ALL)
    assert plan.events == [event]
    calls: list[Any] = []

    def call(called_with: Any, request_id: str) -> InvokeResponse:
        calls.append(called_with)
        return InvokeResponse(request_id, b"{}")

    assert carry_out(plan, call).redriven
    assert calls == [event]


def test_the_last_call_of_a_window_without_its_state_is_refused(streams: FakeStreams) -> None:
    with pytest.raises(SourceError, match="must come with its state to be redriven, got none"):
        plan_redrive(without_range(streams) | in_window(final=True), streams, ALL)


def test_another_message_is_no_failure_record(streams: FakeStreams) -> None:
    with pytest.raises(SourceError, match="got the keys hello"):
        plan_redrive({"hello": 1}, streams, ALL)


def test_a_failure_record_of_kinesis_or_half_of_one_is_refused(streams: FakeStreams) -> None:
    whole = failure(streams, "1", "2", 2)
    for part in ("requestContext", "DDBStreamBatchInfo"):
        for name in whole[part]:
            if name != "requestId":
                left = {key: value for key, value in whole[part].items() if key != name}
                with pytest.raises(SourceError, match="a failure record must have"):
                    plan_redrive(whole | {part: left}, streams, ALL)
        with pytest.raises(SourceError, match="a failure record must have"):
            plan_redrive(whole | {part: "text"}, streams, ALL)
    for no_range in (failure(streams, "", "2", 2), failure(streams, "1", "end", 2)):
        with pytest.raises(SourceError, match="a failure record must have"):
            plan_redrive(no_range, streams, ALL)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (InvokeResponse("r", b'{"batchItemFailures":[]}'), None),
        (InvokeResponse("r", b"null"), None),
        (
            InvokeResponse("r", b'{"batchItemFailures":[{"itemIdentifier":"1"}]}'),
            "reported 1 as failed",
        ),
        (
            InvokeResponse("r", b"{}", function_error="Unhandled", error_type="KeyError"),
            "with KeyError",
        ),
        (InvokeResponse("r", throttled=True), "was throttled"),
    ],
)
def test_only_a_whole_success_counts_as_redriven(answer: InvokeResponse, why: str | None) -> None:
    plan = RedrivePlan(FAILURE, [{"Records": [RECORD]}])
    outcome = carry_out(plan, lambda _event, _request_id: answer)
    assert outcome.redriven == (why is None)
    assert (why or "") in outcome.why


def test_without_records_nothing_is_called() -> None:
    def never(_event: Any, _request_id: str) -> InvokeResponse:
        raise AssertionError("the function must not be called")

    assert not carry_out(RedrivePlan(FAILURE, [], 3), never).redriven
