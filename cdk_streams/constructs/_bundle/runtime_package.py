"""The files of `lambda_runtime` that ship with a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cdk_streams.constructs._bundle.entry_files import collect_tree
from cdk_streams.constructs._bundle.python_source import PythonSource, imported_modules, read_source
from cdk_streams.errors import ToolError

__all__ = ["OPTIONAL", "RUNTIME", "runtime_files"]

RUNTIME: Final = "lambda_runtime"
OPTIONAL: Final = ("forward", "replication", "views")
"""Packages of the runtime that ship only with a function whose files import them."""
_FOR_TYPES: Final = "_routing/handler_types.py"
_FOR_TESTS: Final = {
    "_tables/memory_table.py": "MemoryTable",
    "forward/_json_schema.py": "forward.json_schema",
}
"""Files that ship only with a function whose files import that name, which tests and apps do."""
_FOR_WORDS: Final = {
    "_batches/metrics.py": ("", (b"metrics",)),
    "_batches/pause.py": ("", (b"Pause",)),
    "_batches/traces.py": ("", (b"trace",)),
    "_changes/envelopes.py": ("forward", (b"parse",)),
    "_routing/batch_routes.py": ("views", (b"latest", b"aggregate")),
}
"""Files that ship with a function whose files import that package, or have one of the words.

`Router(metrics=…)`, `Pause` and `Router(trace=True)` need the first three; `parse` reads other
services' events with the fourth; `Router.latest` and `aggregate` need the fifth. A file that calls
one of them has its name.
"""


def runtime_files(
    handler: Mapping[str, bytes] | None = None,
    read: Callable[[bytes], PythonSource] = read_source,
) -> dict[str, bytes]:
    """Return the files of `lambda_runtime`, found without importing it and read once.

    Of the packages in `OPTIONAL` and the fakes for tests, those that a Python file of `handler`
    imports; what type checkers alone read never; what `parse`, `latest` and `aggregate` need for a
    handler that has the word, or imports a package that calls them.

    Raises:
        ToolError: It is not installed beside cdk_streams.

    """
    spec = find_spec(RUNTIME)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise ToolError(
            f"{RUNTIME} must be installed beside cdk_streams to ship with a function, "
            "got none; install the cdk-streams distribution whole"
        )
    sources = [read(content) for name, content in (handler or {}).items() if name.endswith(".py")]
    imported = set().union(*map(imported_modules, sources))
    parts = {f"{part}/": part for part in OPTIONAL} | _FOR_TESTS
    unused = [start for start, name in parts.items() if f"{RUNTIME}.{name}" not in imported]
    for file, (package, words) in _FOR_WORDS.items():
        has_word = any(word in content for content in (handler or {}).values() for word in words)
        if not has_word and f"{RUNTIME}.{package}" not in imported:
            unused.append(file)
    left_out = (_FOR_TYPES, *unused)
    return {
        f"{RUNTIME}/{name}": content
        for name, content in _runtime(Path(places[0])).items()
        if not name.startswith(left_out)
    }


@cache
def _runtime(folder: Path) -> dict[str, bytes]:
    return collect_tree(folder)
