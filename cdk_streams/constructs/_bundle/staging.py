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
from contextlib import suppress
from fnmatch import fnmatch
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cdk_streams.errors import SourceError

__all__ = [
    "OPTIONAL",
    "RUNTIME",
    "collect",
    "defined_names",
    "fingerprint",
    "place",
    "runtime_files",
    "write",
]

RUNTIME: Final = "lambda_runtime"
OPTIONAL: Final = ("forward", "replication", "views")
"""Packages of the runtime that ship only with a function whose files import them."""
_FOR_TYPES: Final = "_routing/handler_types.py"
_FOR_TESTS: Final = {"_tables/memory_table.py": "MemoryTable"}
"""Files that ship only with a function whose files import that name, which tests do."""
_FOR_PARSE: Final = "_changes/envelopes.py"
"""What `parse` reads other services' events with; a file that calls it has its name."""
# The runtime as it was last written beside a folder: the functions of an app share its files.
_WRITTEN: Final[dict[tuple[Path, str, bytes], Path]] = {}
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


def runtime_files(handler: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Return the files of `lambda_runtime`, found without importing it and read once.

    Of the packages in `OPTIONAL` and the fakes for tests, those that a Python file of `handler`
    imports; what type checkers alone read never; what takes events out of other services'
    envelopes for a handler that has the word `parse`.

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
    imported = set().union(*(imports(content) for content in (handler or {}).values()))
    parts = {f"{part}/": part for part in OPTIONAL} | _FOR_TESTS
    unused = [start for start, name in parts.items() if f"{RUNTIME}.{name}" not in imported]
    if not any(b"parse" in content for content in (handler or {}).values()):
        unused.append(_FOR_PARSE)
    left_out = (_FOR_TYPES, *unused)
    return {
        f"{RUNTIME}/{name}": content
        for name, content in _runtime(Path(places[0])).items()
        if not name.startswith(left_out)
    }


def imports(source: bytes) -> set[str]:
    """Return the modules that a Python file imports, with the packages that they are in.

    `from lambda_runtime.forward import EventBus` gives `lambda_runtime`, `lambda_runtime.forward`
    and `lambda_runtime.forward.EventBus`, which may be a module. A file that is no Python of this
    version gives none.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {
        ".".join(parts[:length])
        for parts in (name.split(".") for name in named)
        for length in range(1, len(parts) + 1)
    }


@cache
def _runtime(folder: Path) -> dict[str, bytes]:
    return collect(folder)


def fingerprint(files: Mapping[str, bytes]) -> str:
    """Return a hash of the names and contents alone."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            # The length in front keeps ("ab", "c") and ("a", "bc") apart.
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def place(files: Mapping[str, bytes], assembly: Path) -> tuple[Path, str]:
    """Write the files into an assembly; return a folder and a hash for `Code.from_asset`.

    CDK copies that folder to `asset.<hash of the hash>`, unless that is there already. So the
    files are written there at once and the folder is a link to them, which `cdk synth
    --no-staging` needs: a copy takes longer than everything else about a function. Should CDK
    name the place differently one day, it copies.
    """
    digest = fingerprint(files)
    folder = assembly / "cdk-streams" / digest
    staged = assembly / f"asset.{hashlib.sha256(digest.encode()).hexdigest()}"
    write(files, staged)
    folder.parent.mkdir(exist_ok=True)
    try:
        folder.symlink_to(Path("..", staged.name), target_is_directory=True)
    except OSError:
        # It is there, or this is a place without links.
        write(files, folder)
    return folder, digest


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
        making.chmod(0o755)
        for parent in sorted({parent for name in files for parent in Path(name).parents}):
            (making / parent).mkdir(exist_ok=True)
            (making / parent).chmod(0o755)
        for name, content in files.items():
            _write_file(content, making / name, _WRITTEN.get((folder.parent, name, content)))
        making.rename(folder)
    except OSError:
        # Another process may have finished the same folder first.
        shutil.rmtree(making, ignore_errors=True)
        if not folder.exists():
            raise
    for name, content in files.items():
        if name.startswith(f"{RUNTIME}/"):
            _WRITTEN[folder.parent, name, content] = folder / name


def _write_file(content: bytes, path: Path, there: Path | None) -> None:
    """Link to the same file of another function, or write it."""
    if there is not None:
        with suppress(OSError):
            path.hardlink_to(there)
            return
    path.write_bytes(content)
    path.chmod(0o644)


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
