"""The entry of a function whose handler ships with the constructs, with a user's file beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from constructs import Construct

from cdk_streams.constructs._bundle import staging
from cdk_streams.constructs._bundle.python_source import read_source
from cdk_streams.constructs._registry import placement_of
from cdk_streams.errors import SettingsError, SourceError

__all__ = ["UserFunction", "shipped_entry", "user_function"]

_HANDLERS: Final = Path(__file__).parents[1] / "_handlers"


class UserFunction(NamedTuple):
    """A function in a Python file of the user: `handlers/shape.py:shape`."""

    file: Path
    name: str

    @property
    def imported_as(self) -> str:
        """`module:function`, as the shipped handler imports it: `shape:shape`."""
        return f"{self.file.stem}:{self.name}"


def user_function(option: str, given: object) -> UserFunction:
    """Read `file.py:function`; `option` is the argument's name for the error.

    Raises:
        SourceError: It names no Python file, or one that does not define the name.

    """
    path, _, name = given.rpartition(":") if isinstance(given, str) else ("", "", "")
    file = Path(path)
    if not name.isidentifier() or file.suffix != ".py" or not file.is_file():
        raise SourceError(
            f"{option} must be a Python file and a name that it defines, as in "
            f"'handlers/shape.py:shape', got {given!r}; relative paths start at {str(Path.cwd())!r}"
        )
    defined = read_source(file.read_bytes()).names
    if defined is not None and name not in defined:
        raise SourceError(
            f"{option} must name something that {path} defines, got {name!r}; define it there"
        )
    return UserFunction(file, name)


def options_of_function(given: Any) -> dict[str, Any]:
    """Return `function_options` as a dict of their own; None is an empty one.

    Raises:
        SettingsError: They are no dict.

    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise SettingsError(
            f"function_options must be a dict of options of StreamFunction, got "
            f"{type(given).__name__}; write {{'memory_size': 1024}}"
        )
    return dict(given)


def shipped_entry(scope: Construct, name: str, *users: UserFunction | None) -> Path:
    """Return the folder with the shipped handler `{name}.py` and the user's files, as an entry.

    Raises:
        SourceError: Two of the files have one name, or the scope is in no App.

    """
    assembly = placement_of(scope).asset_folder
    if assembly is None:
        raise SourceError(
            "a function must stand in an App or Stage, got a scope in neither; create its Stack "
            "with an App as the scope"
        )
    files = {f"{name}.py": (_HANDLERS / f"{name}.py").read_bytes()}
    for user in filter(None, users):
        if user.file.name in files:
            raise SourceError(
                f"the files of a function must have different names, got {user.file.name} twice "
                f"(one may be the library's own {name}.py); rename yours"
            )
        files[user.file.name] = user.file.read_bytes()
    folder = assembly / "cdk-streams" / f"entry-{staging.fingerprint(files)}"
    staging.write(files, folder)
    return folder
