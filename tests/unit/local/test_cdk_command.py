import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.local._cdk_command import (
    CdkCommand,
    CdkCommandError,
    bootstrap,
    deploy,
    destroy,
    run_cdk,
    synthesize,
)

# Stands in for the cdk command: notes how it was called, and does what its second argument asks.
FAKE = """
import json, os, pathlib, sys
call = {"arguments": sys.argv[2:], "folder": os.getcwd(), "region": os.environ.get("AWS_REGION")}
with open(sys.argv[1], "a") as calls:
    calls.write(json.dumps(call) + "\\n")
if sys.argv[2] == "deploy" and "WithOutputs" in sys.argv:
    path = pathlib.Path(sys.argv[sys.argv.index("--outputs-file") + 1])
    path.write_text(json.dumps({"WithOutputs": {"TableName": "orders"}}))
if sys.argv[2] == "full":
    print("Traceback (most recent call last):\\nOSError: [Errno 28] No space left on device")
    sys.exit(1)
if sys.argv[2] == "fail":
    print("\\n".join(f"line {number}" for number in range(60)), flush=True)
    print("the last word", file=sys.stderr)
    sys.exit(7)
print("said one thing")
print("said another", file=sys.stderr)
"""


class Calls:
    """The fake command and what it was called with."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "calls.jsonl"
        self.lines: list[str] = []
        script = folder / "fake_cdk.py"
        script.write_text(FAKE)
        self.cdk = CdkCommand(
            folder,
            {"AWS_REGION": "us-east-1"},
            (sys.executable, str(script), str(self.log)),
            self.lines.append,
        )

    def last(self) -> dict[str, Any]:
        call: dict[str, Any] = json.loads(self.log.read_text().splitlines()[-1])
        return call


@pytest.fixture
def calls(tmp_path: Path) -> Calls:
    return Calls(tmp_path)


def test_the_app_is_synthesized_in_its_folder(calls: Calls, tmp_path: Path) -> None:
    assert synthesize(calls.cdk, tmp_path / "cdk.out") == tmp_path / "cdk.out"
    assert calls.last()["folder"] == str(tmp_path)
    assert calls.last()["arguments"][:2] == ["synth", "--quiet"]
    assert str(tmp_path / "cdk.out") in calls.last()["arguments"]


def test_bootstrap_names_the_environment_and_runs_no_app(calls: Calls, tmp_path: Path) -> None:
    bootstrap(calls.cdk, account="000000000000", region="eu-west-1")
    assert calls.last()["arguments"][:2] == ["bootstrap", "aws://000000000000/eu-west-1"]
    assert calls.last()["folder"] != str(tmp_path)
    assert not Path(calls.last()["folder"]).exists()


def test_its_own_folders_lie_in_the_commands_temporary_folder(calls: Calls, tmp_path: Path) -> None:
    cdk = replace(calls.cdk, variables={"TMPDIR": str(tmp_path)})
    bootstrap(cdk, account="000000000000", region="eu-west-1")
    assert Path(calls.last()["folder"]).parent == tmp_path
    deploy(cdk, tmp_path)
    arguments = calls.last()["arguments"]
    outputs = Path(arguments[arguments.index("--outputs-file") + 1])
    assert outputs.parent.parent == tmp_path


def test_deploy_gives_the_outputs_by_stack(calls: Calls, tmp_path: Path) -> None:
    assert deploy(calls.cdk, tmp_path, "WithOutputs") == {"WithOutputs": {"TableName": "orders"}}


def test_a_deployment_without_outputs_is_empty(calls: Calls, tmp_path: Path) -> None:
    assert deploy(calls.cdk, tmp_path) == {}
    assert "--all" in calls.last()["arguments"]


def test_nobody_is_asked_anything(calls: Calls, tmp_path: Path) -> None:
    deploy(calls.cdk, tmp_path)
    approval = calls.last()["arguments"].index("--require-approval")
    assert calls.last()["arguments"][approval + 1] == "never"
    destroy(calls.cdk, tmp_path)
    assert "--force" in calls.last()["arguments"]


def test_every_line_is_handed_on_as_it_comes(calls: Calls) -> None:
    run_cdk(calls.cdk, "list")
    assert sorted(calls.lines) == ["said another", "said one thing"]


def test_a_failure_shows_the_command_its_code_and_its_last_lines(calls: Calls) -> None:
    with pytest.raises(CdkCommandError) as failed:
        run_cdk(calls.cdk, "fail")
    text = str(failed.value)
    assert text.startswith("cdk fail ended with 7; it printed last:\n")
    assert "the last word" in text
    assert "line 59" in text
    assert "line 3\n" not in text


def test_a_full_disk_is_said_in_a_sentence(calls: Calls) -> None:
    cdk = replace(calls.cdk, variables={"TMPDIR": "/somewhere"})
    with pytest.raises(CdkCommandError) as caught:
        run_cdk(cdk, "full")
    assert str(caught.value) == (
        "cdk full ended with 1: No space left on device; its files go below /somewhere and the "
        "home folder"
    )


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(CdkCommandError, match="'no-such-cdk' is not on the PATH"):
        run_cdk(CdkCommand(tmp_path, {"PATH": ""}, ("no-such-cdk",)), "list")


def test_the_command_sees_the_variables_it_was_given_and_no_others(calls: Calls) -> None:
    run_cdk(calls.cdk, "list")
    assert calls.last()["region"] == "us-east-1"
    with pytest.raises(CdkCommandError, match="not on the PATH"):
        run_cdk(CdkCommand(calls.cdk.folder, {"PATH": "/nonexistent"}), "list")
