"""The files of a function's entry: a handler's file, or a folder with all that it needs.

What ships can be read by everyone who may read the function's code, and a stray file changes the
hash. `LEFT_OUT` is the one list of what never ships unless it is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from cdk_streams.constructs._bundle.gitignore import GitIgnore
from cdk_streams.errors import CodeError

__all__ = ["LEFT_OUT", "collect", "collect_tree", "is_named"]

LEFT_OUT: Final[Mapping[str, tuple[str, ...]]] = {
    "hidden files: .env, .aws, .ssh, .git, .hg, .svn, .idea, .vscode, .venv": (".*",),
    "keys and credentials": (
        *("*.env", "*.key", "*.pem", "*.p12", "*.pfx", "*.ppk", "*.jks", "*.keystore", "*.kdbx"),
        *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*"),
        *("credentials", "credentials.json", "credentials.csv", "*accesskeys.csv"),
        *("client_secret*.json", "service-account*.json", "service_account*.json"),
        *("*.tfstate", "*.tfstate.*", "*.tfvars"),
    ),
    "caches, packages and other tools' output": (
        *("__pycache__", "*.py[cod]", "*~", "*.egg-info", "node_modules", "venv", "cdk.out"),
    ),
}
"""Shell patterns of names in any case, by what they are; a file of Python source is never meant."""

# A folder with one of these is a virtual environment or a cloud assembly, whatever its name.
_MARKERS: Final = ("pyvenv.cfg", "cdk.out")
_CACHES: Final = ("__pycache__", "*.py[cod]")


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which files of an entry ship."""

    entry: Path
    exclude: Sequence[str]
    include: Sequence[str]
    assembly: Path | None
    ignored: GitIgnore
    real_entry: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "real_entry", self.entry.resolve())


def collect(
    entry: Path,
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
    assembly: Path | None = None,
) -> dict[str, bytes]:
    """Return the files of a handler: `{"audit.py": b"…"}` for a file, a folder's tree otherwise.

    Of a folder, what is in `LEFT_OUT`, what git ignores, virtual environments and cloud assemblies
    stay out. `exclude` and `include` are shell patterns of names or of paths in the folder:
    `"tests"`, `"config/*.env"`. What is excluded stays out; what is included ships in spite of
    those rules. Links inside the folder are followed.

    Raises:
        CodeError: The entry is not there, is no Python file, is a folder without files, or a
            link leads out of it.

    """
    if entry.is_file():
        if entry.suffix != ".py":
            raise CodeError(
                f"entry must be a Python file or a folder, got {str(entry)!r}; "
                "name the .py file that defines the handler"
            )
        return {entry.name: entry.read_bytes()}
    if not entry.is_dir():
        raise CodeError(
            f"entry must be a Python file or a folder, got {str(entry)!r}, which is not there; "
            f"relative paths start at {str(Path.cwd())!r}"
        )
    choice = _Choice(
        entry, exclude, include, assembly and assembly.resolve(), GitIgnore.above(entry)
    )
    found = {
        path.relative_to(entry).as_posix(): path.read_bytes()
        for path in _chosen(entry, choice, choice.ignored, within_left_out=False, above=())
    }
    if not found:
        raise CodeError(
            f"entry must hold the handler's files, got the empty folder {entry}; put the file that "
            "defines the handler into it, or name its folder"
        )
    return found


def collect_tree(folder: Path, exclude: Sequence[str] = ()) -> dict[str, bytes]:
    """Return all files of a folder of installed packages, but for caches and `exclude`."""
    patterns = (*_CACHES, *exclude)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(_matches(part, patterns) for part in path.relative_to(folder).parts)
    }


def _chosen(
    folder: Path,
    choice: _Choice,
    ignored: GitIgnore,
    *,
    within_left_out: bool,
    above: tuple[Path, ...],
) -> Iterator[Path]:
    """Yield the files of a folder that ship; `above` are the real folders that led here."""
    real = folder.resolve()
    if real in above or real == choice.assembly:
        return  # A link that leads back, or what this very synthesis writes.
    ignored = ignored.within(folder)
    for path in sorted(folder.iterdir()):
        place = path.relative_to(choice.entry).as_posix()
        if is_named(place, choice.exclude):
            continue
        is_included = is_named(place, choice.include)
        is_left_out = not is_included and (
            within_left_out or _is_left_out(path) or ignored.covers(path)
        )
        if path.is_dir():
            if not is_left_out or _named_inside(place, choice.include):
                _check_link(path, choice)
                yield from _chosen(
                    path,
                    choice,
                    # Inside of what is included, the rules that left it out do not hold.
                    GitIgnore() if is_included else ignored,
                    within_left_out=is_left_out,
                    above=(*above, real),
                )
        elif not is_left_out:
            _check_link(path, choice)
            if path.is_file():
                yield path


def _is_left_out(path: Path) -> bool:
    name = path.name.lower()
    if path.is_dir() and any((path / marker).is_file() for marker in _MARKERS):
        return True
    if name.endswith(".py") and not name.startswith("."):
        return False
    if not _matches(name, [each for patterns in LEFT_OUT.values() for each in patterns]):
        return False
    # Certificates of authorities are no secret, and TLS may need them.
    return not (name.endswith(".pem") and path.is_file() and _holds_certificates_only(path))


def _holds_certificates_only(path: Path) -> bool:
    content = path.read_bytes()
    return b"BEGIN CERTIFICATE" in content and b"PRIVATE KEY" not in content


def _check_link(path: Path, choice: _Choice) -> None:
    if path.is_symlink() and not path.resolve().is_relative_to(choice.real_entry):
        place = path.relative_to(choice.entry).as_posix()
        raise CodeError(
            f"entry must hold no link that leads out of it, got {place!r} in {str(choice.entry)!r} "
            f"to {str(path.resolve())!r}; copy what it links to, or pass exclude=[{place!r}]"
        )


def is_named(place: str, patterns: Sequence[str]) -> bool:
    """Say whether a pattern is that of a name or of a path in the entry."""
    name = place.rpartition("/")[2]
    return any(fnmatchcase(name, each) or fnmatchcase(place, each) for each in patterns)


def _named_inside(place: str, patterns: Sequence[str]) -> bool:
    """Say whether a pattern may name something inside of a folder."""
    return any(each.startswith(f"{place}/") for each in patterns)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
