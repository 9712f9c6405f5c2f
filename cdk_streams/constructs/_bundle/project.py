"""The folders of a project that its modules are imported from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["import_roots", "project_of"]

# What stands in the root of a project, the surest first: a function may have its own pyproject.
_ROOTS: Final = (".git", "cdk.json", "pyproject.toml", "setup.cfg")


def project_of(entry: Path) -> Path:
    """Return the root of the project that an entry belongs to: of its repository, or of its app.

    Without any sign of one it is the working directory when the entry is in it, and the entry's
    folder otherwise.
    """
    folder = _folder_of(entry)
    for name in _ROOTS:
        for each in (folder, *folder.parents):
            if (each / name).exists():
                return each
    return Path.cwd() if folder.is_relative_to(Path.cwd()) else folder


def import_roots(entry: Path) -> tuple[Path, ...]:
    """Return where an entry's imports are looked for: from its folder up to the project's root.

    The `src` folders of these come last.
    """
    folder, root = _folder_of(entry), project_of(entry)
    between = [each for each in (folder, *folder.parents) if each.is_relative_to(root)]
    sources = [each / "src" for each in between if (each / "src").is_dir()]
    return tuple(dict.fromkeys([*between, *sources]))


def _folder_of(entry: Path) -> Path:
    return entry.absolute() if entry.is_dir() else entry.absolute().parent
