"""Compiled packages of a function that this machine's Python cannot import, and what to do then.

A package with compiled parts is made for one processor and mostly for one minor version of Python.
Those of the function's own architecture and runtime need not be those of this machine; on Lambda
they work, here the import of the package fails.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cdk_streams.lambda_local._function import DeployedFunction
from cdk_streams.lambda_local._interpreters import Interpreter, find_interpreter

__all__ = ["why_packages_fail_here"]

# The machine in an ELF header, and the names that Python has for the same one.
_MACHINES: Final = {0x3E: "x86_64", 0xB7: "arm64"}
_SAME: Final = {"amd64": "x86_64", "aarch64": "arm64"}
_HEADER_BYTES: Final = 20
_MACHINE_AT: Final = 18
_VERSION: Final = re.compile(r"\.cpython-3(\d+)-")


def why_packages_fail_here(function: DeployedFunction) -> str | None:
    """Return a sentence for a function whose compiled packages this machine cannot import, or None.

    Looks into the function's asset and its layers where these are folders.

    Raises:
        ToolError: No Python of this machine can run functions.

    """
    interpreter = find_interpreter(function.runtime)
    folders = [each for each in (function.asset, *function.layers) if each.is_dir()]
    found = {
        name: made_for
        for folder in folders
        for name, made_for in _compiled_elsewhere(folder, interpreter)
    }
    if not found:
        return None
    here, minor = _machine(), interpreter.version[1]
    architecture = "ARM_64" if here == "arm64" else here.upper()
    return (
        f"{function.name}: the packages {', '.join(sorted(found))} are compiled for "
        f"{', '.join(sorted({*found.values()}))}, and this machine runs functions with Python "
        f"3.{minor} on {here}, so importing them fails here; give the function "
        f"runtime=Runtime.PYTHON_3_{minor} and architecture=Architecture.{architecture} for "
        "local runs"
    )


def _compiled_elsewhere(folder: Path, interpreter: Interpreter) -> Iterator[tuple[str, str]]:
    """Yield the top-level name and the platform of each compiled file for another platform."""
    for path in sorted(folder.rglob("*.so")):
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        machine = _MACHINES.get(int.from_bytes(header[_MACHINE_AT:], "little"), "another machine")
        named = _VERSION.search(path.name)
        minor = interpreter.version[1] if named is None else int(named[1])
        is_here = sys.platform == "linux" and machine == _machine()
        if header.startswith(b"\x7fELF") and not (is_here and minor == interpreter.version[1]):
            python = "" if named is None else f" and Python 3.{minor}"
            yield _package(path.relative_to(folder)), f"Linux on {machine}{python}"


def _package(path: Path) -> str:
    """Return the top-level name; a layer has its packages below `python`."""
    parts = path.parts
    if "site-packages" in parts:
        parts = parts[parts.index("site-packages") + 1 :]
    elif parts[0] == "python" and len(parts) > 1:
        parts = parts[1:]
    return parts[0].partition(".")[0]


def _machine() -> str:
    here = platform.machine().lower()
    return _SAME.get(here, here)
