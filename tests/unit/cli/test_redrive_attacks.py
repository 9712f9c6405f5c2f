"""`cdk-streams redrive` on a queue and a bucket into which anybody may write."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _aws, main
from cdk_streams.mapping import MAX_PAYLOAD_BYTES
from tests.bench.fake_aws import BUCKET, FUNCTION, QUEUE_URL, FakeAws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    monkeypatch.setattr(_aws, "aws", lambda *_: made.client)
    return made


@pytest.fixture
def bucket(aws: FakeAws) -> FakeAws:
    """Return a consumer that sends to the bucket."""
    mapping = aws.mapping(FUNCTION, "uuid-1", f"arn:aws:s3:::{BUCKET}")
    aws.functions.mappings[FUNCTION] = mapping
    return aws


def run(*options: str) -> Result:
    answer = CliRunner().invoke(main, ["redrive", "--queue", QUEUE_URL, *options])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer


def called(aws: FakeAws) -> list[list[str]]:
    """Return the ordinals of the records of each call."""
    return [
        [record["dynamodb"]["NewImage"]["ordinal"]["N"] for record in event["Records"]]
        for _, event in aws.functions.calls
    ]


def put_text(aws: FakeAws, text: str) -> None:
    aws.queue.put(None)
    aws.queue.messages[[*aws.queue.messages][-1]] = text


def changed(aws: FakeAws, part: str, **values: Any) -> str:
    body = aws.failure(0, 1)
    return json.dumps(body | {part: body[part] | values})


UNREADABLE: dict[str, Callable[[FakeAws], str]] = {
    "brackets without end": lambda _: "[" * 100_000,
    "objects without end": lambda _: '{"a":' * 100_000,
    "a number of 5,000 digits": lambda _: "9" * 5_000,
    "a sequence number of 5,000 digits": lambda aws: changed(
        aws, "DDBStreamBatchInfo", endSequenceNumber="9" * 5_000
    ),
    "digits of another script": lambda aws: changed(
        aws, "DDBStreamBatchInfo", startSequenceNumber="\u0663"
    ),
    "a lone surrogate in an ARN": lambda aws: changed(
        aws, "requestContext", functionArn=f"{FUNCTION}\ud800"
    ),
    "a lone surrogate in a stream's ARN": lambda aws: changed(
        aws, "DDBStreamBatchInfo", streamArn=f"{aws.streams.arn}\udfff"
    ),
    "a shard that is a list": lambda aws: changed(aws, "DDBStreamBatchInfo", shardId=["s"]),
    "a batch of no records": lambda aws: changed(aws, "DDBStreamBatchInfo", batchSize=0),
    "a batch without end": lambda aws: changed(aws, "DDBStreamBatchInfo", batchSize=10**9),
    "a range that ends before it begins": lambda aws: changed(
        aws, "DDBStreamBatchInfo", startSequenceNumber="9" * 30
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_message_that_cannot_be_read_is_reported_and_left(aws: FakeAws, what: str) -> None:
    put_text(aws, text := UNREADABLE[what](aws))
    aws.fail(2, 3)
    answer = run("--yes")
    assert answer.exit_code == 1
    assert "kept: " in answer.output
    assert called(aws) == [["2", "3"]]
    assert [*aws.queue.messages.values()] == [text]
    assert aws.queue.hidden.isdisjoint(aws.queue.messages)


NOTIFICATIONS: dict[str, Any] = {
    "a bucket that is a list": {"bucket": {"name": [BUCKET]}, "object": {"key": "aws/lambda/x"}},
    "a bucket that is none": {"bucket": {"name": "a bucket"}, "object": {"key": "aws/lambda/x"}},
    "a key that is a number": {"bucket": {"name": BUCKET}, "object": {"key": 7}},
    "a lone surrogate in a key": {
        "bucket": {"name": BUCKET},
        "object": {"key": "aws/lambda/\ud800"},
    },
    "a long key": {"bucket": {"name": BUCKET}, "object": {"key": "aws/lambda/" + "x" * 5_000}},
    "no object": {"bucket": {"name": BUCKET}, "object": None},
}


@pytest.mark.parametrize("what", NOTIFICATIONS)
def test_a_notification_that_cannot_be_read_is_reported_and_left(
    bucket: FakeAws, what: str
) -> None:
    named = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": NOTIFICATIONS[what]}
    bucket.queue.put({"Records": [named]})
    bucket.notify(bucket.keep(1, 1))
    answer = run("--yes")
    assert answer.exit_code == 1
    assert "kept: a notification of S3 must name a " in answer.output
    assert called(bucket) == [["1"]]
    assert len(bucket.queue.messages) == 1


@pytest.mark.parametrize(
    "payload", ["[" * 100_000, '{"Records": [{"dynamodb": NaN}]}', '{"Records": 3}', 7, None, []]
)
def test_an_object_whose_payload_cannot_be_read_is_reported_and_left(
    bucket: FakeAws, payload: Any
) -> None:
    key = bucket.keep(0, 0)
    bucket.objects[BUCKET, key] = json.dumps(bucket.failure(0, 0) | {"payload": payload})
    bucket.notify(key)
    bucket.notify(bucket.keep(1, 1))
    assert run("--yes").exit_code == 1
    assert called(bucket)[-1] == ["1"]


def test_an_object_is_one_batch_however_often_it_is_named(bucket: FakeAws) -> None:
    key = bucket.keep(1, 2)
    bucket.notify(*[key] * 300)
    bucket.notify(key)
    answer = run("--yes")
    assert answer.exit_code == 0, answer.output
    assert called(bucket) == [["1", "2"]]
    assert bucket.queue.messages == {}


def test_a_failure_record_that_came_twice_is_called_once(aws: FakeAws) -> None:
    aws.fail(1, 2)
    aws.fail(1, 2)
    answer = run("--yes")
    assert f"1. in {QUEUE_URL}, 2 times" in answer.output
    assert called(aws) == [["1", "2"]]
    assert aws.queue.messages == {}


def test_a_batch_is_not_larger_than_its_failure_record_says(aws: FakeAws) -> None:
    for size in (1, 2):
        body = aws.failure(0, 3)
        body["DDBStreamBatchInfo"]["batchSize"] = size
        aws.queue.put(body)
    answer = run("--yes")
    assert answer.exit_code == 1
    assert "a failure record of 1 records cannot have the range" in answer.output
    assert "its range holds more than 2 records, although its batch has 2" in answer.output
    assert aws.functions.calls == []


def lanes(aws: FakeAws, factor: int, *, batch_size: int = 100) -> None:
    aws.functions.mappings[FUNCTION] |= {
        "ParallelizationFactor": factor,
        "BatchSize": batch_size,
    }


def test_the_lanes_own_records_are_called_with_where_they_can_be_told(aws: FakeAws) -> None:
    lanes(aws, 10)
    first = aws.streams.write("s", {"ordinal": {"N": "7"}})
    aws.streams.write("s", {"ordinal": {"N": "8"}})
    last = aws.streams.write("s", {"ordinal": {"N": "7"}})
    body = aws.failure(0, 1)
    body["DDBStreamBatchInfo"] |= {"startSequenceNumber": first, "endSequenceNumber": last}
    aws.queue.put(body)
    answer = run("--yes")
    assert answer.exit_code == 0, answer.output
    assert called(aws) == [["7", "7"]]


def test_a_range_with_other_lanes_records_is_cut_into_calls_as_lambda_cuts(aws: FakeAws) -> None:
    lanes(aws, 10, batch_size=2)
    body = aws.failure(0, 3)
    body["DDBStreamBatchInfo"]["batchSize"] = 3
    aws.queue.put(body)
    assert "4 records (other lanes' among them), in 2 calls" in run().output
    assert run("--yes").exit_code == 0
    assert called(aws) == [["0", "1"], ["2", "3"]]


def test_no_call_is_larger_than_a_payload(aws: FakeAws) -> None:
    lanes(aws, 10)
    numbers = [
        aws.streams.write("s", {"ordinal": {"N": str(n)}, "text": {"S": "x" * 390_000}})
        for n in range(24)
    ]
    body = aws.failure(0, 1)
    body["DDBStreamBatchInfo"] |= {
        "startSequenceNumber": numbers[0],
        "endSequenceNumber": numbers[-1],
        "batchSize": 3,
    }
    aws.queue.put(body)
    assert run("--yes").exit_code == 0
    sizes = [
        len(json.dumps(event, separators=(",", ":")).encode()) for _, event in aws.functions.calls
    ]
    assert len(sizes) == 2
    assert max(sizes) <= MAX_PAYLOAD_BYTES
    assert [each for call in called(aws) for each in call] == [str(n) for n in range(24)]


def test_a_call_that_fails_ends_the_batch_and_keeps_it(aws: FakeAws) -> None:
    lanes(aws, 10, batch_size=2)
    body = aws.failure(0, 3)
    body["DDBStreamBatchInfo"]["batchSize"] = 3
    aws.queue.put(body)
    aws.functions.answer = b'{"batchItemFailures": [{"itemIdentifier": "1"}]}'
    answer = run("--yes")
    assert "kept: the function reported 1 as failed" in answer.output
    assert called(aws) == [["0", "1"]]
    assert len(aws.queue.messages) == 1


def test_a_lane_whose_first_record_is_gone_is_not_whole(aws: FakeAws) -> None:
    lanes(aws, 10)
    body = aws.failure(0, 3)
    body["DDBStreamBatchInfo"]["batchSize"] = 3
    aws.queue.put(body)
    aws.streams.trim("s", through=aws.numbers[0])
    answer = run("--yes")
    assert answer.exit_code == 1
    assert "kept: 1 of its records left the stream" in answer.output
    assert aws.functions.calls == []


def test_what_the_limit_leaves_can_be_received_again_at_once(aws: FakeAws) -> None:
    for ordinal in range(4):
        aws.fail(ordinal, ordinal)
    for ordinal in range(4):
        answer = run("--yes", "--limit", "1")
        assert answer.exit_code == 0
        assert called(aws)[-1] == [str(ordinal)]
        assert "at most 1 were taken (--limit); there may be more" in answer.output
    assert aws.queue.messages == {}
    assert "there is no failure record" in run("--limit", "1").output


def test_an_error_while_looking_gives_everything_back(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.fail(0, 0)
    received = aws.queue.receive_message
    pages = iter([1])

    def twice(**request: Any) -> dict[str, Any]:
        if next(pages, None) is None:
            raise KeyboardInterrupt
        return received(**request)

    monkeypatch.setattr(aws.queue, "receive_message", twice)
    answer = CliRunner().invoke(main, ["redrive", "--queue", QUEUE_URL])
    assert answer.exit_code == 130
    assert aws.queue.hidden == set()


@pytest.mark.parametrize(
    "mark", ["\n9. redriven", "\r\x1b[2K9. redriven", "\u2028", "\u202e", "\x07"]
)
def test_what_a_message_holds_forges_no_line_of_the_plan(aws: FakeAws, mark: str) -> None:
    put_text(aws, changed(aws, "requestContext", condition=f"any{mark}"))
    aws.queue.put({f"a{mark}": 1})
    answer = run("--yes")
    lines = answer.output.splitlines()
    assert not [line for line in lines if line.startswith("9.")]
    assert all(line.isprintable() for line in lines)
    assert aws.functions.calls == []


def test_an_attribute_value_without_a_type_is_passed_on_as_it_is(aws: FakeAws) -> None:
    aws.numbers.append(aws.streams.write("s", {"ordinal": {"N": "4"}, "odd": {}}))
    aws.fail(4, 4)
    assert run("--yes").exit_code == 0
    assert called(aws) == [["4"]]
