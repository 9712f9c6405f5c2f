"""`cdk-streams simulate`: which records run, with which settings, and how it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import main
from cdk_streams.simulator import in_order, insert

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Orders": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            },
        },
        "Audit": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Environment": {"Variables": {"GREETING": "hello"}}},
        },
        "AuditMapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Orders", "StreamArn"]},
                "FunctionName": {"Ref": "Audit"},
                "StartingPosition": "TRIM_HORIZON",
                "MaximumRetryAttempts": 1,
            },
        },
    }
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = dict(os.environ)
    (tmp_path / "template.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def simulate(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["simulate", *words], input=stdin)


def test_made_records_run_with_the_safe_defaults() -> None:
    result = simulate("--records", "3")
    assert result.exit_code == 0
    assert "records: 3 handled" in result.output
    assert "invocations: 1 in" in result.output


def test_a_poison_record_fails_alone_with_the_safe_defaults() -> None:
    found = json.loads(simulate("--poison", "3", "--json").output)
    assert found["records"]["handled"] == 9
    assert [each["DDBStreamBatchInfo"]["batchSize"] for each in found["failures"]["delivered"]] == [
        1
    ]
    assert found["failures"]["lost"] == []


def test_a_poison_record_takes_its_batch_with_it_in_a_mapping_without_bisect() -> None:
    result = simulate("--poison", "3", "--template", "template.json", "--json")
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert [each["outcome"] for each in found["invocations"]] == ["failed", "failed"]
    assert found["records"]["failed"] == 10
    assert len(found["failures"]["lost"]) == 1


@pytest.mark.parametrize("name", ["AuditMapping", "Audit", "AuditMap"])
def test_a_consumer_goes_by_its_mapping_or_its_function(name: str) -> None:
    result = simulate("--template", "template.json", "--consumer", name)
    assert result.exit_code == 0


def test_a_handler_runs_with_the_environment_of_the_template(folder: Path) -> None:
    (folder / "greets.py").write_text(
        "import os\nGREETING = os.environ['GREETING']\n"
        "def handler(event, context):\n"
        "    assert GREETING == 'hello' and context.function_name == 'Audit'\n",
        encoding="utf-8",
    )
    result = simulate("--template", "template.json", "--handler", "greets:handler")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("form", ["event", "list", "lines", "one"])
def test_records_are_read_in_any_form_and_put_in_order(folder: Path, form: str) -> None:
    records = in_order(*(insert({"pk": name}) for name in "abc"))
    shuffled = [records[0]] if form == "one" else [records[2], records[0], records[1]]
    text = {
        "event": json.dumps({"Records": shuffled}),
        "list": json.dumps(shuffled),
        "lines": "\n".join(map(json.dumps, shuffled)),
        "one": json.dumps(shuffled[0]),
    }[form]
    (folder / "events.json").write_text(text, encoding="utf-8")
    (call,) = json.loads(simulate("events.json", "--json").output)["invocations"]
    expected = [each["dynamodb"]["SequenceNumber"] for each in records[: len(shuffled)]]
    assert call["sequenceNumbers"] == expected


def test_a_long_timeline_is_cut_and_the_page_has_all_of_it(folder: Path) -> None:
    result = simulate("--records", "300", "--poison", "7", "--page", "run.html")
    assert len(result.output.splitlines()) < 230
    assert (folder / "run.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.json"], "nowhere.json must be a file of stream records, got"),
        (["-"], "standard input must hold stream records: an event with Records"),
        (["--template", "nowhere.json"], "must be readable"),
        (["--template", "template.json", "--consumer", "Nope"], "got 'Nope'; the template has Aud"),
        (["--consumer", "Audit"], "--consumer needs --template"),
        (["--handler", "nope"], "--handler must be module:function, got 'nope'"),
        (["--handler", "nope:handler"], "could not be imported: ModuleNotFoundError: No module"),
        (["--handler", "json:__name__"], "handler must be a function of event and context"),
        (["--poison", "11"], "--poison must be 1 to 10, got 11"),
        (["--page", "nowhere/run.html"], "the page could not be written"),
    ],
    ids=str,
)
def test_a_wrong_call_is_one_sentence_and_ends_with_2(words: list[str], message: str) -> None:
    result = simulate(*words, stdin='{"Records": []}')
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert "Traceback" not in result.output
