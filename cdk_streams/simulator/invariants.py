"""What must hold in a world: always, or by the end of its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Invariant", "InvariantBroken", "failure_of"]


class InvariantBroken(AssertionError):  # noqa: N818 - reads as what happened, as pytest shows it
    """An invariant of a world does not hold.

    `name` is the invariant's, `seed` the world's; `line` counts the timeline's lines up to here,
    so that two runs of one seed can be compared.
    """

    def __init__(self, message: str, *, name: str, seed: int, line: int) -> None:
        super().__init__(message)
        self.name = name
        self.seed = seed
        self.line = line


@dataclass(frozen=True, slots=True)
class Invariant:
    """A predicate and its name; `by_ms` is when an eventual one must hold, None at the end."""

    name: str
    predicate: Callable[[], Any]
    by_ms: int | None = None


def failure_of(invariant: Invariant) -> str | None:
    """Return why the invariant does not hold; None when it holds.

    A predicate fails by returning something false, though not None, or by an assertion of its
    own. None counts as holding, so that a function of plain asserts will do.
    """
    try:
        answer = invariant.predicate()
    except AssertionError as error:
        return str(error) or "an assertion failed"
    return None if answer is None or answer else f"it gave {answer!r}"
