"""What git ignores, by the `.gitignore` files alone; git itself need not be there.

https://git-scm.com/docs/gitignore
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

__all__ = ["GitIgnore"]

_NAME = ".gitignore"


@dataclass(frozen=True, slots=True)
class GitIgnore:
    """The rules that hold in a folder, those of the deepest folder last."""

    rules: tuple[tuple[Path, GitIgnoreSpec], ...] = ()

    @classmethod
    def above(cls, entry: Path) -> Self:
        """Return the rules of the folders above an entry, up to the repository's root.

        An entry that is ignored itself, such as `build/handler`, was named all the same: the rules
        above it do not hold there.
        """
        folders = _up_to_repository(entry.absolute())
        rules = cls()
        for folder in folders:
            rules = rules.within(folder)
        covered = any(rules.covers(folder) for folder in [*folders[1:], entry.absolute()])
        return cls() if covered else rules

    def within(self, folder: Path) -> Self:
        """Return the rules with those of a folder's own file."""
        file = folder / _NAME
        if not file.is_file():
            return self
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        return type(self)((*self.rules, (folder.absolute(), _rules(lines))))

    def covers(self, path: Path) -> bool:
        """Say whether the rules ignore a file or a folder; the deepest rule about it decides."""
        absolute = path.absolute()
        for folder, rules in reversed(self.rules):
            if absolute.is_relative_to(folder) and absolute != folder:
                place = absolute.relative_to(folder).as_posix()
                said = rules.check_file(f"{place}/" if path.is_dir() else place).include
                if said is not None:
                    return said
        return False


def _up_to_repository(entry: Path) -> list[Path]:
    """Return the folders above an entry, the repository's root first; none outside of one."""
    above = list(entry.parents)
    for at, folder in enumerate(above):
        if (folder / ".git").exists():
            return above[at::-1]
    return []


def _rules(lines: list[str]) -> GitIgnoreSpec:
    """Return the rules of a file; a line that is no pattern, such as `!`, is passed over by git."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - most functions are one file

    def is_pattern(line: str) -> bool:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            return False
        return True

    return GitIgnoreSpec.from_lines(filter(is_pattern, lines))
