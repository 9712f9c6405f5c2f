"""README is true: its stack synthesizes, its handler and its test run, its links lead on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_streams.mapping import MappingSettings

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
STACK, HANDLER, TEST = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
LINKS = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in link]
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
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_stack_synthesizes_without_a_warning(project: Path) -> None:
    assert "arning" not in run(project, "app.py")


def test_the_handlers_test_passes_beside_the_handler(project: Path) -> None:
    assert "1 passed" in run(
        project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_notify.py"
    )


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
