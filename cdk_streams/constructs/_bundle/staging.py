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
from contextlib import suppress
from pathlib import Path
from typing import Final

from cdk_streams.constructs._bundle.runtime_package import RUNTIME

__all__ = ["fingerprint", "place", "write"]

# The runtime as it was last written beside a folder: the functions of an app share its files.
_WRITTEN: Final[dict[tuple[Path, str, bytes], Path]] = {}


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
