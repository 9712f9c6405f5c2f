from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_streams.constructs._bundle import staging
from cdk_streams.constructs._bundle.runtime_package import runtime_files
from cdk_streams.constructs._bundle.start_files import start_files

LOADED = """
import json, os, sys
sys.path.insert(0, os.getcwd())
import index
files = [getattr(each, "__file__", None) or "" for each in list(sys.modules.values())]
print(json.dumps([os.path.relpath(each) for each in files if each.startswith(os.getcwd())]))
"""


@pytest.mark.parametrize(
    "handler",
    [
        b"from lambda_runtime import Insert, Modify, Remove, Router, parse",
        b"from lambda_runtime import to_json, decode",
        b"import lambda_runtime\nlambda_runtime.Router()",
        b"from lambda_runtime.forward import EventBus, Forwarder",
        b"from lambda_runtime.views import Count, View",
        b"from lambda_runtime.replication import handler_from_environment as handler",
        b"from rules import tax",
    ],
)
def test_they_are_the_files_that_python_loads(handler: bytes, tmp_path: Path) -> None:
    files = {
        "index.py": handler,
        "rules/__init__.py": b"",
        "rules/tax.py": b"from . import vat\ndef later():\n    import rules.rarely\n",
        "rules/vat.py": b"",
        "rules/rarely.py": b"",
    }
    runtime = runtime_files(files)
    staging.write({**files, **runtime}, tmp_path / "task")
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-S", "-c", LOADED],
        cwd=tmp_path / "task",
        capture_output=True,
        text=True,
        check=True,
    )
    assert start_files(files, "index.py", runtime).keys() == set(json.loads(ran.stdout))


def test_a_file_beside_the_handler_may_be_imported_by_name() -> None:
    files = {"index.py": b"", "shape.py": b"", "data/later.py": b""}
    assert start_files(files, "index.py", {}).keys() == {"index.py", "shape.py"}


def test_a_package_that_this_python_cannot_read_ships_as_it_is() -> None:
    files = {"index.py": b"from old import names", "old/__init__.py": b"print 1"}
    assert start_files(files, "index.py", {}).keys() == files.keys()
