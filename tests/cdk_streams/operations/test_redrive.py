from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_streams.errors import SourceError
from cdk_streams.mapping import MappingSettings
from cdk_streams.operations.execution import Answer
from cdk_streams.operations.fake_streams import FakeStreams
from cdk_streams.operations.redrive import (
    FailureMessage,
    RedrivePlan,
    carry_out,
    discard,
    plan_redrive,
    read_failures,
)

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


def numbers(plan: RedrivePlan) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in plan.records]


def test_the_plan_holds_exactly_the_range_of_the_failure_record(streams: FakeStreams) -> None:
    written = write(streams, 6)
    plan = plan_redrive(failure(streams, written[1], written[3], 3), streams, ALL)
    assert numbers(plan) == written[1:4]
    assert plan.missing == 0
    assert plan.condition == "RetryAttemptsExhausted"


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
    records = [{"eventID": "1"}]
    body = failure(streams, "1", "1", 1) | {"payload": json.dumps({"Records": records})}
    plan = plan_redrive(body, streams, ALL)
    assert plan.event == {"Records": records}
    assert streams.calls == []


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
        (Answer("r", b'{"batchItemFailures":[]}'), None),
        (Answer("r", b"null"), None),
        (Answer("r", b'{"batchItemFailures":[{"itemIdentifier":"1"}]}'), "reported 1 as failed"),
        (Answer("r", b"{}", function_error="Unhandled", error_type="KeyError"), "with KeyError"),
        (Answer("r", throttled=True), "was throttled"),
    ],
)
def test_only_a_whole_success_counts_as_redriven(answer: Answer, why: str | None) -> None:
    plan = RedrivePlan("arn", "s", "RetryAttemptsExhausted", ({"eventID": "1"},), 0)
    outcome = carry_out(plan, lambda _event, _request_id: answer)
    assert outcome.redriven == (why is None)
    assert (why or "") in outcome.why


def test_without_records_nothing_is_called() -> None:
    def never(_event: Any, _request_id: str) -> Answer:
        raise AssertionError("the function must not be called")

    assert not carry_out(RedrivePlan("arn", "s", "any", (), 3), never).redriven


class Queue:
    """A queue in memory that answers as boto3's client does, two messages at a time."""

    def __init__(self, *bodies: str) -> None:
        self.messages = {f"receipt-{n}": body for n, body in enumerate(bodies)}
        self._received: set[str] = set()

    def receive_message(self, **_request: Any) -> dict[str, Any]:
        page = [each for each in self.messages if each not in self._received][:2]
        self._received.update(page)
        messages = [{"Body": self.messages[each], "ReceiptHandle": each} for each in page]
        return {"Messages": messages} if messages else {}

    def delete_message(self, **request: Any) -> None:
        del self.messages[request["ReceiptHandle"]]


def test_every_message_is_read_and_one_from_a_topic_is_unwrapped() -> None:
    wrapped = json.dumps({"Type": "Notification", "Message": json.dumps({"n": 2})})
    queue = Queue(json.dumps({"n": 0}), json.dumps({"n": 1}), wrapped)
    failures = list(read_failures(queue, "url"))
    assert [each.body for each in failures] == [{"n": 0}, {"n": 1}, {"n": 2}]


@pytest.mark.parametrize("text", ["", "hello", "[1]", '{"Type": "Notification"}'])
def test_a_foreign_message_does_not_hide_those_behind_it(text: str) -> None:
    queue = Queue(text, json.dumps({"n": 1}))
    assert [each.body for each in read_failures(queue, "url")] == [{}, {"n": 1}]


def test_discard_deletes_that_message_only() -> None:
    queue = Queue("{}", "{}")
    discard(queue, "url", FailureMessage({}, "receipt-1"))
    assert list(queue.messages) == ["receipt-0"]
