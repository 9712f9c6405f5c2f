from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Errored, Returned, SendFailure, failure_text
from cdk_streams.testing import PollerHarness

QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"
TOPIC = "arn:aws:sns:us-east-1:123456789012:failures"
BUCKET = "arn:aws:s3:::failures"
SHARD = "shardId-00000001789654273755-3d110129"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:function"
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/Table/stream/label"


def _record(number: int, second: float, **others: Any) -> dict[str, Any]:
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT",
        "dynamodb": {
            "ApproximateCreationDateTime": second,
            "Keys": {"pk": {"S": "naïve"}},
            "SequenceNumber": str(number),
            "SizeBytes": 8,
        },
    } | others


def _discarded(destination: str | None, *, outcome: Any = None, **settings: Any) -> SendFailure:
    poller = PollerHarness(MappingSettings(on_failure=destination, retry_attempts=0, **settings))
    poller.now_ms = 1_789_654_466_735
    poller.list_shards(SHARD)
    records = [_record(99, 1_789_654_466.25), _record(100, 1_789_654_466.75)]
    asked = poller.give(SHARD, records)
    asked = poller.end(SHARD, outcome or Errored())
    (send,) = [each for each in asked if isinstance(each, SendFailure)]
    return send


def _expected(request_id: str, error: str = '"Unhandled"', payload: str = "") -> str:
    return (
        '{"requestContext":{'
        f'"requestId":"{request_id}","functionArn":"{FUNCTION}",'
        '"condition":"RetryAttemptsExhausted","approximateInvokeCount":1},'
        '"responseContext":{"statusCode":200,"executedVersion":"$LATEST",'
        f'"functionError":{error}}},"version":"1.0",{payload}'
        '"timestamp":"2026-09-17T14:14:26.735Z",'
        f'"DDBStreamBatchInfo":{{"shardId":"{SHARD}",'
        '"startSequenceNumber":"99","endSequenceNumber":"100",'
        '"approximateArrivalOfFirstRecord":"2026-09-17T14:14:26Z",'
        '"approximateArrivalOfLastRecord":"2026-09-17T14:14:26Z",'
        f'"batchSize":2,"streamArn":"{STREAM}"}}}}'
    )


@pytest.mark.parametrize("destination", [QUEUE, TOPIC, None])
def test_a_queue_and_a_topic_get_this_text(destination: str | None) -> None:
    send = _discarded(destination)
    request_id = send.body["requestContext"]["requestId"]
    assert failure_text(send.body) == _expected(request_id)
    assert send.destination == destination
    assert send.key is None


def test_an_answer_that_reports_failures_has_a_null_error() -> None:
    refused = Returned({"batchItemFailures": [{"itemIdentifier": "99"}]})
    send = _discarded(QUEUE, outcome=refused, report_batch_item_failures=True)
    request_id = send.body["requestContext"]["requestId"]
    assert failure_text(send.body) == _expected(request_id, error="null")


def test_a_bucket_gets_the_event_as_text() -> None:
    send = _discarded(BUCKET)
    records = ",".join(
        f'{{"eventID":"{number:032x}","eventName":"INSERT","dynamodb":{{'
        f'"ApproximateCreationDateTime":1.78965446{second}E9,"Keys":{{"pk":{{"S":"naïve"}}}},'
        f'"SequenceNumber":"{number}","SizeBytes":8}}}}'
        for number, second in ((99, "625"), (100, "675"))
    )
    payload = json.dumps(f'{{"Records":[{records}]}}', ensure_ascii=False)
    request_id = send.body["requestContext"]["requestId"]
    expected = _expected(request_id, payload=f'"payload":{payload},')
    assert failure_text(send.body) == expected


def test_a_buckets_key_is_dated_by_whole_seconds() -> None:
    send = _discarded(BUCKET)
    assert send.key is not None
    folder, _, name = send.key.rpartition("/")
    assert folder == f"aws/lambda/89ab5863-0000-4000-8000-000000000000/{SHARD}/2026/09/17"
    assert name.startswith("2026-09-17T14.14.26-")
    assert len(name) == len("2026-09-17T14.14.26-") + 36


def test_a_windows_payload_tells_the_window() -> None:
    poller = PollerHarness(MappingSettings(on_failure=BUCKET, retry_attempts=0, tumbling_window=10))
    poller.now_ms = 1_789_654_466_735
    poller.list_shards(SHARD)
    poller.give(SHARD, [_record(99, 1_789_654_466)])
    (send,) = [each for each in poller.end(SHARD, Errored()) if isinstance(each, SendFailure)]
    payload = json.loads(send.body["payload"])
    assert list(payload) == [
        "Records",
        "shardId",
        "eventSourceARN",
        "window",
        "state",
        "isFinalInvokeForWindow",
        "isWindowTerminatedEarly",
    ]
    assert payload["window"] == {"start": "2026-09-17T14:14:20Z", "end": "2026-09-17T14:14:30Z"}


def test_a_record_without_a_creation_time_can_be_discarded() -> None:
    poller = PollerHarness(MappingSettings(on_failure=BUCKET, retry_attempts=0))
    poller.list_shards(SHARD)
    record = {"dynamodb": {"SequenceNumber": "1"}}
    poller.give(SHARD, [record])
    (send,) = [each for each in poller.end(SHARD, Errored()) if isinstance(each, SendFailure)]
    assert json.loads(send.body["payload"]) == {"Records": [record]}
