"""The files of a function: collected from its entry, hashed by content, written to a folder.

CDK's own bundling hashes the handler's folder only, so a new runtime beside it would not deploy,
and its hash of a folder changes with a stray `__pycache__`. Here the hash covers every file that
ships and nothing else: no times, modes, owners, caches or places.
"""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cdk_streams.errors import SourceError

__all__ = ["RUNTIME", "collect", "defined_names", "fingerprint", "runtime_files", "write"]

RUNTIME: Final = "lambda_runtime"
_LEFT_OUT: Final = (
    "__pycache__",
    "*.py[cod]",
    ".DS_Store",
    ".git",
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
)


def collect(entry: Path, exclude: Sequence[str] = ()) -> dict[str, bytes]:
    """Return the files of a handler: `{"audit.py": b"…"}` for a file, a folder's tree otherwise.

    `exclude` has shell patterns of file or folder names, such as `"tests"`; caches and what
    version control and editors leave are excluded always. Links are followed.

    Raises:
        SourceError: The entry is not there, is no Python file, or is a folder without files.

    """
    if entry.is_file():
        if entry.suffix != ".py":
            raise SourceError(
                f"entry must be a Python file or a folder, got {str(entry)!r}; "
                "name the .py file that defines the handler"
            )
        return {entry.name: entry.read_bytes()}
    if not entry.is_dir():
        raise SourceError(
            f"entry must be a Python file or a folder, got {str(entry)!r}, which is not there; "
            f"relative paths start at {str(Path.cwd())!r}"
        )
    found = {
        path.relative_to(entry).as_posix(): path.read_bytes()
        for path in _walk(entry, (*_LEFT_OUT, *exclude))
    }
    if not found:
        raise SourceError(f"entry must hold the handler's files, got the empty folder {entry}")
    return found


def runtime_files() -> dict[str, bytes]:
    """Return the files of `lambda_runtime`, found without importing it.

    Raises:
        SourceError: It is not installed beside cdk_streams.

    """
    spec = find_spec(RUNTIME)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise SourceError(
            f"{RUNTIME} must be installed beside cdk_streams to ship with a function, "
            "got none; install the cdk-streams distribution whole"
        )
    folder = Path(places[0])
    return {f"{RUNTIME}/{name}": content for name, content in collect(folder).items()}


def fingerprint(files: Mapping[str, bytes]) -> str:
    """Return a hash of the names and contents alone."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            # The length in front keeps ("ab", "c") and ("a", "bc") apart.
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files into a new folder, readable by all as Lambda needs.

    The folder appears whole or not at all, so that parallel runs may share it. A folder that is
    there is left as it is: its name holds the hash of its content.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        for name, content in files.items():
            path = making / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o644)
        for path in [making, *(each for each in making.rglob("*") if each.is_dir())]:
            path.chmod(0o755)
        making.rename(folder)
    except OSError:
        # Another process may have finished the same folder first.
        shutil.rmtree(making, ignore_errors=True)
        if not folder.exists():
            raise


def defined_names(source: bytes) -> set[str] | None:
    """Return the names a module binds at its top level; None when that cannot be told.

    It cannot for `from x import *`, for names bound inside `if` and `try`, and for syntax that
    is newer than the Python that runs this.
    """
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return None
    names: set[str] = set()
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names.update(alias.asname or alias.name for alias in aliases)
            case ast.Assign() | ast.AnnAssign():
                names.update(node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
            case ast.Expr():
                pass
            case _:
                return None
    return None if "*" in names else names


def _walk(folder: Path, left_out: Sequence[str]) -> Iterator[Path]:
    seen: set[Path] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = Path(root).resolve()
        if real in seen:
            # A link that leads back to a folder above it.
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _matches(name, left_out))
        for name in sorted(files):
            path = Path(root, name)
            if not _matches(name, left_out) and path.is_file():
                yield path


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
