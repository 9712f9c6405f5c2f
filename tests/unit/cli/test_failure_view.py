"""`cdk-streams failures show`: the error, the records and what came after them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _aws, main
from tests.bench.fake_aws import FUNCTION, QUEUE_URL, FakeAws

SENT = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
SENT_MS = int(SENT.timestamp() * 1000)
GROUP = "/logs/audit"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    monkeypatch.setattr(_aws, "aws", lambda *_: made.client)
    return made


def fail(aws: FakeAws, first: int, last: int) -> None:
    body = aws.failure(first, last)
    body["requestContext"] |= {"requestId": "request-1", "approximateInvokeCount": 3}
    body["timestamp"] = SENT.isoformat()
    aws.queue.put(body)


def invoke(*words: str) -> Result:
    return CliRunner().invoke(main, ["failures", *words, "--queue", QUEUE_URL])


def show(aws: FakeAws, *options: str, place: int = 0) -> Result:
    found = json.loads(invoke("list", "--json").output)["failures"]
    answer = invoke("show", found[place]["id"], *options)
    assert aws.queue.hidden == set()
    return answer


def shown(aws: FakeAws, *options: str) -> Any:
    return json.loads(show(aws, "--json", *options).output)


def log(aws: FakeAws, *lines: str, stream: str = "stream-1") -> None:
    aws.logs.lines.setdefault(GROUP, []).extend(
        (stream, SENT_MS - 1000 + place, line) for place, line in enumerate(lines)
    )


class TestError:
    def test_the_line_about_a_record_of_the_batch_is_the_error(self, aws: FakeAws) -> None:
        fail(aws, 1, 1)
        about = {"message": "stream record failed", "error_type": "KeyError"}
        log(
            aws,
            "START RequestId: request-1",
            "[ERROR]\tnow\trequest-1\t"
            + json.dumps({**about, "sequence_number": aws.numbers[1], "error_message": "secret"}),
            "[ERROR] OSError: request-1, printed later",
        )
        answer = show(aws)
        assert "failed with KeyError, says the log /logs/audit" in answer.output
        assert "secret" not in answer.output
        assert "secret" in show(aws, "--show-data").output

    def test_an_uncaught_error_is_found_between_the_lines_of_its_request(
        self, aws: FakeAws
    ) -> None:
        fail(aws, 1, 1)
        log(aws, "[ERROR] OSError: of another request", stream="stream-2")
        log(
            aws,
            "START RequestId: request-1",
            "[ERROR] ValueError: cannot handle it\nTraceback (most recent call last):",
            "END RequestId: request-1",
        )
        assert shown(aws)["error"] == {"type": "ValueError", "log_group": GROUP}

    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            (
                "now request-1 Task timed out after 3.00 seconds",
                "Task timed out after 3.00 seconds",
            ),
            (
                "REPORT RequestId: request-1\tStatus: error\tError Type: Runtime.OutOfMemory",
                "Runtime.OutOfMemory",
            ),
            ('{"errorType": "TypeError", "requestId": "request-1"}', "TypeError"),
        ],
    )
    def test_what_lambda_says_of_a_request_is_understood(
        self, aws: FakeAws, line: str, kind: str
    ) -> None:
        fail(aws, 0, 0)
        log(aws, line)
        assert shown(aws)["error"]["type"] == kind

    def test_a_log_without_it_and_no_log_are_told(self, aws: FakeAws) -> None:
        fail(aws, 0, 0)
        assert "the error is not in the log /logs/audit: An error occurred" in show(aws).output
        log(aws, "[ERROR] OSError: of another request")
        assert "the log has no error of the last attempt" in show(aws).output

    def test_a_message_chooses_neither_the_log_nor_the_stream(self, aws: FakeAws) -> None:
        aws.fail(0, 0, function=FUNCTION.replace("audit", "other"))
        answer = show(aws)
        assert answer.exit_code == 1
        assert "cannot be redriven: " in answer.output
        assert not {"logs", "dynamodbstreams", "dynamodb"}.intersection(s for s, _ in aws.asked)


class TestItem:
    """The state of the item of record 1."""

    @pytest.fixture(autouse=True)
    def failed(self, aws: FakeAws) -> None:
        fail(aws, 1, 1)

    def write_newer(self, aws: FakeAws, written: datetime) -> str:
        return aws.streams.write("s", {"ordinal": {"N": "1"}, "n": {"N": "2"}}, created=written)

    def test_the_last_change_is_the_latest(self, aws: FakeAws) -> None:
        (change,) = shown(aws)["changes"]
        assert (change["item"], change["newer"]) == ("latest", None)

    @pytest.mark.parametrize(("age", "kind"), [(60, "newer"), (1200, "stale")])
    def test_a_newer_change_is_handled_when_the_iterator_age_says_so(
        self, aws: FakeAws, age: int, kind: str
    ) -> None:
        now = datetime.now(UTC)
        aws.metrics.points = {
            now - timedelta(minutes=10): 5_000,
            now - timedelta(minutes=1): 1_000,
        }
        newer = self.write_newer(aws, now - timedelta(seconds=age))
        (change,) = shown(aws)["changes"]
        assert (change["item"], change["newer"]) == (kind, newer)

    def test_without_the_metric_it_is_unknown_whether_it_was_handled(self, aws: FakeAws) -> None:
        self.write_newer(aws, datetime(2026, 1, 1, tzinfo=UTC))
        assert "its item has changed since; whether that was handled is unknown" in show(aws).output

    @pytest.mark.parametrize(
        ("item", "kind"),
        [
            ({"ordinal": {"N": "1"}}, "latest"),
            ({"ordinal": {"N": "1"}, "new": {"B": b"ab"}}, "newer"),
            (None, "newer"),
        ],
    )
    def test_of_a_closed_shard_the_table_is_asked(
        self, aws: FakeAws, item: dict[str, Any] | None, kind: str
    ) -> None:
        aws.streams.close_shard("s")
        if item is not None:
            aws.items[json.dumps({"ordinal": {"N": "1"}})] = item
        assert [each["item"] for each in shown(aws)["changes"]] == [kind]


def test_items_are_shown_only_when_asked_for(aws: FakeAws) -> None:
    aws.numbers[0] = aws.streams.write("s", {"pk": {"S": "order-1"}, "card": {"S": "4111"}})
    fail(aws, 0, 0)
    assert "4111" not in show(aws).output
    assert "4111" not in show(aws, "--json").output
    assert '    + card: "4111"' in show(aws, "--show-data").output
    (change,) = shown(aws, "--show-data")["changes"]
    assert change["record"]["dynamodb"]["NewImage"]["card"] == {"S": "4111"}


def test_the_command_that_it_names_redrives_it(aws: FakeAws) -> None:
    fail(aws, 0, 1)
    program, *words = shown(aws)["redrive"].split()
    assert program == "cdk-streams"
    assert CliRunner().invoke(main, [*words, "--yes"]).exit_code == 0
    assert (len(aws.functions.calls), aws.queue.messages) == (1, {})


def test_trimmed_records_are_counted_and_end_with_1(aws: FakeAws) -> None:
    fail(aws, 0, 1)
    aws.streams.trim("s", through=aws.numbers[0])
    answer = show(aws)
    assert answer.exit_code == 1
    assert "1 of its records left the stream" in answer.output


def test_an_unknown_id_is_told(aws: FakeAws) -> None:
    fail(aws, 0, 0)
    answer = invoke("show", "0123abcd")
    assert answer.exit_code == 2
    assert "there is no failure record with the ID 0123abcd among 1" in answer.output
    assert invoke("show", "x").exit_code == 2
    assert aws.queue.hidden == set()
