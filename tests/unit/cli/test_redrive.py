"""What `cdk-streams redrive` shows, calls and deletes; queue, stream and Lambda are in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _aws, main
from tests.bench.fake_aws import FUNCTION, QUEUE_ARN, QUEUE_URL, FakeAws

OTHER = FUNCTION.replace("audit", "mail")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    monkeypatch.setattr(_aws, "aws", lambda *_: made.client)
    return made


def called(aws: FakeAws) -> list[tuple[str, list[str]]]:
    """Return the functions that were called and the ordinals of the records they got."""
    return [
        (
            function,
            [record["dynamodb"]["NewImage"]["ordinal"]["N"] for record in event["Records"]],
        )
        for function, event in aws.functions.calls
    ]


def run(*options: str, by: tuple[str, ...] = ("--queue", QUEUE_URL)) -> Result:
    return CliRunner().invoke(main, ["redrive", *by, *options])


def test_without_yes_the_plan_is_shown_and_nothing_changes(aws: FakeAws) -> None:
    aws.fail(1, 2)
    before = dict(aws.queue.messages)
    answer = run()
    assert answer.exit_code == 0, answer.output
    assert "RetryAttemptsExhausted: function audit, table orders" in answer.output
    assert f"shard s, {aws.numbers[1]} to {aws.numbers[2]}, 2 read back, 0 missing" in answer.output
    assert "calls audit with 2 records, then deletes the failure record" in answer.output
    assert "nothing was called or deleted; --yes carries this out" in answer.output
    assert (called(aws), aws.queue.messages) == ([], before)


def test_what_was_only_shown_can_be_received_again_at_once(aws: FakeAws) -> None:
    aws.fail(0, 0)
    assert run().output == run().output
    assert aws.queue.hidden == set()


def test_yes_calls_in_the_order_of_the_shard_and_deletes(aws: FakeAws) -> None:
    aws.fail(2, 3)
    aws.fail(0, 1)
    answer = run("--yes")
    assert answer.exit_code == 0, answer.output
    assert called(aws) == [(FUNCTION, ["0", "1"]), (FUNCTION, ["2", "3"])]
    assert aws.queue.messages == {}
    assert "1. redriven" in answer.output
    assert "2. redriven" in answer.output


def test_item_data_is_printed_only_when_asked_for(aws: FakeAws) -> None:
    aws.numbers.append(aws.streams.write("s", {"ordinal": {"N": "4"}, "who": {"S": "Ada"}}))
    aws.fail(4, 4)
    aws.functions.answer = b'{"errorType": "KeyError", "errorMessage": "Ada"}'
    aws.functions.error = "Unhandled"
    assert "Ada" not in run("--yes").output
    assert '"who": {"S": "Ada"}' in run("--show-data").output


def test_trimmed_records_are_told_and_the_failure_record_stays(aws: FakeAws) -> None:
    aws.fail(0, 1)
    aws.streams.trim("s", through=aws.numbers[1])
    for options in ((), ("--yes",), ("--yes", "--incomplete")):
        answer = run(*options)
        assert answer.exit_code == 1
        assert "kept: its records have left the stream, which keeps them for 24" in answer.output
    assert called(aws) == []
    assert len(aws.queue.messages) == 1


def test_a_batch_that_is_half_gone_is_called_only_when_asked_and_stays(aws: FakeAws) -> None:
    aws.fail(0, 3)
    aws.streams.trim("s", through=aws.numbers[0])
    plain = run("--yes")
    assert plain.exit_code == 1
    assert "kept: 1 of its records left the stream" in plain.output
    assert called(aws) == []
    asked = run("--yes", "--incomplete")
    assert asked.exit_code == 1
    assert "handled; kept, because not all of its records were there" in asked.output
    assert called(aws) == [(FUNCTION, ["1", "2", "3"])]
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
    aws: FakeAws, change: dict[str, Any], why: str
) -> None:
    aws.fail(0, 0)
    for name, value in change.items():
        setattr(aws.functions, name, value)
    answer = run("--yes")
    assert answer.exit_code == 1
    assert why in answer.output
    assert len(aws.queue.messages) == 1
    assert aws.queue.hidden == set()


def test_records_that_the_consumer_filters_out_are_not_called_with(aws: FakeAws) -> None:
    pattern = json.dumps({"dynamodb": {"NewImage": {"ordinal": {"N": ["1", "3"]}}}})
    aws.functions.mappings[FUNCTION]["FilterCriteria"] = {"Filters": [{"Pattern": pattern}]}
    body = aws.failure(1, 3)
    body["DDBStreamBatchInfo"]["batchSize"] = 2
    aws.queue.put(body)
    assert run("--yes").exit_code == 0
    assert called(aws) == [(FUNCTION, ["1", "3"])]


def test_a_function_without_a_mapping_to_the_stream_is_never_called(aws: FakeAws) -> None:
    aws.fail(0, 0, function=OTHER)
    answer = run("--yes")
    assert answer.exit_code == 1
    assert f"kept: {OTHER} has no mapping to" in answer.output
    assert called(aws) == []


def test_a_foreign_message_stays_and_the_others_are_redriven(aws: FakeAws) -> None:
    aws.queue.messages["foreign"] = "hello"
    aws.fail(0, 0)
    answer = run("--yes")
    assert answer.exit_code == 1
    assert "kept: a failure record must have requestContext" in answer.output
    assert list(aws.queue.messages) == ["foreign"]
    assert called(aws) == [(FUNCTION, ["0"])]


def test_a_foreign_message_in_a_stacks_queue_is_told_too(aws: FakeAws) -> None:
    aws.deployed(AuditMapping1A2B="uuid-1")
    aws.queue.put({"hello": 1})
    answer = run("--yes", by=("--stack", "Shop"))
    assert answer.exit_code == 1
    assert "got the keys hello" in answer.output


def test_at_most_the_limit_is_taken(aws: FakeAws) -> None:
    for ordinal in range(4):
        aws.fail(ordinal, ordinal)
    assert run("--yes", "--limit", "3").exit_code == 0
    assert called(aws) == [(FUNCTION, [str(ordinal)]) for ordinal in range(3)]


def test_an_empty_queue_is_no_failure(aws: FakeAws) -> None:
    answer = run()
    assert (answer.exit_code, answer.output) == (0, "there is no failure record to redrive\n")
    assert called(aws) == []


def test_a_queue_may_be_named_by_its_arn(aws: FakeAws) -> None:
    aws.fail(0, 0)
    assert f"in {QUEUE_URL}" in run(by=("--queue", QUEUE_ARN)).output


def test_a_consumer_of_a_stack_redrives_its_own_failures_only(aws: FakeAws) -> None:
    aws.functions.mappings[OTHER] = aws.mapping(OTHER, "uuid-2")
    aws.deployed(AuditMapping1A2B="uuid-1", MailMapping3C4D="uuid-2")
    aws.fail(0, 0)
    aws.fail(1, 1, function=OTHER)
    answer = run("--yes", by=("--stack", "Shop", "--consumer", "Audit"))
    assert answer.exit_code == 0, answer.output
    assert f"skipped in {QUEUE_URL}: 1 of other consumers" in answer.output
    assert called(aws) == [(FUNCTION, ["0"])]
    assert run("--yes", by=("--stack", "Shop")).exit_code == 0
    assert called(aws)[1:] == [(OTHER, ["1"])]
    assert aws.queue.messages == {}


def test_an_unknown_consumer_is_told_which_there_are(aws: FakeAws) -> None:
    aws.deployed(AuditMapping1A2B="uuid-1")
    answer = run(by=("--stack", "Shop", "--consumer", "Nobody"))
    assert answer.exit_code == 2
    assert "must be one of AuditMapping1A2B in the stack Shop, got Nobody" in answer.output


def test_a_consumer_whose_failures_go_to_no_queue_is_told(aws: FakeAws) -> None:
    topic = "arn:aws:sns:us-east-1:000000000000:failed"
    aws.functions.mappings[FUNCTION] = aws.mapping(FUNCTION, "uuid-1", topic)
    aws.deployed(AuditMapping1A2B="uuid-1")
    answer = run(by=("--stack", "Shop"))
    assert answer.exit_code == 2
    assert f"queue or a bucket to be redriven, got AuditMapping1A2B: {topic}; name" in answer.output


def test_a_consumer_that_cannot_be_looked_at_is_told_beside_the_others(aws: FakeAws) -> None:
    topic = "arn:aws:sns:us-east-1:000000000000:failed"
    aws.functions.mappings[OTHER] = aws.mapping(OTHER, "uuid-2", topic)
    aws.deployed(AuditMapping1A2B="uuid-1", MailMapping3C4D="uuid-2")
    aws.fail(0, 0)
    answer = run("--yes", by=("--stack", "Shop"))
    assert answer.exit_code == 0, answer.output
    assert f"unsupported destination: MailMapping3C4D -> {topic}" in answer.output
    assert called(aws) == [(FUNCTION, ["0"])]


def test_a_payload_that_a_message_brings_is_not_what_the_function_gets(aws: FakeAws) -> None:
    forged = {"Records": [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1"}}]}
    aws.queue.put(aws.failure(1, 1) | {"payload": json.dumps(forged)})
    assert run("--yes").exit_code == 0
    assert called(aws) == [(FUNCTION, ["1"])]


def test_what_a_message_holds_does_not_control_the_terminal(aws: FakeAws) -> None:
    aws.queue.put({"\x1b[2J": 1})
    assert "got the keys \ufffd[2J" in run().output
