"""The conformance kit, with our live driver in Lambda's place: what AWS would be asked first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from cdk_streams.local import CdkCommand, LocalAws, bootstrap, client, environment, local_aws
from conformance.compare import compare
from conformance.driven import can_be_driven, recorded
from conformance.question import STACK
from conformance.questions import QUESTIONS
from conformance.recording import load, save

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
ASKED = {"partial_bisect": "equal", "unknown_identifier": "decides"}


@pytest.mark.parametrize("name", ASKED)
def test_a_recording_of_the_live_driver_agrees_with_the_simulator(
    name: str, aws: LocalAws, tmp_path: Path
) -> None:
    (question,) = [each for each in QUESTIONS if each.name == name]
    assert can_be_driven(question)
    recording = load(save(recorded(question, lambda service: client(aws, service)), tmp_path))
    compared = compare(question, recording)
    assert (compared.verdict, compared.by_default) == (ASKED[name], True)
    assert all(call.began_ms <= call.ended_ms for call in recording.calls)


@pytest.fixture
def empty_aws() -> Iterator[LocalAws]:
    """Start a local AWS in which no other test has made the bucket that bootstrapping makes."""
    with local_aws() as started:
        yield started


@contextmanager
def run_of_one_question(aws: LocalAws, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the command in a process group of its own, as a terminal does."""
    variables = environment(aws)
    variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables["PATH"]])
    bootstrap(CdkCommand(ROOT, variables), account=aws.account, region=aws.region)
    command = [
        *(sys.executable, "-m", "conformance.run", "--region", aws.region, "--yes"),
        *("--only", "raise_once", "--folder", str(folder), "--where", "ministack"),
        *("--start-s", "1", "--quiet-s", "60", "--metrics-s", "0"),
    ]
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def status_of_stack(aws: LocalAws) -> str | None:
    try:
        (found,) = client(aws, "cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    except ClientError:
        return None
    status: str = found["StackStatus"]
    return None if status == "DELETE_COMPLETE" else status


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["while it deploys", "while it watches"])
def test_ctrl_c_removes_the_stack(moment: str, empty_aws: LocalAws, tmp_path: Path) -> None:
    last = "CREATE_COMPLETE" if moment == "while it watches" else None
    with run_of_one_question(empty_aws, tmp_path) as process:
        give_up = time.monotonic() + 60
        while (seen := status_of_stack(empty_aws)) is None or (last and seen != last):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < give_up
            time.sleep(0.1)
        if last:
            time.sleep(3)  # The deployment's own command has ended, and the mapping is watched.
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert status_of_stack(empty_aws) is None
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
