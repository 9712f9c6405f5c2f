"""README is true: its app, test and commands run, its tables hold, its links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdk_streams.cli import main
from cdk_streams.mapping import MappingSettings

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
STACK, HANDLER, TEST = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
LINKS = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in link]
CDK_JSON, SETTINGS_ROWS = (
    json.loads(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)[0]),
    dict(re.findall(r"^\| ([^|]+?) \| ([^|]+ \| [^|]+?) \|$", TEXT, re.MULTILINE)),
)
# What CDK users write without this library.
PLAIN_STACK = """
from aws_cdk import App, Stack, aws_lambda as lambda_
from aws_cdk.aws_dynamodb import Attribute, AttributeType, StreamViewType, TableV2
from aws_cdk.aws_lambda_event_sources import DynamoEventSource

app = App()
stack = Stack(app, "Shop")
key = Attribute(name="id", type=AttributeType.STRING)
view = StreamViewType.NEW_AND_OLD_IMAGES
orders = TableV2(stack, "Orders", partition_key=key, dynamo_stream=view)
function = lambda_.Function(
    stack,
    "NotifyFunction",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline("def handler(event, context): pass"),
)
start = lambda_.StartingPosition.TRIM_HORIZON
function.add_event_source(DynamoEventSource(orders, starting_position=start))
app.synth()
"""
MAX_LINES = {"stack": 12, "handler": 8, "test": 8}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new user's folder with the three files that README shows."""
    (tmp_path / "handlers").mkdir()
    (tmp_path / "app.py").write_text(STACK, encoding="utf-8")
    (tmp_path / "handlers" / "notify.py").write_text(HANDLER, encoding="utf-8")
    (tmp_path / "test_notify.py").write_text(TEST, encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own interpreter on our own text
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "CDK_OUTDIR": str(folder / "cdk.out")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_stack_synthesizes_without_a_warning(project: Path) -> None:
    assert "arning" not in run(project, "app.py")


def test_the_handlers_test_passes_beside_the_handler(project: Path) -> None:
    assert "1 passed" in run(
        project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_notify.py"
    )


def command(*words: str) -> str:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_commands_run_on_the_app(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shlex.split(CDK_JSON["app"]) == ["python", "app.py"]
    run(project, "app.py")
    monkeypatch.chdir(project)
    assert command("check").startswith("0 findings in 1 event source mapping")
    assert "A poison record" in command("explain", "cdk.out/Shop.template.json")

    inline = re.findall(r"`cdk-streams (\w+)", TEXT)
    shown = [*inline, *re.findall(r"^cdk-streams (\w+) +#", TEXT, re.MULTILINE)]
    assert {"check", "explain", "local", "redrive", "simulate", "backfill"} <= set(shown)
    assert set(shown) <= set(main.commands)


def test_the_table_of_a_poison_record_is_what_explain_computes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    explained = []
    for source in (PLAIN_STACK, STACK):
        (project / "app.py").write_text(source, encoding="utf-8")
        run(project, "app.py")
        explained.append(command("explain", "cdk.out/Shop.template.json"))
    plain, safe = explained

    def cells(row: str) -> list[str]:
        found: list[str] = SETTINGS_ROWS[row].split(" | ")
        return found

    for row, sentence in [
        ("the shard stands still for", "stands still for {};"),
        ("invocations that include the record", "; {} invocations of the function"),
    ]:
        for cell, text in zip(cells(row), explained, strict=True):
            assert sentence.format(cell) in text
    lost_with_defaults, lost_here = cells("other records lost")
    assert f"and with it {lost_with_defaults} other records of the 200" in plain
    assert "DynamoDB trims" not in safe
    assert lost_here == "0"
    assert cells("what is left of the record")[0] == "nothing"
    assert "what Lambda discards is lost" in plain
    assert (
        f"stays in the stream for another {cells('time left to read the record back')[1]}" in safe
    )
    assert "The template has none on the iterator age" in plain
    assert "IteratorAgeAlarm" in safe


def test_the_examples_stay_short() -> None:
    blocks = {"stack": STACK, "handler": HANDLER, "test": TEST}
    lengths = {
        name: len(re.findall(r"^.*\S", block, re.MULTILINE)) for name, block in blocks.items()
    }
    assert all(lengths[name] <= MAX_LINES[name] for name in MAX_LINES), lengths


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link.partition("#")[0]).exists()


def test_the_table_of_defaults_is_what_a_consumer_gets(project: Path) -> None:
    (project / "print_settings.py").write_text(
        STACK.replace("app.synth()", "")
        + "print(repr(stack.node.find_child('Notify').settings))\n"
        + "print(function.timeout.to_seconds(), sorted(stack.node.find_child('Notify').alarms))\n",
        encoding="utf-8",
    )
    shown = run(project, "print_settings.py")
    for told, given in [
        ("| `retry_attempts` | -1, without end | 11 |", "retry_attempts=11,"),
        ("| `max_record_age` | no limit | 18 hours |", "max_record_age=datetime.timedelta("),
        ("| `bisect_batch_on_error` | off | on |", "bisect_batch_on_error=True"),
        ("| `report_batch_item_failures` | off | on |", "report_batch_item_failures=True"),
        ("| `on_failure` | nothing | an encrypted queue", "on_failure='${Token["),
        ("| function timeout | 3 s | 60 s |", "60 "),
        ("| alarms | none | iterator age and failure queue depth |", "FailureQueueAlarm"),
    ]:
        assert told in TEXT
        assert given in shown
    assert "seconds=64800" in shown
    assert "starting_position" not in shown
    assert MappingSettings().starting_position == "TRIM_HORIZON"
