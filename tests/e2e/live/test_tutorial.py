"""docs/tutorial.md, step by step, as its reader does it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
APP, HANDLER, SEED, TEST = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
(CDK_JSON,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
INSTALL, EXPLAIN, PYTEST, LOCAL, SHOW, REDRIVE = SHELL
EXPLAINED, CAUGHT_UP, NOTHING_CALLED, CORRECTED, NEW_CODE, REDRIVEN = re.findall(
    r"```text\n(.*?)```", TEXT, re.DOTALL
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    if shutil.which("cdk") is None:
        pytest.skip("the cdk command is not on the PATH")
    folder = tmp_path / "shop"
    (folder / "handlers").mkdir(parents=True)
    for name, text in {
        "cdk.json": CDK_JSON,
        "app.py": APP,
        "handlers/notify.py": HANDLER,
        "seed.py": SEED,
        "test_notify.py": TEST,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which the page's commands are those of this repository."""
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": commands, "PYTHONUNBUFFERED": "1", **more}


def run(folder: Path, command: str, **more: str) -> str:
    done = subprocess.run(  # noqa: S602 - the page's own commands
        command,
        shell=True,
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def local(shop: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S602 - the page's own command
        f"exec {LOCAL}",
        shell=True,
        cwd=shop,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.kill()
    assert process.stdout is not None
    process.stdout.close()
    process.wait(60)


def read_until(process: subprocess.Popen[str], line: str) -> str:
    said = ""
    assert process.stdout is not None
    for each in process.stdout:
        said += each
        if line.strip() in each:
            return said
    pytest.fail(f"it ended before {line!r}:\n{said}")


def test_what_is_explained_and_tested_before_anything_runs(shop: Path) -> None:
    assert EXPLAINED in run(shop, EXPLAIN)
    assert "1 passed" in run(shop, f"{PYTEST.strip()} -p no:cacheprovider")
    assert "cdk-streams[local]" in INSTALL


def test_a_poison_record_is_isolated_found_and_redriven(
    shop: Path, local: subprocess.Popen[str]
) -> None:
    said = read_until(local, CAUGHT_UP)
    assert "thank you for o-1" in said
    assert "thank you for o-3" in said
    connection = dict(re.findall(r"export (AWS_\w+)=(\S+)", said))

    assert run(shop, SHOW, **connection).endswith(NOTHING_CALLED)

    handler = shop / "handlers" / "notify.py"
    corrected = HANDLER.replace("change.new['total']", CORRECTED.strip())
    assert corrected != HANDLER
    handler.write_text(corrected, encoding="utf-8")
    read_until(local, NEW_CODE)
    assert run(shop, REDRIVE, **connection).endswith(REDRIVEN)

    local.send_signal(signal.SIGINT)
    assert local.wait(60) == 0
