"""What a handler may look like, for type checkers: nothing imports this file when a function runs.

A decorator returns the function it was given, so each of these is a type of its own: a handler of
Modify that is declared for Insert is an error before any record comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from lambda_runtime._batches.processing import ReportFailure, Take
from lambda_runtime._batches.tumbling_windows import Window
from lambda_runtime._changes.changes import Insert, Modify, Remove

__all__ = [
    "HandlesChange",
    "HandlesEnd",
    "HandlesInsert",
    "HandlesModify",
    "HandlesRemove",
    "HandlesWindow",
    "Observer",
    "State",
]

State = dict[str, Any]
# One of the three, so that a handler of any `Change` fits and a handler of all three does too.
_Any = Insert | Modify | Remove

HandlesChange = TypeVar(
    "HandlesChange", bound=Callable[[_Any], object] | Callable[[_Any, Any], object]
)
HandlesInsert = TypeVar(
    "HandlesInsert", bound=Callable[[Insert], object] | Callable[[Insert, Any], object]
)
HandlesModify = TypeVar(
    "HandlesModify", bound=Callable[[Modify], object] | Callable[[Modify, Any], object]
)
HandlesRemove = TypeVar(
    "HandlesRemove", bound=Callable[[Remove], object] | Callable[[Remove, Any], object]
)
HandlesWindow = TypeVar(
    "HandlesWindow",
    bound=Callable[[State, _Any], State] | Callable[[State, _Any, Window], State],
)
HandlesEnd = TypeVar(
    "HandlesEnd", bound=Callable[[State], object] | Callable[[State, Window], object]
)


class Observer(Protocol):
    """What sees one batch being handled, and may end it: `metrics`, `pause_on` and `trace`."""

    def function_of(self, name: str, function: Callable[..., object], /) -> Callable[..., object]:
        """Wrap the function of the route with this name."""

    def taking(self, take: Take, /, *, settles: bool) -> Take:
        """Wrap what takes one record; unless it `settles`, a batch route has yet to write it."""

    def reporting(self, report_failure: ReportFailure, /) -> ReportFailure:
        """Wrap what reports a failed record."""

    def end(self, answer: dict[str, Any] | None, /) -> None:
        """Learn what the function answers; None when it raises an error."""
