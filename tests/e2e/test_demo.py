"""`make demo` for real: deployed, checked, and nothing left behind, also when stopped."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]


class Demo:
    """One run of the demo, whose temporary files all lie in `folder`."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.process = subprocess.Popen(  # noqa: S603 - the demo of this repository
            [sys.executable, "-u", "-m", "sample_app.demo", *arguments],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_for(self, words: str) -> None:
        """Read on until a line holds these words."""
        for line in self._lines():
            if words in line:
                return
        pytest.fail(f"the demo ended before {words!r}:\n{self.text}")

    def end(self) -> int:
        """Read to the end; the exit code."""
        for _ in self._lines():
            pass
        return self.process.wait(60)

    def _lines(self) -> Iterator[str]:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line)
            yield line

    @property
    def text(self) -> str:
        return "".join(self.said)

    @property
    def port(self) -> int:
        """The local AWS's, from the first line it says."""
        return int(self.said[0].split("127.0.0.1:")[1].split(",")[0])

    def processes(self) -> list[str]:
        """Command lines of the processes that have this run's folder in their environment."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if f"TMPDIR={self.folder}".encode() in (path / "environ").read_bytes():
                    found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found


def _within(seconds: float, reached: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


def _left_behind(demo: Demo) -> dict[str, object]:
    with socket.socket() as probe:
        listens = probe.connect_ex(("127.0.0.1", demo.port)) == 0
    files = sorted(path.name for path in demo.folder.iterdir())
    found = {"processes": demo.processes(), "port": listens, "files": files}
    return {name: value for name, value in found.items() if value}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def new(*arguments: str) -> Demo:
        started.append(Demo(tmp_path, *arguments))
        return started[-1]

    yield new
    for demo in started:
        demo.process.kill()
        demo.process.wait()
        if demo.process.stdout:
            demo.process.stdout.close()


def test_the_days_orders_reach_stock_and_audit_trail(start: Callable[..., Demo]) -> None:
    demo = start("--orders", "120", "--seed", "11")
    assert demo.end() == 0, demo.text
    assert "✓ stock is right for every article, after 120 orders" in demo.text
    assert "✓ the audit trail holds all" in demo.text
    assert "✓ the 19 good orders went through" in demo.text
    shown = re.search(r"\$ cdk-streams failures show ([0-9a-f]{8}) --stack Orders", demo.text)
    assert shown is not None, demo.text
    assert f"    {shown[1]} " in demo.text
    assert "its item has not changed since" in demo.text
    assert f": cdk-streams redrive --stack Orders --only {shown[1]}\n" in demo.text
    assert "✓ the order is redriven" in demo.text
    assert "✓ stock is right for all of them" in demo.text
    assert "nothing is left running" in demo.text
    assert _left_behind(demo) == {}


def test_stopped_in_a_deployment_it_leaves_nothing(start: Callable[..., Demo]) -> None:
    demo = start()
    demo.wait_for("cdk synth, bootstrap")
    assert _within(30, lambda: any(" deploy " in one for one in demo.processes()))
    demo.process.send_signal(signal.SIGINT)
    assert demo.end() == 130, demo.text
    assert "interrupted; everything it started is stopped" in demo.text
    assert _left_behind(demo) == {}


def test_stopped_while_orders_are_written_it_leaves_nothing(start: Callable[..., Demo]) -> None:
    demo = start()
    demo.wait_for(" written; ")
    demo.process.send_signal(signal.SIGTERM)
    assert demo.end() == 143, demo.text
    assert _left_behind(demo) == {}


def test_killed_it_still_takes_the_local_aws_with_it(start: Callable[..., Demo]) -> None:
    demo = start()
    demo.wait_for("a local AWS")
    demo.process.kill()
    demo.end()
    assert _within(60, lambda: demo.processes() == [])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", demo.port)) != 0
