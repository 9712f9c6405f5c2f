"""Which Python runs a function locally, and what that Python can import.

On Lambda a function sees its asset, its layers, the standard library, and the handful of packages
of the managed runtime (boto3 and what it needs). A developer's virtual environment holds far more,
so a dependency that is not bundled would be found locally and missing on AWS. Functions therefore
run without site-packages (`python -S`) and get exactly the managed runtime's packages back.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cdk_streams._managed_runtime import RUNTIME_PACKAGES
from cdk_streams.errors import ToolError

__all__ = ["Interpreter", "find_interpreter", "link_runtime_packages"]

_NEEDED = ("awslambdaric", "runtime_client")

_DESCRIBE = """
import importlib.util, json, sys
found = {}
for name in json.loads(sys.argv[1]):
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.origin is not None:
        package = spec.submodule_search_locations
        found[name] = list(package)[0] if package else spec.origin
print(json.dumps([list(sys.version_info[:2]), found]))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that can run functions; `packages` maps import names to their file or folder."""

    path: str
    version: tuple[int, int]
    packages: tuple[tuple[str, str], ...]

    @property
    def runtime(self) -> str:
        """Lambda's name for it: `python3.13`."""
        return f"python{self.version[0]}.{self.version[1]}"


def find_interpreter(runtime: str | None = None) -> Interpreter:
    """Return the Python for a function's `Runtime`, such as `python3.13`.

    The command of that name on PATH is taken when awslambdaric is installed for it; otherwise, and
    for None, the running Python. The caller compares `Interpreter.runtime` with what was asked for:
    a handler usually runs on either, compiled dependencies of another version do not.

    Raises:
        ToolError: Neither Python has awslambdaric, of the extra `local`.

    """
    if runtime is not None and (command := shutil.which(runtime)) is not None:
        found = describe(command)
        if _can_run(found):
            return found
    running = describe(sys.executable)
    if not _can_run(running):
        raise ToolError(
            f"the Lambda runtime client is not installed for {sys.executable};"
            " pip install 'cdk-streams[local]'"
        )
    return running


@cache
def describe(python: str) -> Interpreter:
    """Ask the interpreter at `python` for its version and its runtime packages."""
    asked = [python, "-c", _DESCRIBE, json.dumps(RUNTIME_PACKAGES)]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - the caller chose this program
    if answer.returncode != 0:
        raise ToolError(
            f"the interpreter of a function must be a Python command, got {python}, which fails: "
            f"{answer.stderr.strip()}"
        )
    version, packages = json.loads(answer.stdout)
    return Interpreter(python, (version[0], version[1]), tuple(packages.items()))


def link_runtime_packages(interpreter: Interpreter, folder: Path) -> None:
    """Fill `folder` with links to the runtime's packages: a local `/var/runtime`."""
    if not _can_run(interpreter):
        raise ToolError(
            f"{interpreter.path} has no awslambdaric, which runs functions as Lambda does;"
            f' install it with "{interpreter.path} -m pip install awslambdaric"'
        )
    folder.mkdir()
    for _, location in interpreter.packages:
        source = Path(location)
        (folder / source.name).symlink_to(source)


def _can_run(interpreter: Interpreter) -> bool:
    return {name for name, _ in interpreter.packages}.issuperset(_NEEDED)
