"""Python files compiled for a function, so that a cold start does not compile them.

A function cannot write compiled files on Lambda, so that without these each cold start compiles all
that the handler imports. They are unchecked (PEP 552): Python does not compare them with their
sources, and has no need to, since both are staged from the same bytes. A Python of another version
looks for other names and compiles the sources.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from cdk_streams.constructs._bundle import compile_sources

__all__ = ["compiled"]

_SCRIPT: Final = Path(compile_sources.__file__)
_LONGEST_S: Final = 60
# By version, place and content: the functions of an app ship the same runtime.
_made: Final[dict[tuple[str, str, bytes], tuple[str, bytes] | None]] = {}


def compiled(sources: Mapping[str, bytes], python: str) -> dict[str, bytes]:
    """Return the compiled files of sources: `{"__pycache__/audit.cpython-314.pyc": b"…"}`.

    They are made by the running Python, or by the command `python3.14` on PATH. Without a Python
    of that version there are none; a file that it cannot compile has none.

    Args:
        sources: Python files by their place in the asset.
        python: The function's Python: `"3.14"`.

    """
    command = _interpreter(python)
    if command is None:
        return {}
    new = {
        place: source for place, source in sources.items() if (python, place, source) not in _made
    }
    made = _compile(new, command)
    for place, source in new.items():
        _made[python, place, source] = made.get(place)
    found = (_made[python, place, source] for place, source in sources.items())
    return dict(filter(None, found))


@cache
def _interpreter(python: str) -> str | None:
    """Return the command of a CPython of that version; None where there is none that runs."""
    if sys.implementation.name == "cpython" and _version(sys.version_info[:2]) == python:
        return sys.executable
    command = shutil.which(f"python{python}")
    if command is None:
        return None
    # A command may stand for another version, or only say that this one is not chosen.
    answer = _answer([command, "-I", "-S", "-c", "import sys; print(sys.implementation.cache_tag)"])
    return command if answer.strip() == f"cpython-{python.replace('.', '')}".encode() else None


def _version(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _compile(sources: Mapping[str, bytes], command: str) -> dict[str, tuple[str, bytes]]:
    """Return the place and content of each compiled file by the place of its source."""
    if not sources or command == sys.executable:
        return compile_sources.compile_sources(sources)
    told = {place: base64.b64encode(source).decode() for place, source in sources.items()}
    answer = _answer([command, "-I", "-S", str(_SCRIPT)], json.dumps(told).encode())
    return {
        place: (name, base64.b64decode(content))
        for place, (name, content) in json.loads(answer or "{}").items()
    }


def _answer(command: list[str], told: bytes = b"") -> bytes:
    """Return what a command prints; nothing when it fails, since it is not needed to deploy."""
    try:
        ran = subprocess.run(  # noqa: S603 - a Python of the user's PATH and our own text
            command, input=told, capture_output=True, check=True, timeout=_LONGEST_S
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return ran.stdout
