"""`cdk-streams redrive` where Lambda writes failure records with their payload into a bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _aws, main
from tests.bench.fake_aws import BUCKET, FUNCTION, QUEUE_ARN, QUEUE_URL, FakeAws

OTHER = FUNCTION.replace("audit", "mail")
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """Return a consumer that sends to the bucket, of which the queue is told."""
    made = FakeAws()
    made.functions.mappings[FUNCTION] = made.mapping(FUNCTION, "uuid-1", BUCKET_ARN)
    made.notifications[BUCKET] = told()
    made.deployed(AuditMapping1A2B="uuid-1")
    monkeypatch.setattr(_aws, "aws", lambda *_: made.client)
    return made


def told(kind: str = "Queue", prefix: str = "aws/lambda/", **more: Any) -> dict[str, Any]:
    """Return the notification configuration of a bucket, as `QUEUE_WITH_PAYLOAD` makes it."""
    rules = [{"Name": "Prefix", "Value": prefix}]
    one = {"Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}, **more}
    return {f"{kind}Configurations": [one | {f"{kind}Arn": QUEUE_ARN}]}


def run(*options: str, by: tuple[str, ...] = ("--stack", "Shop")) -> Result:
    return CliRunner().invoke(main, ["redrive", *by, *options])


def numbers(event: Any) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]


def test_a_notification_is_followed_to_the_records_in_its_object(aws: FakeAws) -> None:
    aws.notify(key := aws.keep(1, 2))
    aws.streams.trim("s", through=aws.numbers[3])
    plan = run()
    assert plan.exit_code == 0, plan.output
    assert f"1. in {QUEUE_URL}\n   names s3://{BUCKET}/{key}\n" in plan.output
    assert f"{aws.numbers[1]} to {aws.numbers[2]}, 2 in the object" in plan.output
    assert "calls audit with 2 records, then deletes the message, not the object" in plan.output
    assert aws.functions.calls == []
    assert run("--yes").exit_code == 0
    ((function, event),) = aws.functions.calls
    assert (function, numbers(event)) == (FUNCTION, aws.numbers[1:3])
    assert aws.queue.messages == {}
    assert list(aws.objects) == [(BUCKET, key)]


def test_the_queue_may_be_named_itself(aws: FakeAws) -> None:
    aws.notify(aws.keep(0, 0))
    assert run("--yes", by=("--queue", QUEUE_URL)).exit_code == 0
    assert aws.queue.messages == {}


def test_a_notification_that_came_by_a_topic_is_followed(aws: FakeAws) -> None:
    aws.notify(aws.keep(0, 0))
    (text,) = aws.queue.messages.values()
    aws.queue.messages = {"wrapped": json.dumps({"Type": "Notification", "Message": text})}
    assert run("--yes", by=("--queue", QUEUE_URL)).exit_code == 0
    assert len(aws.functions.calls) == 1


def test_no_filter_is_applied_to_what_has_failed_already(aws: FakeAws) -> None:
    pattern = json.dumps({"eventName": ["REMOVE"]})
    aws.functions.mappings[FUNCTION]["FilterCriteria"] = {"Filters": [{"Pattern": pattern}]}
    aws.notify(aws.keep(0, 3))
    assert run("--yes").exit_code == 0
    assert numbers(aws.functions.calls[0][1]) == aws.numbers


def test_a_message_that_names_several_objects_is_deleted_after_the_last(aws: FakeAws) -> None:
    aws.notify(aws.keep(2, 3), "aws/lambda/uuid-1/s/gone", aws.keep(0, 1))
    answer = run("--yes")
    assert answer.exit_code == 1
    assert [numbers(event) for _, event in aws.functions.calls] == [
        aws.numbers[:2],
        aws.numbers[2:],
    ]
    assert len(aws.queue.messages) == 1
    aws.queue.messages.clear()
    aws.notify(aws.keep(2, 3), aws.keep(0, 1))
    assert run("--yes").exit_code == 0
    assert aws.queue.messages == {}


def test_a_call_that_fails_keeps_message_and_object(aws: FakeAws) -> None:
    aws.notify(aws.keep(0, 0))
    aws.functions.error, aws.functions.answer = "Unhandled", b'{"errorType": "KeyError"}'
    answer = run("--yes")
    assert answer.exit_code == 1
    assert "kept: the function failed with KeyError" in answer.output
    assert (len(aws.queue.messages), len(aws.objects)) == (1, 1)
    assert aws.queue.hidden == set()


def test_an_object_that_is_gone_is_told(aws: FakeAws) -> None:
    aws.notify("aws/lambda/uuid-1/s/gone")
    answer = run("--yes")
    assert answer.exit_code == 1
    assert f"the object s3://{BUCKET}/aws/lambda/uuid-1/s/gone is gone" in answer.output
    assert len(aws.queue.messages) == 1


@pytest.mark.parametrize("text", ["hello", "[]", "{}"])
def test_an_object_that_is_no_failure_record_is_told(aws: FakeAws, text: str) -> None:
    aws.objects[BUCKET, "aws/lambda/notes"] = text
    aws.notify("aws/lambda/notes")
    answer = run("--yes")
    assert answer.exit_code == 1
    assert "kept: a failure record must have requestContext" in answer.output


@pytest.mark.parametrize("time", ["soon", 1e300, None])
def test_a_record_whose_time_is_none_is_redriven_all_the_same(aws: FakeAws, time: Any) -> None:
    key = aws.keep(0, 0)
    body = json.loads(aws.objects[BUCKET, key])
    event = json.loads(body["payload"])
    event["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] = time
    aws.objects[BUCKET, key] = json.dumps(body | {"payload": json.dumps(event)})
    aws.notify(key)
    answer = run("--yes")
    assert answer.exit_code == 0, answer.output
    assert f"INSERT {aws.numbers[0]}\n" in answer.output


def test_the_end_of_a_window_is_called_with_its_state(aws: FakeAws) -> None:
    key = aws.keep(0, 0)
    body = json.loads(aws.objects[BUCKET, key])
    for name in ("startSequenceNumber", "endSequenceNumber", "batchSize"):
        del body["DDBStreamBatchInfo"][name]
    event = {"Records": [], "window": {}, "state": {"n": 3}, "isFinalInvokeForWindow": True}
    window = {"payload": json.dumps(event), "timeWindowInfo": {"isFinalInvokeForWindow": True}}
    aws.objects[BUCKET, key] = json.dumps(body | window)
    aws.notify(key)
    answer = run("--yes")
    assert answer.exit_code == 0, answer.output
    assert "calls audit with the state of a tumbling window that ended, then" in answer.output
    assert aws.functions.calls == [(FUNCTION, event)]


def test_an_object_beside_lambdas_own_is_not_read(aws: FakeAws) -> None:
    aws.notify("uploads/a picture.png")
    answer = run("--yes")
    assert answer.exit_code == 1
    assert "must name an object under aws/lambda/" in answer.output
    assert f"got s3://{BUCKET}/uploads/a picture.png" in answer.output
    assert ("s3", "get_object") not in aws.asked


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"eventName": "ObjectRemoved:Delete"}, "must be of an object that was created"),
        ({"s3": {"bucket": {"name": BUCKET}}}, "must name a bucket and a key"),
        ({"s3": {"bucket": {"name": BUCKET}, "object": {"key": 7}}}, "must name a bucket and a"),
        ({"s3": "text"}, "must name a bucket and a key"),
    ],
)
def test_a_notification_of_anything_else_is_told(
    aws: FakeAws, change: dict[str, Any], why: str
) -> None:
    aws.notify(aws.keep(0, 0))
    (text,) = aws.queue.messages.values()
    (record,) = json.loads(text)["Records"]
    aws.queue.messages = {"receipt": json.dumps({"Records": [record | change]})}
    answer = run("--yes")
    assert answer.exit_code == 1
    assert why in answer.output
    assert ("s3", "get_object") not in aws.asked


def test_a_bucket_that_no_mapping_sends_to_is_not_read(aws: FakeAws) -> None:
    aws.objects["secrets", "aws/lambda/x"] = json.dumps(aws.failure(0, 0))
    aws.notify("aws/lambda/x", bucket="secrets")
    answer = run("--yes")
    assert answer.exit_code == 1
    assert "no mapping sends failure records to the bucket secrets, so" in answer.output
    assert ("s3", "get_object") not in aws.asked
    assert aws.functions.calls == []


def test_a_function_that_does_not_send_to_the_bucket_is_not_called(aws: FakeAws) -> None:
    aws.functions.mappings[OTHER] = aws.mapping(OTHER, "uuid-2")
    aws.notify(aws.keep(0, 0, function=OTHER))
    answer = run("--yes", by=("--queue", QUEUE_URL))
    assert answer.exit_code == 1
    assert (
        f"that sends failure records to the bucket {BUCKET}, so it is not called" in answer.output
    )
    assert aws.functions.calls == []


def test_a_test_event_is_nobodys_failure_and_goes_with_yes(aws: FakeAws) -> None:
    aws.queue.put(TEST_EVENT)
    plan = run()
    assert plan.exit_code == 0
    assert f"a test event of S3 in {QUEUE_URL}, no failure record: --yes deletes it" in plan.output
    assert (len(aws.queue.messages), aws.queue.hidden) == (1, set())
    assert run("--yes").exit_code == 0
    assert aws.queue.messages == {}


def test_a_consumers_own_failures_are_found_among_others_in_its_bucket(aws: FakeAws) -> None:
    aws.functions.mappings[OTHER] = aws.mapping(OTHER, "uuid-2", BUCKET_ARN)
    aws.notify(aws.keep(0, 0))
    aws.notify(aws.keep(1, 1, function=OTHER))
    answer = run("--yes")
    assert answer.exit_code == 0, answer.output
    assert f"skipped in {QUEUE_URL}: 1 of other consumers" in answer.output
    assert [function for function, _ in aws.functions.calls] == [FUNCTION]


@pytest.mark.parametrize(
    "notifications",
    [
        {},
        told(prefix="aws/lambda/another-mapping/"),
        told(Events=["s3:ObjectRemoved:*"]),
        told(Filter={"Key": {"FilterRules": [{"Name": "suffix", "Value": ".json"}]}}),
    ],
)
def test_without_a_queue_that_is_told_the_bucket_itself_is_read(
    aws: FakeAws, notifications: dict[str, Any]
) -> None:
    aws.notifications[BUCKET] = notifications
    key = aws.keep(0, 1)
    aws.objects[BUCKET, "aws/lambda/uuid-9/s/another-mapping"] = "{}"
    plan = run()
    assert plan.exit_code == 0, plan.output
    assert f"1. in s3://{BUCKET}/{key}\n   ID " in plan.output
    assert "calls audit with 2 records, then deletes the object" in plan.output
    assert len(aws.objects) == 2
    assert run("--yes").exit_code == 0
    assert numbers(aws.functions.calls[0][1]) == aws.numbers[:2]
    assert list(aws.objects) == [(BUCKET, "aws/lambda/uuid-9/s/another-mapping")]


def test_of_a_bucket_at_most_the_limit_is_read(aws: FakeAws) -> None:
    aws.notifications = {}
    for ordinal in range(4):
        aws.keep(ordinal, ordinal)
    assert run("--yes", "--limit", "3").exit_code == 0
    assert len(aws.functions.calls) == 3
    assert len(aws.objects) == 1


def test_a_bucket_that_tells_a_topic_is_left_to_the_queues_behind_it(aws: FakeAws) -> None:
    aws.notifications[BUCKET] = told("Topic")
    aws.keep(0, 0)
    answer = run()
    assert answer.exit_code == 2
    assert f"got AuditMapping1A2B: {BUCKET_ARN}, which notifies {QUEUE_ARN}" in answer.output
