"""The files of a function, hashed by content and written to a folder of the assembly.

CDK's own bundling hashes the handler's folder only, so a new runtime beside it would not deploy,
and its hash of a folder changes with a stray `__pycache__`. Here the hash covers every file that
ships and nothing else: no times, modes, owners, caches or places.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cdk_streams.constructs._bundle.runtime_package import RUNTIME

__all__ = ["fingerprint", "place", "write"]

_NONE: Final[Mapping[str, bytes]] = {}
_FOLDER: Final = "cdk-streams"
# Each file of the runtime by the hash of its content: the functions of an app link to it, which
# takes a tenth of the time of writing it again.
_SHARED: Final = "cdk-streams-runtime"


def fingerprint(files: Mapping[str, bytes]) -> str:
    """Return a hash of the names and contents alone."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            # The length in front keeps ("ab", "c") and ("a", "bc") apart.
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def place(
    files: Mapping[str, bytes], assembly: Path, compiled: Mapping[str, bytes] = _NONE
) -> tuple[Path, str]:
    """Write the files into an assembly; return a folder and a hash for `Code.from_asset`.

    The hash is that of `files`. `compiled` are further files, made from these: they ship beside
    them, and machines that make others, or none, give the same hash.

    CDK copies that folder to `asset.<hash of the hash>`, unless that is there already. So the
    files are written there at once and the folder is a link to them, which `cdk synth
    --no-staging` needs: a copy takes longer than everything else about a function. Should CDK
    name the place differently one day, it copies.
    """
    digest = fingerprint(files)
    folder = assembly / _FOLDER / digest
    staged = assembly / f"asset.{hashlib.sha256(digest.encode()).hexdigest()}"
    shared = assembly / _SHARED
    write({**files, **compiled}, staged, shared)
    _add(compiled, staged, shared)
    folder.parent.mkdir(exist_ok=True)
    try:
        folder.symlink_to(Path("..", staged.name), target_is_directory=True)
    except OSError:
        # It is there, or this is a place without links.
        write({**files, **compiled}, folder, shared)
        _add(compiled, folder, shared)
    return folder, digest


def write(files: Mapping[str, bytes], folder: Path, shared: Path | None = None) -> None:
    """Write the files into a new folder, readable by all as Lambda needs.

    The folder appears whole or not at all, so that parallel runs may share it. A folder that is
    there is left as it is: its name holds the hash of its content. `shared` is a folder for files
    of the runtime, which are links to it where the file system has links.
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
            _write_or_link(name, content, making / name, shared)
        making.rename(folder)
    except OSError:
        # Another process may have finished the same folder first.
        shutil.rmtree(making, ignore_errors=True)
        if not folder.exists():
            raise


def _add(compiled: Mapping[str, bytes], folder: Path, shared: Path) -> None:
    """Write compiled files into a staged folder; those of another synthesis are left alone.

    The folder's name holds the hash of the sources, so that what is there was made from them.
    """
    for name, content in compiled.items():
        path = folder / name
        if path.exists():
            continue
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(0o755)
        # Another process may read the folder: the file appears whole.
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=shared.parent)) / path.name
        try:
            _write_or_link(name, content, making, shared)
            making.replace(path)
        finally:
            shutil.rmtree(making.parent, ignore_errors=True)


def _write_or_link(name: str, content: bytes, path: Path, shared: Path | None) -> None:
    is_runtime = name.startswith(f"{RUNTIME}/")
    if not (is_runtime and shared and _link(content, path, shared)):
        _write_file(content, path)


def _link(content: bytes, path: Path, shared: Path) -> bool:
    """Link to the file with that content; False where there are no links, or it was changed."""
    source = shared / hashlib.sha256(content).hexdigest()
    try:
        if not source.exists():
            shared.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=shared, delete=False) as made:
                made.write(content)
            Path(made.name).chmod(0o644)
            Path(made.name).rename(source)
        elif source.read_bytes() != content:
            return False
        path.hardlink_to(source)
    except OSError:
        return False
    return True


def _write_file(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    path.chmod(0o644)
