"""Compiling of Python sources in memory, imported here and run as a script by other Pythons.

As a script it reads `{"rules/tax.py": "<source in base64>"}` and prints
`{"rules/tax.py": ["rules/__pycache__/tax.cpython-314.pyc", "<in base64>"]}`.
It imports the standard library alone, and runs on every Python that Lambda has.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import marshal
import sys
import warnings
from collections.abc import Mapping

__all__ = ["compile_sources"]

# The path that Lambda unpacks a function to: a path that agrees need not be corrected at import.
_TASK_ROOT = "/var/task"
# The flags of a compiled file that is recognized by its source's hash, which nobody checks.
_UNCHECKED_HASH = 0b01


def compile_sources(sources: Mapping[str, bytes]) -> dict[str, tuple[str, bytes]]:
    """Return place and content of each compiled file, by the place of its source.

    What this Python cannot compile is left out: a folder may hold files for other versions.
    """
    made = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # A linter's matter, and Python has none when it imports.
        for place, source in sources.items():
            try:
                path = f"{_TASK_ROOT}/{place}"
                code = compile(source, path, "exec", dont_inherit=True, optimize=0)
            except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
                continue
            header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little")
            content = header + importlib.util.source_hash(source) + marshal.dumps(code)
            made[place] = (importlib.util.cache_from_source(place, optimization=""), content)
    return made


if __name__ == "__main__":
    told = {place: base64.b64decode(text) for place, text in json.load(sys.stdin).items()}
    json.dump(
        {
            place: (name, base64.b64encode(content).decode())
            for place, (name, content) in compile_sources(told).items()
        },
        sys.stdout,
    )
