"""examples/snapshot_test: its own tests see a changed setting, and no edit of the handler."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "snapshot_test"


def test_a_copy_sees_a_changed_setting_but_no_edit_of_the_handler(tmp_path: Path) -> None:
    copy = shutil.copytree(
        EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns("__pycache__", "cdk.out")
    )
    handler, app = copy / "handlers" / "index.py", copy / "app.py"
    handler.write_text(handler.read_text(encoding="utf-8") + "\nLATER = 1\n", encoding="utf-8")
    told = app.read_text(encoding="utf-8")
    changed = told.replace("function=function)", "function=function, batch_size=10)")
    assert changed != told
    app.write_text(changed, encoding="utf-8")

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 failed, 2 passed" in ran.stdout, ran.stdout + ran.stderr
    differing = re.findall(r'^E +([-+] +"\w+": .*),$', ran.stdout, re.MULTILINE)
    assert ["".join(each.split()) for each in differing] == ['-"BatchSize":100', '+"BatchSize":10']
