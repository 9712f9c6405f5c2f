"""`cdk-streams redrive --rejects`: records of a reject queue, handed to their function again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _aws, main
from cdk_streams.live import AtStart, ShardReader
from lambda_runtime._batches import rejects
from tests.bench.fake_aws import FUNCTION, QUEUE_URL, FakeAws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    monkeypatch.setattr(_aws, "aws", lambda *_: made.client)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", FUNCTION)
    return made


def run(*options: str) -> Result:
    return CliRunner().invoke(main, ["redrive", "--queue", QUEUE_URL, *options])


def reject(aws: FakeAws, number: int, **change: Any) -> dict[str, Any]:
    """Put the message that the runtime sends into the queue; return its record."""
    records = ShardReader(aws.streams, aws.streams.arn, "s", AtStart()).read().records
    record = {**records[number], "eventSourceARN": aws.streams.arn}
    aws.queue.put(json.loads(rejects.message(record, "no such product", "placed")) | change)
    return record


def test_a_rejected_record_is_shown_and_then_handed_to_its_function(aws: FakeAws) -> None:
    record = reject(aws, 1)
    shown = run("--rejects")
    assert shown.exit_code == 0, shown.output
    assert "Rejected: function audit, table orders" in shown.output
    assert "1 in the message" in shown.output
    assert aws.functions.calls == []

    answer = run("--rejects", "--yes")
    assert answer.exit_code == 0, answer.output
    assert aws.functions.calls == [(FUNCTION, {"Records": [record]})]
    assert aws.queue.messages == {}


def test_a_record_that_an_alias_rejected_is_handed_to_the_alias(aws: FakeAws) -> None:
    alias = f"{FUNCTION}:live"
    aws.functions.mappings = {alias: aws.mapping(alias, "uuid-2")}
    record = reject(aws, 1, functionName="audit", functionArn=alias)

    shown = run("--rejects")
    answer = run("--rejects", "--yes")

    assert "Rejected: function audit:live, table orders" in shown.output
    assert answer.exit_code == 0, answer.output
    assert aws.functions.calls == [(alias, {"Records": [record]})]


def test_the_stream_is_not_read_so_a_trimmed_record_is_no_loss(aws: FakeAws) -> None:
    reject(aws, 0)
    aws.streams.trim("s", through=aws.numbers[3])
    assert run("--rejects", "--yes").exit_code == 0
    assert len(aws.functions.calls) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"functionName": f"{FUNCTION}-other"}, "has no mapping to"),
        ({"eventSourceARN": "arn:aws:dynamodb:x:1:table/o/stream/2"}, "has no mapping to"),
        ({"omitted": ["NewImage"]}, "must have its images to be handled again"),
        ({"record": "text"}, "must have functionName and record, got the keys"),
    ],
)
def test_what_cannot_be_handled_again_is_kept(
    aws: FakeAws, change: dict[str, Any], why: str
) -> None:
    reject(aws, 0, **change)
    answer = run("--rejects", "--yes")
    assert (answer.exit_code, aws.functions.calls) == (1, [])
    assert why in " ".join(answer.output.split())
    assert len(aws.queue.messages) == 1


def test_only_who_asks_for_it_calls_functions_with_what_a_message_holds(aws: FakeAws) -> None:
    reject(aws, 0)
    assert run("--yes").exit_code == 1
    assert aws.functions.calls == []
    by_stack = CliRunner().invoke(main, ["redrive", "--stack", "Shop", "--rejects"])
    assert "--rejects says what the messages of a queue are" in by_stack.output
