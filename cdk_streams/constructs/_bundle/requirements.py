"""Packages for Lambda's machine, installed without Docker: wheels of its platform, unpacked.

Uses `uv` where it is installed and `pip` otherwise; neither runs code of the packages, since only
wheels are taken. Every package must be pinned, so that one file makes one asset.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cdk_streams.constructs._bundle import staging
from cdk_streams.constructs._bundle.entry_files import collect_tree
from cdk_streams.errors import CodeError, ToolError

__all__ = ["Platform", "install", "pins"]

_PIN: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9][\w.-]*)(\[[^\]]*\])?\s*===?\s*[^\s;#*]+(?=[\s;#]|$)"
)
_INDEX_OPTIONS: Final = (
    "--hash",
    "--require-hashes",
    "--index-url",
    "--extra-index-url",
    "--no-index",
    "--find-links",
)
# What installers note down for themselves: it differs between them and Lambda needs none of it.
_NOT_SHIPPED: Final = (
    "bin",
    "RECORD",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
    "uv_cache.json",
    ".lock",
)
# Amazon Linux 2023 has a newer C library than Amazon Linux 2, which Python 3.11 still runs on.
_LAST_ON_AL2: Final = (3, 11)


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the packages will run: `Platform("3.14", "arm64")`, as Lambda names both."""

    python: str
    architecture: str

    @property
    def machine(self) -> str:
        """The architecture as Python's wheels name it."""
        return {"arm64": "aarch64"}.get(self.architecture, self.architecture)

    @property
    def has_al2023(self) -> bool:
        """Whether Lambda runs this Python on Amazon Linux 2023."""
        return tuple(map(int, self.python.split("."))) > _LAST_ON_AL2


def pins(text: str) -> set[str]:
    """Return the names that a requirements file pins, as `importlib.metadata` spells them.

    Raises:
        CodeError: A line that pins nothing.

    """
    names = set()
    for line in text.replace("\\\n", " ").splitlines():
        wanted = line.split(" #", 1)[0].strip()
        if not wanted or wanted.startswith(("#", *_INDEX_OPTIONS)):
            continue
        pin = _PIN.match(wanted)
        if pin is None:
            raise CodeError(
                f"requirements must pin every package as name==version, got {wanted!r}; "
                "`uv pip compile` writes such a file"
            )
        names.add(_normal(pin["name"]))
    return names


def install(requirements: Path, platform: Platform, cache: Path) -> dict[str, bytes]:
    """Return the files of the packages; a folder in `cache` keeps them for the next synthesis.

    Raises:
        CodeError: The file is not there or pins too little, or the installation failed.
        ToolError: There is neither uv nor pip.

    """
    if not requirements.is_file():
        raise CodeError(
            f"requirements must be a requirements file, got {str(requirements)!r}, "
            f"which is not there; relative paths start at {str(Path.cwd())!r}"
        )
    text = requirements.read_text(encoding="utf-8")
    pinned = pins(text)
    told = f"{platform.python} {platform.machine}\n{text}"
    folder = cache / f"requirements-{hashlib.sha256(told.encode()).hexdigest()}"
    if not folder.exists():
        staging.write(_installed(requirements, platform), folder)
    files = collect_tree(folder) if pinned else {}
    _check_pinned(files, pinned)
    return files


def _installed(requirements: Path, platform: Platform) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as target:
        command = [*_installer(platform), "--target", target, "-r", str(requirements)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
        if ran.returncode:
            said = [line for line in ran.stderr.splitlines() if line.strip()]
            raise CodeError(
                f"requirements of {str(requirements)!r} must have wheels for Python "
                f"{platform.python} on {platform.architecture}, got an error: {' '.join(said[-3:])}"
            )
        return collect_tree(Path(target), exclude=_NOT_SHIPPED)


def _installer(platform: Platform) -> list[str]:
    """Return the command that installs wheels of the platform, but for the target and the file."""
    machine = platform.machine
    if uv := shutil.which("uv"):
        libc = "manylinux_2_28" if platform.has_al2023 else "manylinux2014"
        where = ["--python-platform", f"{machine}-{libc}", "--python-version", platform.python]
        return [uv, "pip", "install", "--quiet", "--only-binary", ":all:", *where]
    if find_spec("pip") is None:
        raise ToolError(
            "requirements are installed by uv or pip, got neither in this environment; "
            "install uv into it"
        )
    older = ["manylinux2014", "manylinux_2_17"]
    libcs = ["manylinux_2_28", *older] if platform.has_al2023 else older
    where = [f"--platform={libc}_{machine}" for libc in libcs]
    where += ["--implementation=cp", f"--python-version={platform.python}"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [*pip, "--no-compile", "--only-binary=:all:", *where]


def _check_pinned(files: Mapping[str, bytes], pinned: set[str]) -> None:
    """Refuse packages that came along without a pin: the next synthesis could bring others."""
    folders = {name.split("/")[0] for name in files if name.endswith(".dist-info/METADATA")}
    # A wheel's metadata stands in `name-version.dist-info`, and neither holds a dash.
    found = {
        _normal(name): f"{name}=={version}"
        for name, _, version in (
            folder.removesuffix(".dist-info").partition("-") for folder in folders
        )
    }
    if extra := sorted(found[name] for name in found.keys() - pinned):
        raise CodeError(
            f"requirements must pin every package as name==version, got {', '.join(extra)} "
            "unpinned; add it, as `uv pip compile` does"
        )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
