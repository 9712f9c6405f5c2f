"""The Python files that a cold start runs: the handler's, and what importing them imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from cdk_streams.constructs._bundle.python_source import PythonSource, read_source
from cdk_streams.constructs._bundle.runtime_package import RUNTIME

__all__ = ["start_files"]

_FACADE: Final = "__init__.py"
_WORD: Final = re.compile(r"[A-Za-z_]\w*")


def start_files(
    files: Mapping[str, bytes],
    index: str,
    runtime: Mapping[str, bytes],
    read: Callable[[bytes], PythonSource] = read_source,
) -> dict[str, bytes]:
    """Return the Python files that run when a handler is imported.

    That is the handler's own, those beside it, which may be imported by name, and what these import
    at their top level. Of the runtime, whose packages load a name when it is used, the modules of
    the names that a file has.

    Args:
        files: The handler's files by their place in the asset, without packages.
        index: The place of the handler's own file.
        runtime: The files of the runtime that ship.
        read: Reads a file's source; one that keeps what it has read saves time.

    """
    everything = {**files, **runtime}
    folder = index.rpartition("/")[0]
    ahead = [name for name in files if name.endswith(".py") and name.rpartition("/")[0] == folder]
    found: dict[str, bytes] = {}
    while ahead:
        place = ahead.pop()
        if place in found:
            continue
        content = found[place] = everything[place]
        is_runtime = place in runtime
        source = (_read_runtime if is_runtime else read)(content)
        words = frozenset() if is_runtime else frozenset(_WORD.findall(content.decode("latin-1")))
        ahead += _files_run(source, place, everything, words)
    return found


# Kept for all functions, since all of them ship the same files.
_read_runtime = cache(read_source)


def _files_run(
    source: PythonSource, place: str, files: Mapping[str, bytes], words: frozenset[str]
) -> Iterator[str]:
    """Yield the files that a file's imports run; what a function imports runs later."""
    package = place.split("/")[:-1]
    for each in source.imports:
        if each.where.endswith("function"):
            continue
        above = package[: len(package) - each.level + 1] if each.level else []
        module = [*above, *filter(None, each.module.split("."))]
        for imported in (module, *([*module, name] for name in each.names)):
            yield from _files_of(imported, files)
            if imported[0] == RUNTIME:
                homes = _homes(files.get("/".join([*imported, _FACADE]), b""))
                for name in homes.keys() & {*each.names, *words}:
                    yield from _files_of(homes[name].split("."), files)


def _files_of(module: list[str], files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the files of a module and of the packages above it, as far as they ship."""
    for length in range(1, len(module) + 1):
        name = "/".join(module[:length])
        yield from (each for each in (f"{name}/{_FACADE}", f"{name}.py") if each in files)


@cache
def _homes(facade: bytes) -> dict[str, str]:
    """Return the module of each name that a package of the runtime loads when it is used.

    They are what the package imports for type checkers.
    """
    return {
        alias.asname or alias.name: node.module
        for node in ast.walk(ast.parse(facade))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{RUNTIME}.")
        for alias in node.names
        if node.module
    }
