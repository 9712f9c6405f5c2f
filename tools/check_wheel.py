"""Checks that the wheel holds both packages, typed, with the licence, and nothing else.

Run as `python tools/check_wheel.py dist/cdk_streams-0.1.0-py3-none-any.whl`.
"""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

PACKAGES = ("cdk_streams", "lambda_runtime")
ROOT = Path(__file__).resolve().parent.parent


def faults(names: list[str], sources: list[str]) -> list[str]:
    """What is wrong with a wheel of these file names; `sources` is what `source_files` gives."""
    shipped = [name for name in names if ".dist-info/" not in name]
    found = [
        f"{name} is no file of {' or '.join(PACKAGES)} in the source tree; take it out of the wheel"
        for name in shipped
        if name not in sources
    ]
    found += [
        f"{name} is in the source tree, not in the wheel" for name in sources if name not in shipped
    ]
    found += [
        f"{package}/py.typed is missing, so type checkers would ignore the package"
        for package in PACKAGES
        if f"{package}/py.typed" not in shipped
    ]
    if not any(PurePosixPath(name).name == "LICENSE" for name in names):
        found.append("LICENSE is missing")
    return found


def source_files(root: Path = ROOT) -> list[str]:
    """Every file of the two packages but caches, as a wheel names them: `cdk_streams/errors.py`."""
    return sorted(
        path.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def main(wheels: list[str]) -> int:
    """Prints each fault of the one wheel named; 1 when there is any."""
    if len(wheels) != 1:
        print(f"one wheel is expected, got {len(wheels)}: {wheels}", file=sys.stderr)
        return 1
    names = [name for name in ZipFile(wheels[0]).namelist() if not name.endswith("/")]
    found = faults(names, source_files())
    for fault in found:
        print(f"{wheels[0]}: {fault}", file=sys.stderr)
    if not found:
        print(f"{wheels[0]}: {len(names)} files, both packages typed, nothing else")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
