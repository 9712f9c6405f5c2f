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
        (["--template", "nowhere.json"], "nowhere.json is not there"),
        (["--template", "template.json", "--consumer", "Nope"], "got 'Nope'; the template has Aud"),
        (["--consumer", "Audit"], "--consumer needs --template"),
        (["--handler", "nope"], "--handler must be module:function or file.py:function, got"),
        (["--handler", "nope:handler"], "could not be imported: ModuleNotFoundError: No module"),
        (["--handler", "json:__name__"], "json has no function __name__"),
        (
            ["--handler", "nope.py:handler"],
            "must name a file that is there, got 'nope.py'",
        ),
        (["--parameter", "Size=1"], "--parameter needs --template"),
        (["--template", "template.json", "--parameter", "Size=1"], "got Size; there is none"),
        (["-", "--template", "-"], "standard input must be EVENTS or --template, got - for both"),
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


def changed(folder: Path, **properties: Any) -> str:
    made = json.loads(json.dumps(TEMPLATE))
    made["Resources"]["AuditMapping"]["Properties"] |= properties
    (folder / "changed.json").write_text(json.dumps(made), encoding="utf-8")
    return "changed.json"


def write_handler(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return f"{name}:handler"


def test_a_poison_record_that_is_filtered_is_said(folder: Path) -> None:
    filters = {"Filters": [{"Pattern": json.dumps({"eventName": ["REMOVE"]})}]}
    path = changed(folder, FilterCriteria=filters)
    note = "record 3, which --poison names, was filtered: the function never got it"
    assert f"note: {note}" in simulate("--template", path, "--poison", "3").output
    found = json.loads(simulate("--template", path, "--poison", "3", "--json").output)
    assert found["notes"] == [note]


def test_a_mapping_that_reads_nothing_says_why(folder: Path) -> None:
    result = simulate("--template", changed(folder, StartingPosition="LATEST"))
    assert result.exit_code == 1
    assert (
        "note: the skipped records were written before the mapping begins to read" in result.output
    )
    result = simulate("--template", changed(folder, Enabled=False))
    assert "note: the mapping is disabled (Enabled: false)" in result.output


def test_what_a_handler_prints_is_not_in_the_result(folder: Path) -> None:
    text = "print('loaded')\ndef handler(event, context):\n    print('called')\n"
    result = simulate("--handler", write_handler(folder, "prints", text), "--json")
    assert json.loads(result.stdout)["records"]["handled"] == 10
    assert result.stderr == "loaded\ncalled\n"


def test_an_error_is_shown_by_class_and_line_and_not_by_its_message(folder: Path) -> None:
    text = "def handler(event, context):\n    raise ValueError('secret')\n"
    handler = write_handler(folder, "raises", text)
    result = simulate("--handler", handler, "--template", "template.json")
    assert "error: ValueError at raises.py:2, in 2 invocations\n" in result.output
    found = json.loads(
        simulate("--handler", handler, "--template", "template.json", "--json").output
    )
    assert found["invocations"][0]["errorPlace"] == "raises.py:2"
    assert "secret" not in result.output + json.dumps(found)


def test_a_handler_that_exits_fails_its_invocation(folder: Path) -> None:
    text = "import sys\ndef handler(event, context):\n    sys.exit()\n"
    handler = write_handler(folder, "exits", text)
    result = simulate("--handler", handler, "--template", "template.json")
    assert result.exit_code == 1
    assert "error: HandlerExitError at exits.py:3, in 2 invocations" in result.output


def test_a_module_that_exits_is_named(folder: Path) -> None:
    handler = write_handler(folder, "ends", "import sys\nsys.exit(0)\n")
    result = simulate("--handler", handler)
    assert result.exit_code == 2
    assert result.output == (
        "Error: the handler ends:handler could not be imported: the module ends its process "
        "(sys.exit)\n"
    )


def test_a_handler_goes_by_its_file_too(folder: Path) -> None:
    (folder / "handlers").mkdir()
    write_handler(folder / "handlers", "by_file", "def handler(event, context):\n    pass\n")
    assert simulate("--handler", "handlers/by_file.py:handler").exit_code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "events.json must hold stream records, got nothing: it is empty"),
        (b"\xff\xfe\x00", "got what is no UTF-8 text"),
        (b'{"a": 1}\n\n{"b":}\n', "on each line, got line 3: Expecting value at column 6"),
    ],
    ids=["empty", "binary", "a bad line"],
)
def test_events_that_cannot_be_read_are_named(content: bytes, message: str, folder: Path) -> None:
    (folder / "events.json").write_bytes(content)
    result = simulate("events.json")
    assert result.exit_code == 2
    assert message in result.output


def test_a_byte_order_mark_before_events_is_passed_over(folder: Path) -> None:
    text = "\ufeff" + json.dumps({"Records": in_order(insert({"pk": "a"}))})
    (folder / "events.json").write_text(text, encoding="utf-8")
    assert "records: 1 handled" in simulate("events.json").output


def test_a_template_without_a_mapping_is_not_blamed_on_the_consumer(folder: Path) -> None:
    (folder / "empty.json").write_text('{"Resources": {}}', encoding="utf-8")
    refused = (
        "Error: the template must have an event source mapping that reads a DynamoDB stream, "
        "got none; name another template\n"
    )
    assert simulate("--template", "empty.json").output == refused
    table_arn = changed(folder, EventSourceArn={"Fn::GetAtt": ["Orders", "Arn"]})
    assert "must be the ARN of a DynamoDB stream" in simulate("--template", table_arn).output


def test_two_mappings_that_a_name_fits_are_named(folder: Path) -> None:
    made = json.loads(json.dumps(TEMPLATE))
    made["Resources"]["AuditMapping2"] = made["Resources"]["AuditMapping"]
    (folder / "two.json").write_text(json.dumps(made), encoding="utf-8")
    result = simulate("--template", "two.json", "--consumer", "AuditM")
    assert "got 'AuditM', which fits AuditMapping, AuditMapping2" in result.output
