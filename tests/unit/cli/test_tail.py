"""`cdk-streams tail`: which changes are shown, how, and where the next run goes on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _aws, main
from cdk_streams.cli._tail import command as tail_command
from cdk_streams.cli._tail.change_lines import change_lines
from cdk_streams.cli._tail.where_expression import parse_where
from cdk_streams.errors import FilterError
from cdk_streams.simulator import in_order, insert, modify, remove
from lambda_runtime import Change, parse
from tests.bench.fake_aws import FUNCTION, FakeAws

BEFORE = {"id": "o-1", "status": "NEW", "total": 5, "customer": {"name": "Ada"}, "old_one": True}
AFTER = {"id": "o-1", "status": "PAID", "total": 150, "customer": {"name": "Ada"}, "coupon": "X"}


def change(record: dict[str, Any]) -> Change:
    return parse({"Records": in_order(record)})[0]


MODIFIED = change(modify(BEFORE, AFTER, keys="id"))
INSERTED = change(insert(AFTER, keys="id"))
REMOVED = change(remove(BEFORE, keys="id"))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('status = "PAID"', True),
        ("status = 'PAID' AND total > 100", True),
        ("status = 'PAID' and total > 200", False),
        ("total > 200 OR coupon = 'X'", True),
        ("NOT total > 200", True),
        ("NOT (status = 'PAID' OR total < 1)", False),
        ("old.status <> new.status", True),
        ("old.status != status", True),
        ("keys.id = 'o-1'", True),
        ("customer.name = 'Ada'", True),
        ("begins_with(customer.name, 'A')", True),
        ("begins_with(total, 'A')", False),
        ("contains(status, 'AI')", True),
        ("attribute_exists(coupon)", True),
        ("attribute_not_exists(old_one)", True),
        ("attribute_exists(old.old_one)", True),
        ("total BETWEEN 100 AND 150", True),
        ("total BETWEEN 151 AND 160 OR status = 'PAID'", True),
        ("status IN ('SENT', 'PAID')", True),
        ("status IN ('SENT')", False),
        ("total >= 150 AND total <= 150.0", True),
        ("missing = 1", False),
        ("NOT missing = 1", True),
        ("status > 5", False),
        ("old_one = true", False),
        ("old.old_one = true", True),
        ("status = null", False),
    ],
)
def test_a_condition_holds_as_in_dynamodb(text: str, holds: bool) -> None:
    assert parse_where(text)(MODIFIED) is holds


def test_a_removed_item_is_judged_by_its_old_image() -> None:
    assert parse_where("status = 'NEW'")(REMOVED)
    assert not parse_where("new.status = 'NEW'")(REMOVED)
    assert not parse_where("old.status = 'NEW'")(INSERTED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            "character 1: expected an attribute's name, a number or a text in quotes, got the end",
        ),
        ("status", "expected a comparison"),
        ("status = ", "got the end"),
        ("status = 'PAID' AND", "got the end"),
        ("status = 'PAID' total", "character 17: expected AND, OR or the end, got 'total'"),
        ("(status = 'PAID'", "expected )"),
        ("status == 'PAID'", "got \"= 'PAID'\""),
        ("begins_with(status)", "begins_with with 2 arguments"),
        ("status = #x", "character 10: expected a name"),
        ("total BETWEEN 1", "expected AND"),
    ],
)
def test_a_text_that_is_no_condition_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(FilterError, match=re.escape(message)):
        parse_where(text)


def test_a_change_is_shown_by_what_it_has_changed() -> None:
    lines = [click.unstyle(each) for each in change_lines(MODIFIED)]
    assert lines[0].endswith('MODIFY Table id="o-1"')
    assert sorted(lines[1:]) == [
        '    + coupon: "X"',
        "    - old_one: true",
        '    ~ status: "NEW" -> "PAID"',
        "    ~ total: 5 -> 150",
    ]
    assert [click.unstyle(each)[:5] for each in change_lines(INSERTED)][1] == "    +"
    assert [click.unstyle(each)[:5] for each in change_lines(REMOVED)][1] == "    -"


def test_an_item_cannot_control_the_terminal() -> None:
    (_, line) = change_lines(change(insert({"id": "a", "x\x1b[2J": "\x1b[31m"}, keys="id")))
    assert "\x1b[2J" not in line
    assert "\x1b" not in click.unstyle(line)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    table = {"LatestStreamArn": made.streams.arn, "StreamSpecification": {"StreamEnabled": True}}
    tables = {"Orders": table, "Plain": {}}

    def client(service: str) -> Any:
        if service == "dynamodb":
            return SimpleNamespace(
                describe_table=lambda TableName: {"Table": tables[TableName]}  # noqa: N803 - boto3's keyword
            )
        return made.client(service)

    monkeypatch.setattr(_aws, "aws", lambda *_: client)
    monkeypatch.setattr(tail_command, "_WAIT_S", 0)
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["tail", *words, "--no-follow"])


def ordinals(output: str) -> list[int]:
    return [json.loads(line)["new"]["ordinal"] for line in output.splitlines()]


@pytest.mark.usefixtures("aws")
def test_a_pipe_gets_one_json_object_a_line() -> None:
    found = run("Orders", "--from", "horizon")
    assert found.exit_code == 0, found.output
    assert ordinals(found.stdout) == [0, 1, 2, 3]


@pytest.mark.usefixtures("aws")
def test_from_now_shows_nothing_of_before() -> None:
    assert run("Orders").stdout == ""


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "words",
    [
        ("--where", "ordinal >= 1 AND ordinal < 3"),
        ("--filter", '{"dynamodb": {"NewImage": {"ordinal": {"N": ["1", "2"]}}}}'),
    ],
)
def test_only_what_passes_is_shown(words: tuple[str, ...]) -> None:
    assert ordinals(run("Orders", "--from", "horizon", *words).stdout) == [1, 2]


@pytest.mark.usefixtures("aws")
def test_limit_ends_it_and_what_was_saved_runs_in_the_simulator(tmp_path: Path) -> None:
    file = tmp_path / "changes.jsonl"
    found = run("Orders", "--from", "horizon", "--limit", "2", "--save", str(file))
    assert ordinals(found.stdout) == [0, 1]
    simulated = CliRunner().invoke(main, ["simulate", str(file), "--json"])
    assert simulated.exit_code == 0, simulated.output
    assert json.loads(simulated.stdout)["records"]["handled"] == 2


def test_the_same_command_goes_on_from_its_checkpoint(aws: FakeAws, tmp_path: Path) -> None:
    file = tmp_path / "orders.position"
    words = ("Orders", "--from", "horizon", "--checkpoint", str(file))
    assert ordinals(run(*words).stdout) == [0, 1, 2, 3]
    aws.streams.write("s", {"ordinal": {"N": "4"}})
    assert ordinals(run(*words).stdout) == [4]
    assert [each.name for each in tmp_path.iterdir()] == ["orders.position"]
    file.write_text("not JSON", encoding="utf-8")
    refused = run(*words)
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1)


def test_a_limit_ends_where_the_next_run_begins(aws: FakeAws, tmp_path: Path) -> None:
    words = ("Orders", "--from", "horizon", "--checkpoint", str(tmp_path / "p"), "--limit", "3")
    assert ordinals(run(*words).stdout) == [0, 1, 2]
    assert ordinals(run(*words).stdout) == [3]
    aws.streams.write("s", {"ordinal": {"N": "4"}})
    assert ordinals(run(*words).stdout) == [4]


def test_a_consumer_is_followed_through_its_filters(aws: FakeAws) -> None:
    pattern = json.dumps({"dynamodb": {"NewImage": {"ordinal": {"N": ["3"]}}}})
    aws.functions.mappings[FUNCTION]["FilterCriteria"] = {"Filters": [{"Pattern": pattern}]}
    aws.deployed(AuditMapping="uuid-1")
    assert ordinals(run("Shop/Audit", "--from", "horizon").stdout) == [3]


def test_trimmed_records_and_failed_reads_are_said_on_standard_error(aws: FakeAws) -> None:
    aws.streams.fail("get_records", "ThrottlingException")
    found = run("Orders", "--from", "horizon")
    assert ordinals(found.stdout) == [0, 1, 2, 3]
    assert "ThrottlingException" in found.stderr
    aws.streams.fail("get_records", "ThrottlingException")
    assert run("Orders", "--from", "horizon", "--quiet").stderr == ""


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("Plain",), "the table must have a stream, got Plain without one"),
        (("Orders", "--where", "status ="), "--where: character 9: expected"),
        (("Orders", "--filter", "[]"), "pattern"),
        (("Shop/Audit",), "there is no stack Shop"),
        (("",), "it must be a name"),
    ],
)
def test_a_wrong_call_is_refused(words: tuple[str, ...], message: str) -> None:
    refused = run(*words)
    assert refused.exit_code == 2
    assert message in refused.output
