"""`cdk-streams local` as a person uses it: the sample app, a seed, a fixed handler, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from cdk_streams.cli import main
from cdk_streams.simulator import insert

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]

# An app of one table and one consumer, whose handler trips over one item.
APP = """
import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
import cdk_streams as streams

app = cdk.App()
stack = cdk.Stack(app, "Shop")
table = streams.StreamTable(stack, "Orders",
    partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
    stream_view_type=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES)
function = streams.StreamFunction(stack, "AuditFunction", entry="handlers/audit.py")
streams.StreamConsumer(stack, "Audit", table=table, function=function, retry_attempts=20)
cdk.CfnOutput(stack, "TableName", value=table.table_name)
app.synth()
"""

HANDLER = """
from lambda_runtime import Insert, Router

on = Router()

@on.insert
def created(change: Insert) -> None:
    if change.new["pk"] == "poison" and WRONG:
        raise ValueError("cannot handle it")
    print("handled", change.new["pk"])

handler = on.handler
WRONG = True
"""

SEED = """
import os, boto3
dynamodb = boto3.client("dynamodb")
for name in ("one", "poison", "three"):
    dynamodb.put_item(TableName=os.environ["TableName"], Item={"pk": {"S": name}})
"""


class Session:
    """One run of the command, whose temporary files all lie in `folder`."""

    def __init__(self, app: Path, folder: Path, *options: str) -> None:
        self.said = ""
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),
            "PYTHONUNBUFFERED": "1",
        }
        self.process = subprocess.Popen(  # noqa: S603 - this repository's command
            [sys.executable, "-m", "cdk_streams", "local", *options],
            cwd=app,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_for(self, words: str) -> None:
        """Read on until a line holds these words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return
        pytest.fail(f"it ended before {words!r}:\n{self.said}")

    def end(self) -> int:
        """Read to the end and return the exit code."""
        assert self.process.stdout is not None
        with self.process.stdout as rest:
            self.said += rest.read()
        return self.process.wait(60)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    if shutil.which("cdk") is None:
        pytest.skip("the cdk command is not on the PATH")
    folder = tmp_path / "app"
    (folder / "handlers").mkdir(parents=True)
    (folder / "app.py").write_text(APP)
    (folder / "cdk.json").write_text('{"app": "python app.py"}')
    (folder / "handlers" / "audit.py").write_text(HANDLER)
    (folder / "seed.py").write_text(SEED)
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def invoked(said: str, key: str) -> Any:
    """Invoke the deployed function of a session as a redrive does, with the insert of an item."""
    exported = dict(re.findall(r"export (AWS_\w+)=(\S+)", said))
    lambda_api = boto3.client(
        "lambda",
        endpoint_url=exported["AWS_ENDPOINT_URL"],
        region_name=exported["AWS_REGION"],
        aws_access_key_id=exported["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exported["AWS_SECRET_ACCESS_KEY"],
    )
    (name,) = [
        each["FunctionName"]
        for each in lambda_api.list_functions()["Functions"]
        if "AuditFunction" in each["FunctionName"]
    ]
    event = json.dumps({"Records": [insert({"pk": key})]}).encode()
    return json.load(lambda_api.invoke(FunctionName=name, Payload=event)["Payload"])


def left_behind(scratch: Path) -> list[str]:
    """Return the processes that mention the run's folder, and the files that are in it."""
    processes = [
        path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.exists()
    ]
    return [
        *(line for line in processes if str(scratch) in line),
        *(str(path) for path in scratch.iterdir() if path.name.startswith("cdk-streams")),
    ]


def test_a_poison_record_is_retried_until_its_handler_is_fixed(app: Path, scratch: Path) -> None:
    page = app / "timeline.html"
    seed = f"{sys.executable} seed.py"
    session = Session(app, scratch, "--run", seed, "--keep", "--timeline", str(page))
    session.wait_for("export AWS_ENDPOINT_URL=http://127.0.0.1:")
    session.wait_for("ValueError: cannot handle it")
    session.wait_for("audit.py:9 in created")
    session.wait_for("retry 1")
    fixed = HANDLER.replace("WRONG = True", "WRONG = False")
    (app / "handlers" / "audit.py").write_text(fixed)
    session.wait_for("the source has changed: the next call runs the new code")
    assert invoked(session.said, "poison") == {"batchItemFailures": []}
    session.wait_for("handled poison")
    session.wait_for("every consumer has caught up")
    session.process.send_signal(signal.SIGINT)
    assert session.end() == 0, session.said
    assert "\nevery consumer has caught up\n" in session.said
    assert left_behind(scratch) == []
    order = [session.said.index(f"handled {name}") for name in ("one", "poison", "three")]
    assert order == sorted(order)
    assert "<html" in page.read_text()


# Beside the one that works: a consumer in another language, and a table that nobody fills.
NODE = """
import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
plain = lambda_.Function(stack, "MailFunction", runtime=lambda_.Runtime.NODEJS_22_X,
    handler="index.handler", code=lambda_.Code.from_inline("exports.handler = async () => {}"))
streams.StreamConsumer(stack, "Mail", table=table, function=plain)
app.synth()
"""


def test_a_run_waits_for_the_last_failure_record_and_fails(app: Path, scratch: Path) -> None:
    source = APP.replace("app.synth()", "")
    (app / "app.py").write_text(source + NODE)
    (app / "handlers" / "audit.py").write_text("__import__('no_such_module')\nhandler = None\n")
    faster = ("--retries", "1", "--time-scale", "100")
    session = Session(app, scratch, "--run", f"{sys.executable} seed.py", *faster)
    assert session.end() == 1, session.said
    for step in ("starting the local AWS", "deploying the stacks", "starting the consumers"):
        assert re.search(rf"^ +\d+\.\d s  {step}$", session.said, re.MULTILINE), step
    assert "skipped: Mail" in session.said
    assert "a function that is run here must have a Python runtime, got nodejs22.x" in session.said
    assert session.said.count("No module named 'no_such_module'") == 1
    # Bisected to its three records: one failure record each.
    assert session.said.count("failure record sent to") == 3
    (row,) = [line for line in session.said.splitlines() if line.startswith("Audit     ")]
    assert row.split()[-3:] == ["3", "0", "s"]
    assert "records discarded: 3; --allow-failures allows them" in session.said
    assert str(scratch / "cdk-streams") not in session.said.split("Ctrl-C stops everything")[1]
    assert left_behind(scratch) == []


def test_ctrl_c_while_deploying_leaves_nothing(app: Path, scratch: Path) -> None:
    session = Session(app, scratch)
    session.wait_for("deploying to a local AWS")
    session.process.send_signal(signal.SIGINT)
    session.end()
    assert left_behind(scratch) == []


@pytest.mark.parametrize("words", ["deploying to a local AWS", "Ctrl-C stops everything"])
def test_a_killed_command_leaves_nothing(app: Path, scratch: Path, words: str) -> None:
    session = Session(app, scratch)
    session.wait_for(words)
    time.sleep(1)  # Whatever is started first has its folders by now.
    session.process.kill()
    session.end()
    give_up = time.monotonic() + 20
    while left_behind(scratch) and time.monotonic() < give_up:
        time.sleep(0.1)
    assert left_behind(scratch) == []


def test_a_local_aws_that_dies_ends_the_command_in_a_sentence(app: Path, scratch: Path) -> None:
    session = Session(app, scratch)
    session.wait_for("Ctrl-C stops everything")
    (local_aws,) = (
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if b"_local_aws_process" in path.read_bytes() and str(scratch).encode() in path.read_bytes()
    )
    began = time.monotonic()
    os.killpg(local_aws, signal.SIGKILL)
    assert session.end() == 2
    assert time.monotonic() - began < 10
    assert "Error: the local AWS has ended; start the command again" in session.said
    assert left_behind(scratch) == []


def test_a_new_app_runs_at_once_and_the_exit_code_is_the_commands(
    app: Path, scratch: Path, tmp_path: Path
) -> None:
    assert app.is_dir()  # Asked for, because it skips where there is no cdk command.
    new = tmp_path / "new"
    assert CliRunner().invoke(main, ["init", str(new)]).exit_code == 0
    session = Session(
        new, scratch, "--run", f"{sys.executable} write_orders.py && exit 7", "--quiet"
    )
    assert session.end() == 7, session.said
    assert "starting the local AWS" not in session.said
    (row,) = [line for line in session.said.splitlines() if line.startswith("Notify  ")]
    assert row.split()[1:4] == ["6", "3", "3"]  # read, handled, filtered
    for line in ("o-1 is PAID, the total is 5", "o-3 is PAID, the total is 15"):
        assert line in session.said
    assert left_behind(scratch) == []
