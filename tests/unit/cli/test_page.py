"""docs/cli.md is true: every command and option, the plan it shows, the permissions it asks for."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cdk_streams.cli import _aws, main
from tests.bench.fake_aws import BUCKET, FUNCTION, QUEUE_ARN, QUEUE_URL, FakeAws
from tools.write_cli_page import contexts, options, words, written

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = {words(each): each for each in contexts()}
SECTIONS = dict(
    re.findall(r"^## `cdk-streams ([\w ]+)`\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
)
EXAMPLES = re.findall(r"^cdk-streams .*", TEXT, re.MULTILINE)
SHOWN, PLAN, DONE = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
MAIL = FUNCTION.replace("audit", "mail")
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
# Operations whose IAM action has another name.
ACTIONS = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "lambda:Invoke": "lambda:InvokeFunction",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """Return a consumer that is told of its failures, and one whose failures are kept."""
    made = FakeAws()
    made.functions.mappings[MAIL] = made.mapping(MAIL, "uuid-2", BUCKET_ARN)
    monkeypatch.setattr(_aws, "aws", lambda *_: made.client)
    return made


def redrive(*words: str) -> str:
    return CliRunner().invoke(main, ["redrive", *words]).output


def test_the_options_on_the_page_are_those_of_the_commands() -> None:
    assert written(TEXT) == TEXT, "run make api"


def test_every_command_has_a_section_with_its_options() -> None:
    # In the order of the help.
    assert list(SECTIONS) == list(COMMANDS)
    for name, text in SECTIONS.items():
        assert f"<!-- options: {name} -->" in text, name


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(?<![\w-])--[a-z][\w-]+", TEXT))))
def test_every_option_on_the_page_is_one(name: str) -> None:
    known = {word for each in COMMANDS.values() for option in options(each) for word in option.opts}
    assert name in known | {"--debug", "--help", "--version"}


def test_a_marker_that_names_no_command_is_refused() -> None:
    with pytest.raises(SystemExit, match="options: nothing --> names no command"):
        written("<!-- options: nothing -->\n<!-- end -->")


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_is_understood(
    line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(line)
    assert program == "cdk-streams"
    command: click.Command = main
    while isinstance(command, click.Group):
        _, found, arguments = command.resolve_command(click.Context(command), arguments)
        assert found is not None
        command = found
    command.make_context(command.name, arguments)


def test_the_plan_is_what_the_command_prints(aws: FakeAws) -> None:
    aws.fail(0, 1)
    aws.fail(2, 2)
    aws.notify(aws.keep(2, 3, function=MAIL))
    aws.streams.trim("s", through=aws.numbers[0])
    assert redrive("--queue", QUEUE_URL).strip() == PLAN.strip()
    done = redrive("--queue", QUEUE_URL, "--yes")
    assert done.strip().endswith(DONE.strip())
    assert done.count("\n\n") == PLAN.count("\n\n") + DONE.strip().count("\n\n")


def asked_actions(aws: FakeAws) -> set[str]:
    """Return the IAM actions of what was asked of AWS."""
    asked = set()
    for service, operation in aws.asked:
        action = "".join(word.capitalize() for word in operation.split("_"))
        named = f"{service.replace('dynamodbstreams', 'dynamodb')}:{action}"
        asked.add(ACTIONS.get(named, named))
    return asked


def told(command: str) -> set[str]:
    """Return the actions in the table of a command's section."""
    rows = re.findall(r"^\| (`\w+:\w+`.*?) \|", SECTIONS[command], re.MULTILINE)
    return {action for row in rows for action in re.findall(r"`(.*?)`", row)}


def test_every_permission_is_in_the_table_and_no_other(aws: FakeAws) -> None:
    aws.deployed(Audit="uuid-1", Mail="uuid-2")
    aws.fail(0, 0)
    key = aws.keep(1, 1, function=MAIL)
    aws.objects[BUCKET, key.replace("uuid-1", "uuid-2")] = aws.objects.pop((BUCKET, key))
    redrive("--queue", QUEUE_ARN)
    redrive("--stack", "Shop", "--yes")
    assert (aws.queue.messages, aws.objects) == ({}, {})
    # A key is used by the service, not by a call of ours.
    assert told("redrive") == asked_actions(aws) | {"kms:Decrypt"}


def sent(aws: FakeAws) -> None:
    """Put a failure record as Lambda writes it into the queue, and its error into the log."""
    body = aws.failure(0, 1)
    body["requestContext"] |= {"requestId": "request-1", "approximateInvokeCount": 11}
    body["timestamp"] = "2026-01-01T00:10:00Z"
    body["DDBStreamBatchInfo"]["approximateArrivalOfFirstRecord"] = "2026-01-01T00:00:00Z"
    aws.queue.put(body)
    at_ms = int(datetime(2026, 1, 1, 0, 9, tzinfo=UTC).timestamp() * 1000)
    line = '{"errorType": "KeyError", "requestId": "request-1"}'
    aws.logs.lines["/logs/audit"] = [("stream-1", at_ms, line)]


def failures(*words: str) -> str:
    return CliRunner().invoke(main, ["failures", *words, "--queue", QUEUE_URL]).output


def test_what_is_behind_a_failure_record_is_what_the_page_shows(aws: FakeAws) -> None:
    sent(aws)
    image = {"ordinal": {"N": "1"}, "paid": {"BOOL": True}}
    aws.streams.write("s", image, event_name="MODIFY")
    assert failures("show", SHOWN.split()[0]).strip() == SHOWN.strip()


def test_a_list_asks_for_no_more_than_redrive_and_reads_no_stream(aws: FakeAws) -> None:
    sent(aws)
    aws.notify(aws.keep(2, 3, function=MAIL))
    assert "2 failure records" in failures("list")
    assert asked_actions(aws) < told("redrive") - {"dynamodb:GetRecords", "lambda:InvokeFunction"}


def test_showing_asks_for_what_redrive_does_and_what_its_own_table_says(aws: FakeAws) -> None:
    sent(aws)
    aws.streams.close_shard("s")
    failures("show", SHOWN.split()[0])
    assert asked_actions(aws) - told("redrive") == told("failures show")


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (PAGE.parent / link).exists()
