"""The local AWS for real: it answers, and whatever becomes of its starter, nothing stays behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cdk_streams.local import CdkCommand, CdkCommandError, client, local_aws, run_cdk

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
STARTER = """
import sys
from cdk_streams._signals import exit_on_signals
from cdk_streams.local import local_aws
with exit_on_signals(), local_aws() as aws:
    print(aws.endpoint_url, aws.folder, flush=True)
    sys.stdin.read()
"""


def _port(endpoint_url: str) -> int:
    return int(endpoint_url.rsplit(":", 1)[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _within(seconds: float, reached: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


def _runs(code: str, folder: Path) -> bool:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, check=False).returncode == 0  # noqa: S603 - ours


def test_it_answers_and_is_gone_after_the_block() -> None:
    with local_aws(region="eu-west-1") as aws:
        assert client(aws, "dynamodb").list_tables()["TableNames"] == []
        assert client(aws, "sts").get_caller_identity()["Account"] == aws.account
    assert not _listens(_port(aws.endpoint_url))
    assert not aws.folder.exists()


def test_two_at_a_time_know_nothing_of_each_other() -> None:
    with local_aws() as one, local_aws() as other:
        client(one, "sqs").create_queue(QueueName="only-here")
        assert len(client(one, "sqs").list_queues()["QueueUrls"]) == 1
        assert not client(other, "sqs").list_queues().get("QueueUrls")


def test_an_exception_in_the_block_stops_it_too() -> None:
    with contextlib.suppress(ZeroDivisionError), local_aws() as aws:
        _ = 1 / 0
    assert not _listens(_port(aws.endpoint_url))
    assert not aws.folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_its_starter(number: signal.Signals) -> None:
    with subprocess.Popen(  # noqa: S603 - the lines above
        [sys.executable, "-c", STARTER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout
        endpoint_url, folder = starter.stdout.readline().split()
        assert _listens(_port(endpoint_url))
        os.kill(starter.pid, number)
        starter.wait(10)
        assert _within(10, lambda: not _listens(_port(endpoint_url)))
        assert _within(10, lambda: not Path(folder).exists())


def test_a_cdk_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    app = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    # The grandchild holds the lock for as long as it lives, as the app of a cdk command would.
    hang = (
        "import fcntl, time; lock = open('lock', 'w'); fcntl.flock(lock, fcntl.LOCK_EX);"
        "print('hanging', flush=True); time.sleep(600)"
    )
    said: list[str] = []
    cdk = CdkCommand(
        tmp_path, dict(os.environ), (sys.executable, "-c", app, hang), said.append, timeout_s=2
    )
    with pytest.raises(CdkCommandError, match="cdk deploy did not end within 2 s"):
        run_cdk(cdk, "deploy")
    assert said == ["hanging"]
    free = "import fcntl; lock = open('lock'); fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)"
    assert _within(
        5,
        lambda: _runs(free, tmp_path),
    )
