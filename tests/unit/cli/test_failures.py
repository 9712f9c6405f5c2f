"""`cdk-streams failures`: what waits in queues and buckets, and what is left as it was."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _aws, main
from tests.bench.fake_aws import BUCKET, FUNCTION, QUEUE_ARN, QUEUE_URL, FakeAws

NOW = datetime.now(UTC)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    monkeypatch.setattr(_aws, "aws", lambda *_: made.client)
    return made


def run(*options: str) -> Result:
    return CliRunner().invoke(main, ["failures", "list", "--queue", QUEUE_URL, *options])


def listed(*options: str) -> Any:
    return json.loads(run("--json", *options).output)["failures"]


def sent(aws: FakeAws, first: int, last: int, written: timedelta) -> None:
    """Put a failure record as Lambda writes it; its records were written so long ago."""
    body = aws.failure(first, last)
    body["requestContext"] |= {"requestId": "request-1", "approximateInvokeCount": 11}
    body["timestamp"] = (NOW - timedelta(minutes=5)).isoformat()
    body["DDBStreamBatchInfo"]["approximateArrivalOfFirstRecord"] = (NOW - written).isoformat()
    aws.queue.put(body)


def test_each_is_listed_in_the_order_of_its_records_and_nothing_is_changed(aws: FakeAws) -> None:
    sent(aws, 2, 3, timedelta(hours=1))
    sent(aws, 0, 0, timedelta(hours=25))
    answer = run()
    assert answer.exit_code == 1
    first, second = [each.splitlines() for each in answer.output.split("\n\n")[1:]]
    assert first[0].endswith(
        f" audit: RetryAttemptsExhausted after 11 attempts, "
        f"{NOW - timedelta(minutes=5):%Y-%m-%d %H:%M:%S} UTC"
    )
    assert f"1 record: {aws.numbers[0]}, could be read back until " in first[1]
    assert f"2 records: {aws.numbers[2]} to {aws.numbers[3]}" in second[1]
    # An hour after it was written, and the minutes that the tests before this one took.
    assert "can be read back for 22 h " in second[1]
    assert second[2] == f"  in {QUEUE_URL}"
    assert (len(aws.queue.messages), aws.queue.hidden, aws.functions.calls) == (2, set(), [])
    assert not any(service == "dynamodbstreams" for service, _ in aws.asked)


def test_the_json_says_the_same(aws: FakeAws) -> None:
    sent(aws, 0, 1, timedelta(hours=25))
    (found,) = listed()
    assert found == {
        "id": found["id"],
        "in": [QUEUE_URL],
        "function": FUNCTION,
        "stream": aws.streams.arn,
        "condition": "RetryAttemptsExhausted",
        "attempts": 11,
        "sent_at": (NOW - timedelta(minutes=5)).isoformat(),
        "shard": "s",
        "first": aws.numbers[0],
        "last": aws.numbers[1],
        "records": 2,
        "written_at": (NOW - timedelta(hours=25)).isoformat(),
        "read_back_until": (NOW - timedelta(hours=1)).isoformat(),
        "trimmed": True,
    }


def test_its_ids_are_those_that_redrive_takes(aws: FakeAws) -> None:
    aws.fail(0, 0)
    aws.fail(1, 1)
    wanted = listed()[1]["id"]
    arguments = ["redrive", "--queue", QUEUE_URL, "--yes", "--only", wanted]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert [each["first"] for each in listed()] == [aws.numbers[0]]


def test_an_object_keeps_its_records_and_what_cannot_be_read_is_told(aws: FakeAws) -> None:
    aws.functions.mappings[FUNCTION] = aws.mapping(FUNCTION, "uuid-1", f"arn:aws:s3:::{BUCKET}")
    key = aws.keep(0, 0)
    aws.notify(key)
    aws.queue.put({"strange": "\x1b[2J"})
    answer = run()
    assert "its records are in the object" in answer.output
    assert f"  in s3://{BUCKET}/{key}" in answer.output
    assert "cannot be read: a failure record must have requestContext" in answer.output
    assert "\x1b" not in answer.output
    assert [each.get("problem", "")[:16] for each in listed()] == ["a failure record", ""]


def test_none_is_0_and_the_stack_s_own_queue_is_read(aws: FakeAws) -> None:
    aws.deployed(Audit="uuid-1")
    answer = CliRunner().invoke(main, ["failures", "list", "--stack", "Shop"])
    assert (answer.exit_code, answer.output) == (0, "0 failure records\n")
    aws.fail(0, 0)
    assert CliRunner().invoke(main, ["failures", "list", "--stack", "Shop"]).exit_code == 1


@pytest.mark.parametrize("arguments", [[], ["--stack", "a", "--queue", QUEUE_ARN]])
def test_one_place_has_to_be_named(arguments: list[str]) -> None:
    answer = CliRunner().invoke(main, ["failures", "list", *arguments])
    assert answer.exit_code == 2
    assert "either --queue or --stack" in answer.output


def test_five_thousand_are_listed_in_little_memory(aws: FakeAws) -> None:
    for _ in range(1_250):
        for ordinal in range(4):
            body = aws.failure(ordinal, ordinal)
            body["DDBStreamBatchInfo"]["shardId"] = f"s-{len(aws.queue.messages)}"
            aws.queue.put(body)
    tracemalloc.start()
    try:
        answer = run("--limit", "5000")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.output.startswith("5,000 failure records\n")
    assert answer.output.endswith("at most 5000 were read (--limit); there may be more\n")
    assert peak < 60_000_000
    assert (len(aws.queue.messages), aws.queue.hidden) == (5_000, set())
