"""What must hold in a world: always, or by the end of its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cdk_streams.errors import SourceError
from cdk_streams.simulator._engine.state import SimulationState
from cdk_streams.simulator._timeline.events import clock_text

__all__ = ["Invariant", "InvariantBroken", "check_invariant"]


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
    """What must hold, and its name."""

    name: str
    predicate: Callable[[], Any]

    def __post_init__(self) -> None:
        """Refuse a value in place of a function: it would hold, or break, once and for all."""
        if not callable(self.predicate):
            raise SourceError(
                f"the predicate of {self.name!r} must be a function without arguments, got "
                f"{self.predicate!r}; write lambda: ..."
            )


def check_invariant(invariant: Invariant, state: SimulationState, seed: int) -> None:
    """Ask whether the invariant holds, and say in the log when it does not.

    A predicate fails by returning something false, though not None, or by an assertion of its
    own. None counts as holding, so that a function of plain asserts will do.

    Raises:
        InvariantBroken: It does not hold.

    """
    why = _failure_of(invariant)
    if why is None:
        return
    state.note("broken", "", detail=f"{invariant.name}: {why}")
    line, at = len(state.timeline), clock_text(state.since_start_ms)
    raise InvariantBroken(
        f"{invariant.name!r} does not hold at {at}, line {line} of the timeline: {why}",
        name=invariant.name,
        seed=seed,
        line=line,
    )


def _failure_of(invariant: Invariant) -> str | None:
    try:
        answer = invariant.predicate()
    except AssertionError as error:
        return str(error) or "an assertion failed"
    return None if answer is None or answer else f"it gave {answer!r}"
