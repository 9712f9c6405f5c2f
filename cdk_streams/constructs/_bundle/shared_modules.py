"""The project's own modules that a handler imports, so that shared code ships with each handler.

    handlers/audit.py: from handlers.common import retry   ->   handlers/common.py ships

An import that nothing will satisfy on Lambda is an error when the app is synthesized, not when
the first record arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from cdk_streams._managed_runtime import RUNTIME_PACKAGES, standard_library
from cdk_streams.constructs._bundle.entry_files import is_named
from cdk_streams.constructs._bundle.project import project_of
from cdk_streams.constructs._bundle.python_source import Import, PythonSource, read_source
from cdk_streams.constructs._bundle.runtime_package import RUNTIME
from cdk_streams.errors import CodeError

__all__ = ["add_shared_modules", "top_level_names"]


def add_shared_modules(
    files: dict[str, bytes],
    index: str,
    roots: Sequence[Path],
    packages: Iterable[str] = (),
    *,
    python: str,
    exclude: Sequence[str] = (),
    has_layers: bool = False,
    read: Callable[[bytes], PythonSource] = read_source,
) -> None:
    """Add the modules of the project that the handler imports, and those that they import.

    Args:
        files: The handler's files by their place in the asset; grows.
        index: The place of the handler's own file.
        roots: Where modules of the project are looked for, in that order.
        packages: Top-level names of the packages that ship with it.
        python: The function's Python: `"3.14"`.
        exclude: Shell patterns of names and places that do not ship.
        has_layers: Whether layers may hold further packages.
        read: Reads a file's source; one that keeps what it has read saves time.

    Raises:
        CodeError: Imports that neither the project, the packages, the standard library nor
            Lambda's Python runtime satisfies; or a module that is a link out of the project.

    """
    elsewhere = standard_library(python) | {*RUNTIME_PACKAGES, RUNTIME, *packages}
    modules = _Modules(files, roots, exclude, elsewhere, read)
    seen: set[str] = set()
    missing = [
        _shown(each, place)
        for place, each in _unsatisfied(modules, modules.files_of(_parts(index)) or [], seen)
        if _is_needed(each, is_index=place == index)
        and not (has_layers and modules.is_foreign(each))
    ]
    if missing:
        raise CodeError(
            f"every import of {index} must be satisfied by the project, requirements=, layers=, "
            f"the standard library or Lambda's Python runtime, got {', '.join(missing)}"
        )
    # Files beside it may be imported by name at run time; what they lack is no error.
    beside = [each for each in files if each.endswith(".py") and _folder(each) == _folder(index)]
    for _ in _unsatisfied(modules, beside, seen):
        pass


def _unsatisfied(
    modules: _Modules, start: list[str], seen: set[str]
) -> Iterator[tuple[str, Import]]:
    """Follow imports from some files on; yield each that nothing satisfies, with its file."""
    ahead = list(start)
    while ahead:
        place = ahead.pop()
        if place in seen:
            continue
        seen.add(place)
        for each in modules.imports(place):
            found = modules.of(each, place)
            ahead += found or ()
            if found is None:
                yield place, each


def _is_needed(statement: Import, *, is_index: bool) -> bool:
    """Say whether an import is surely run; in shared code, one in a function may never be."""
    return statement.where == "" or (statement.where == "function" and is_index)


def top_level_names(files: Iterable[str]) -> set[str]:
    """Return what can be imported from files: `fast/speed.so` and `plain.py` give both names."""
    return {name.split("/")[0].split(".")[0] for name in files}


class _Modules:
    """Finds the files of modules, among the files that ship and in the project."""

    def __init__(
        self,
        files: dict[str, bytes],
        roots: Sequence[Path],
        exclude: Sequence[str],
        elsewhere: frozenset[str],
        read: Callable[[bytes], PythonSource],
    ) -> None:
        self.files = files
        self._roots = roots
        self._exclude = exclude
        self._elsewhere = elsewhere
        self._read = read
        self._own = top_level_names(files)

    def imports(self, place: str) -> tuple[Import, ...]:
        """Return the imports of a file that ships."""
        return self._read(self.files[place]).imports

    def of(self, statement: Import, place: str) -> list[str] | None:
        """Return the files that an import of the file at `place` runs; None: there are none."""
        module = statement.module.split(".") if statement.module else []
        if statement.level:
            package = place.split("/")[:-1]
            if statement.level > len(package):
                return None
            module = package[: len(package) - statement.level + 1] + module
        elif module[0] not in self._own and module[0] in self._elsewhere:
            return []
        found = self.files_of(module)
        if found is None:
            return None
        for name in statement.names:
            found += self.files_of([*module, name]) or ()
        return found

    def is_foreign(self, statement: Import) -> bool:
        """Say whether an import is of no module of the project."""
        top = statement.module.split(".")[0]
        return not statement.level and top not in self._own and self._root_of(top) is None

    def files_of(self, module: list[str]) -> list[str] | None:
        """Return the files of a module and of the packages above it; add them where they ship."""
        name = "/".join(module)
        packages = [
            place
            for length in range(1, len(module) + 1)
            if self._has(place := "/".join([*module[:length], "__init__.py"]))
        ]
        if self._has(f"{name}.py"):
            return [*packages, f"{name}.py"]
        is_package = f"{name}/__init__.py" in packages
        if is_package or self._is_compiled_or_folder(name):
            return packages
        return None

    def _has(self, place: str) -> bool:
        """Say whether a file ships; one of the project is added."""
        if place in self.files:
            return True
        root = self._root_of(place.split("/", maxsplit=1)[0].removesuffix(".py"))
        if root is None or not (root / place).is_file() or is_named(place, self._exclude):
            return False
        _check_link(root / place)
        self.files[place] = (root / place).read_bytes()
        return True

    def _is_compiled_or_folder(self, name: str) -> bool:
        if any(each.startswith((f"{name}/", f"{name}.")) for each in self.files):
            return True
        root = self._root_of(name.split("/", maxsplit=1)[0])
        return root is not None and (root / name).is_dir()

    def _root_of(self, top: str) -> Path | None:
        """Return the folder of the project that holds a module or a package of Python files."""
        return next((root for root in self._roots if _is_module(root, top)), None)


def _is_module(root: Path, top: str) -> bool:
    if (root / f"{top}.py").is_file():
        return True
    folder = root / top
    return folder.is_dir() and next(_python_files(folder), None) is not None


def _python_files(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*.py")
    yield from folder.glob("*/*.py")


def _check_link(path: Path) -> None:
    if not path.resolve().is_relative_to(project_of(path).resolve()):
        raise CodeError(
            f"a module of the project must be no link out of it, got {str(path)!r} to "
            f"{str(path.resolve())!r}; copy it"
        )


def _parts(place: str) -> list[str]:
    return place.removesuffix(".py").split("/")


def _folder(place: str) -> str:
    return place.rpartition("/")[0]


def _shown(statement: Import, place: str) -> str:
    what = "." * statement.level + (statement.module or ", ".join(statement.names))
    is_lost = statement.level > place.count("/")
    why = "; no package is above it, so write an absolute import" if is_lost else ""
    return f"{what} ({place}, line {statement.line}{why})"
