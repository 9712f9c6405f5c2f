"""All files of a function's asset: the handler's, what it imports, its packages, the runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from cdk_streams.constructs._bundle import runtime_package
from cdk_streams.constructs._bundle.bytecode import compiled
from cdk_streams.constructs._bundle.entry_files import collect
from cdk_streams.constructs._bundle.handler_faults import check_handler_source
from cdk_streams.constructs._bundle.project import import_roots
from cdk_streams.constructs._bundle.python_source import PythonSource, read_source
from cdk_streams.constructs._bundle.requirements import Platform, install
from cdk_streams.constructs._bundle.shared_modules import add_shared_modules, top_level_names
from cdk_streams.constructs._bundle.start_files import start_files
from cdk_streams.errors import CodeError

__all__ = ["Entry", "FunctionCode", "function_code"]

_REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a user says of a function's code; the arguments of `StreamFunction` describe each."""

    path: Path
    index: str
    handler: str
    requirements: str | PathLike[str] | None
    exclude: Sequence[str]
    include: Sequence[str]
    has_layers: bool


class FunctionCode(NamedTuple):
    """The files by their place in the asset, and the handler as the function names it.

    `compiled` are compiled files of some of them, which depend on the machine that makes them.
    """

    files: dict[str, bytes]
    compiled: dict[str, bytes]
    handler: str


def function_code(entry: Entry, platform: Platform, assembly: Path) -> FunctionCode:
    """Gather the files of a function.

    Raises:
        CodeError: The entry, its handler or an import is not there, or a package is not pinned.

    """
    read = cache(read_source)  # For this function alone: it holds the files' contents.
    files = collect(entry.path, entry.exclude, entry.include, assembly)
    index = entry.path.name if entry.path.is_file() else entry.index
    _check_handler(files, index, entry, read(files.get(index, b"")).names)
    check_handler_source(files[index], index, entry.handler, python=platform.python)
    _check_requirements(files, entry)
    packages = (
        install(Path(entry.requirements), platform, assembly / "cdk-streams")
        if entry.requirements is not None
        else {}
    )
    if entry.path.is_file():
        files, index = _in_its_package(entry.path, files[index], read(files[index]))
    add_shared_modules(
        files,
        index,
        import_roots(entry.path),
        top_level_names(packages),
        python=platform.python,
        exclude=entry.exclude,
        has_layers=entry.has_layers,
        read=read,
    )
    _check_apart(files, packages)
    runtime = runtime_package.runtime_files(files, read)
    module = index.removesuffix(".py").replace("/", ".")
    return FunctionCode(
        files={**files, **packages, **runtime},
        compiled=compiled(start_files(files, index, runtime, read), platform.python),
        handler=f"{module}.{entry.handler}",
    )


def _in_its_package(
    path: Path, content: bytes, source: PythonSource
) -> tuple[dict[str, bytes], str]:
    """Return a handler's file by its place in the asset, and that place.

    It stands at the top, unless it has relative imports: these need the package around it.
    """
    depth = max((each.level for each in source.imports), default=0)
    folder = path.absolute().parent
    above = [folder, *folder.parents]
    while 0 < depth < len(above) - 1 and (above[depth] / "__init__.py").is_file():
        depth += 1
    place = "/".join([*(each.name for each in above[:depth][::-1]), path.name])
    return {place: content}, place


def _check_handler(
    files: Mapping[str, bytes], index: str, entry: Entry, names: frozenset[str] | None
) -> None:
    shown, handler = str(entry.path), entry.handler
    if index not in files:
        found = ", ".join(sorted(name for name in files if name.endswith(".py"))[:5]) or "none"
        raise CodeError(
            f"index must name a Python file of {shown!r}, got {index!r}; it has {found}"
        )
    if names is not None and handler not in names:
        raise CodeError(
            f"handler must be a name that {index} defines, got {handler!r}; "
            f"define it (`{handler} = router.handler`) or pass handler="
        )
    ours = runtime_package.RUNTIME
    if ours in top_level_names(files):
        raise CodeError(
            f"entry must leave the name {ours} free, got one in {shown!r}; "
            "remove it, StreamFunction adds its own"
        )


def _check_requirements(files: Mapping[str, bytes], entry: Entry) -> None:
    """Refuse an entry whose packages nobody would install."""
    if entry.requirements is None and _REQUIREMENTS in files:
        file = entry.path / _REQUIREMENTS
        raise CodeError(
            f"requirements must be passed for an entry with a {_REQUIREMENTS}, got none; pass "
            f"requirements={str(file)!r}, or exclude=[{_REQUIREMENTS!r}] to ship without packages"
        )


def _check_apart(files: Mapping[str, bytes], packages: Mapping[str, bytes]) -> None:
    if both := sorted(files.keys() & packages.keys()):
        raise CodeError(
            f"requirements must not bring files that the handler has, got {both[0]!r} in both; "
            "rename the handler's"
        )
