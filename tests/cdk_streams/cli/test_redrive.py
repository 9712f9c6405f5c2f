"""What `cdk-streams redrive` shows, calls and deletes; queue, stream and Lambda are in memory."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoRegionError
from click.testing import CliRunner, Result

from cdk_streams.cli import main, redrive_session
from cdk_streams.operations.fake_streams import FakeStreams

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:audit"
OTHER = FUNCTION.replace("audit", "mail")
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:failed"
QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/failed"


def refusal(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as the test asked"}}, operation)


@dataclass
class Queue:
    """A queue in memory; a message that is received is hidden until its visibility is reset."""

    messages: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    def receive_message(self, **request: Any) -> dict[str, Any]:
        seen = [each for each in self.messages if each not in self.hidden]
        seen = seen[: request["MaxNumberOfMessages"]]
        self.hidden.update(seen)
        return {"Messages": [{"Body": self.messages[one], "ReceiptHandle": one} for one in seen]}

    def delete_message(self, **request: Any) -> None:
        del self.messages[request["ReceiptHandle"]]

    def change_message_visibility(self, **request: Any) -> None:
        assert request["VisibilityTimeout"] == 0
        self.hidden.discard(request["ReceiptHandle"])

    def get_queue_url(self, **request: Any) -> dict[str, str]:
        assert request == {"QueueName": "failed", "QueueOwnerAWSAccountId": "000000000000"}
        return {"QueueUrl": QUEUE}


@dataclass
class Pages:
    """A paginator of boto3, with one thing on each page."""

    name: str
    things: list[dict[str, Any]]

    def paginate(self, **_request: Any) -> Iterator[dict[str, Any]]:
        yield from ({self.name: [each]} for each in self.things)


@dataclass
class Lambda:
    """Mappings by function, and a function whose calls are kept and answered with `answer`."""

    mappings: dict[str, dict[str, Any]]
    answer: bytes = b'{"batchItemFailures": []}'
    error: str | None = None
    throttles: bool = False
    calls: list[tuple[str, list[str]]] = field(default_factory=list)

    def get_paginator(self, name: str) -> Any:
        assert name == "list_event_source_mappings"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        found = self.mappings.get(request["FunctionName"])
        if found is None:
            raise refusal("ResourceNotFoundException", "ListEventSourceMappings")
        matches = found["EventSourceArn"] == request["EventSourceArn"]
        yield {"EventSourceMappings": [found] if matches else []}

    def get_event_source_mapping(self, **request: Any) -> dict[str, Any]:
        return next(each for each in self.mappings.values() if each["UUID"] == request["UUID"])

    def invoke(self, **request: Any) -> dict[str, Any]:
        if self.throttles:
            raise refusal("TooManyRequestsException", "Invoke")
        records = json.loads(request["Payload"])["Records"]
        ordinals = [record["dynamodb"]["NewImage"]["ordinal"]["N"] for record in records]
        self.calls.append((request["FunctionName"], ordinals))
        answer: dict[str, Any] = {"StatusCode": 200, "Payload": io.BytesIO(self.answer)}
        return answer | ({"FunctionError": self.error} if self.error else {})


class Aws:
    """Four written records in a shard, a consumer without filters, and an empty queue."""

    def __init__(self) -> None:
        self.streams = FakeStreams()
        self.streams.add_shard("s")
        self.numbers = [self.streams.write("s", {"ordinal": {"N": str(n)}}) for n in range(4)]
        self.queue = Queue()
        self.functions = Lambda({FUNCTION: self.mapping(FUNCTION, "uuid-1")})
        self.resources: list[dict[str, Any]] = []

    def mapping(self, function: str, uuid: str, destination: str = QUEUE_ARN) -> dict[str, Any]:
        return {
            "UUID": uuid,
            "FunctionArn": function,
            "EventSourceArn": self.streams.arn,
            "State": "Enabled",
            "BatchSize": 100,
            "StartingPosition": "TRIM_HORIZON",
            "DestinationConfig": {"OnFailure": {"Destination": destination}},
        }

    def client(self, service: str) -> Any:
        if service == "cloudformation":
            return self
        found: dict[str, Any] = {"sqs": self.queue, "lambda": self.functions}
        return found.get(service, self.streams)

    def get_paginator(self, name: str) -> Pages:
        assert name == "list_stack_resources"
        return Pages("StackResourceSummaries", self.resources)

    def deployed(self, **uuids: str) -> None:
        kind = "AWS::Lambda::EventSourceMapping"
        self.resources = [
            {"LogicalResourceId": name, "PhysicalResourceId": uuid, "ResourceType": kind}
            for name, uuid in uuids.items()
        ]

    def fail(self, first: int, last: int, function: str = FUNCTION) -> None:
        """Put a failure record for the records `first` to `last` into the queue."""
        body = {
            "requestContext": {"functionArn": function, "condition": "RetryAttemptsExhausted"},
            "DDBStreamBatchInfo": {
                "shardId": "s",
                "startSequenceNumber": self.numbers[first],
                "endSequenceNumber": self.numbers[last],
                "batchSize": last - first + 1,
                "streamArn": self.streams.arn,
            },
        }
        self.queue.messages[f"receipt-{len(self.queue.messages)}"] = json.dumps(body)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    made = Aws()
    monkeypatch.setattr(redrive_session, "aws", lambda *_: made.client)
    return made


def run(*options: str, by: tuple[str, ...] = ("--queue", QUEUE)) -> Result:
    return CliRunner().invoke(main, ["redrive", *by, *options])


def test_without_yes_the_plan_is_shown_and_nothing_changes(aws: Aws) -> None:
    aws.fail(1, 2)
    before = dict(aws.queue.messages)
    answer = run()
    assert answer.exit_code == 0, answer.output
    assert "RetryAttemptsExhausted: function audit, table orders" in answer.output
    assert f"shard s, {aws.numbers[1]} to {aws.numbers[2]}, 2 read back, 0 missing" in answer.output
    assert "calls audit with 2 records, then deletes the failure record" in answer.output
    assert "nothing was called or deleted; --yes carries this out" in answer.output
    assert (aws.functions.calls, aws.queue.messages) == ([], before)


def test_what_was_only_shown_can_be_received_again_at_once(aws: Aws) -> None:
    aws.fail(0, 0)
    assert run().output == run().output
    assert aws.queue.hidden == set()


def test_yes_calls_in_the_order_of_the_shard_and_deletes(aws: Aws) -> None:
    aws.fail(2, 3)
    aws.fail(0, 1)
    answer = run("--yes")
    assert answer.exit_code == 0, answer.output
    assert aws.functions.calls == [(FUNCTION, ["0", "1"]), (FUNCTION, ["2", "3"])]
    assert aws.queue.messages == {}
    assert "1. redriven" in answer.output
    assert "2. redriven" in answer.output


def test_item_data_is_printed_only_when_asked_for(aws: Aws) -> None:
    aws.numbers.append(aws.streams.write("s", {"ordinal": {"N": "4"}, "who": {"S": "Ada"}}))
    aws.fail(4, 4)
    aws.functions.answer = b'{"errorType": "KeyError", "errorMessage": "Ada"}'
    aws.functions.error = "Unhandled"
    assert "Ada" not in run("--yes").output
    assert '"who": {"S": "Ada"}' in run("--show-data").output


def test_trimmed_records_are_told_and_the_failure_record_stays(aws: Aws) -> None:
    aws.fail(0, 1)
    aws.streams.trim("s", through=aws.numbers[1])
    for options in ((), ("--yes",), ("--yes", "--incomplete")):
        answer = run(*options)
        assert answer.exit_code == 1
        assert "stays: its records have left the stream, which keeps them for 24" in answer.output
    assert aws.functions.calls == []
    assert len(aws.queue.messages) == 1


def test_a_batch_that_is_half_gone_is_called_only_when_asked_and_stays(aws: Aws) -> None:
    aws.fail(0, 3)
    aws.streams.trim("s", through=aws.numbers[0])
    plain = run("--yes")
    assert plain.exit_code == 1
    assert "stays: 1 of its records left the stream" in plain.output
    assert aws.functions.calls == []
    asked = run("--yes", "--incomplete")
    assert asked.exit_code == 1
    assert "handled, stays: not all of its records were there" in asked.output
    assert aws.functions.calls == [(FUNCTION, ["1", "2", "3"])]
    assert len(aws.queue.messages) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"error": "Unhandled", "answer": b'{"errorType": "KeyError"}'}, "failed with KeyError"),
        ({"error": "Unhandled", "answer": b"{}"}, "the function failed with Unhandled"),
        ({"answer": b'{"batchItemFailures": [{"itemIdentifier": "1"}]}'}, "reported 1 as failed"),
        ({"throttles": True}, "the function was throttled"),
    ],
)
def test_a_call_that_fails_keeps_its_failure_record(
    aws: Aws, change: dict[str, Any], why: str
) -> None:
    aws.fail(0, 0)
    for name, value in change.items():
        setattr(aws.functions, name, value)
    answer = run("--yes")
    assert answer.exit_code == 1
    assert why in answer.output
    assert len(aws.queue.messages) == 1
    assert aws.queue.hidden == set()


def test_records_that_the_consumer_filters_out_are_not_called_with(aws: Aws) -> None:
    pattern = json.dumps({"dynamodb": {"NewImage": {"ordinal": {"N": ["2"]}}}})
    aws.functions.mappings[FUNCTION]["FilterCriteria"] = {"Filters": [{"Pattern": pattern}]}
    aws.fail(2, 2)
    aws.queue.messages["receipt-0"] = aws.queue.messages["receipt-0"].replace(
        f'"startSequenceNumber": "{aws.numbers[2]}"', f'"startSequenceNumber": "{aws.numbers[0]}"'
    )
    assert run("--yes").exit_code == 0
    assert aws.functions.calls == [(FUNCTION, ["2"])]


def test_a_function_without_a_mapping_to_the_stream_is_never_called(aws: Aws) -> None:
    aws.fail(0, 0, function=OTHER)
    answer = run("--yes")
    assert answer.exit_code == 1
    assert f"stays: the mapping of {OTHER}" in answer.output
    assert aws.functions.calls == []


def test_a_foreign_message_stays_and_the_others_are_redriven(aws: Aws) -> None:
    aws.queue.messages["foreign"] = "hello"
    aws.fail(0, 0)
    answer = run("--yes")
    assert answer.exit_code == 1
    assert "stays: a failure record must have requestContext" in answer.output
    assert list(aws.queue.messages) == ["foreign"]
    assert aws.functions.calls == [(FUNCTION, ["0"])]


def test_at_most_the_limit_is_taken(aws: Aws) -> None:
    for ordinal in range(4):
        aws.fail(ordinal, ordinal)
    assert run("--yes", "--limit", "3").exit_code == 0
    assert aws.functions.calls == [(FUNCTION, [str(ordinal)]) for ordinal in range(3)]


def test_an_empty_queue_is_no_failure(aws: Aws) -> None:
    answer = run()
    assert (answer.exit_code, answer.output) == (0, "there is no failure record to redrive\n")
    assert aws.functions.calls == []


def test_a_queue_may_be_named_by_its_arn(aws: Aws) -> None:
    aws.fail(0, 0)
    assert f"in {QUEUE}" in run(by=("--queue", QUEUE_ARN)).output


def test_a_consumer_of_a_stack_redrives_its_own_failures_only(aws: Aws) -> None:
    aws.functions.mappings[OTHER] = aws.mapping(OTHER, "uuid-2")
    aws.deployed(AuditMapping1A2B="uuid-1", MailMapping3C4D="uuid-2")
    aws.fail(0, 0)
    aws.fail(1, 1, function=OTHER)
    answer = run("--yes", by=("--stack", "Shop", "--consumer", "Audit"))
    assert answer.exit_code == 0, answer.output
    assert f"left alone in {QUEUE}: 1 of other consumers" in answer.output
    assert aws.functions.calls == [(FUNCTION, ["0"])]
    assert run("--yes", by=("--stack", "Shop")).exit_code == 0
    assert aws.functions.calls[1:] == [(OTHER, ["1"])]
    assert aws.queue.messages == {}


def test_an_unknown_consumer_is_told_which_there_are(aws: Aws) -> None:
    aws.deployed(AuditMapping1A2B="uuid-1")
    answer = run(by=("--stack", "Shop", "--consumer", "Nobody"))
    assert answer.exit_code == 1
    assert "must be one of AuditMapping1A2B in the stack Shop, got Nobody" in answer.output


def test_a_consumer_whose_failures_go_to_no_queue_is_told(aws: Aws) -> None:
    topic = "arn:aws:sns:us-east-1:000000000000:failed"
    aws.functions.mappings[FUNCTION] = aws.mapping(FUNCTION, "uuid-1", topic)
    aws.deployed(AuditMapping1A2B="uuid-1")
    answer = run(by=("--stack", "Shop"))
    assert answer.exit_code == 1
    assert f"must go to a queue to be redriven, got AuditMapping1A2B: {topic}" in answer.output


@pytest.mark.parametrize("by", [(), ("--queue", "q", "--stack", "s"), ("--consumer", "c")])
def test_a_queue_or_a_stack_is_named(by: tuple[str, ...]) -> None:
    answer = run(by=by)
    assert answer.exit_code == 2
    assert "name either --queue or --stack" in answer.output


def test_what_boto3_lacks_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise NoRegionError

    monkeypatch.setattr(redrive_session, "aws", fail)
    answer = run()
    assert (answer.exit_code, answer.output) == (1, "Error: You must specify a region.\n")


def test_a_call_is_never_repeated_by_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    config = redrive_session.aws(None, "eu-west-1", "http://127.0.0.1:9")("lambda").meta.config
    assert config.retries["total_max_attempts"] == 1
    assert config.read_timeout > 900
