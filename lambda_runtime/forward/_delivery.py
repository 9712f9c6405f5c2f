"""Sending entries: call after call, each answer matched entry by entry, up to the first failure.

Entries that a service refused for the moment are sent again at once, by themselves. When that does
not help, the batch ends: the response names the first record that was not accepted. Lambda delivers
it and everything behind it again, so that an event may arrive twice and is never lost.
"""

from __future__ import annotations

from lambda_runtime._batches.processing import Failure
from lambda_runtime.forward._entries import packed
from lambda_runtime.forward._errors import ForwardError, code_of
from lambda_runtime.forward._services import client, pause

__all__ = ["ATTEMPTS", "Refusal", "deliver"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Protocol

    from lambda_runtime.forward._entries import Entry, Limits
    from lambda_runtime.forward._events import Event

    class Target(Protocol):
        """A service as a forwarder sees it; `keeps_order` is that of an item's events."""

        service: str
        operation: str
        limits: Limits
        keeps_order: bool

        def overhead_bytes(self, event: Event) -> int:
            """Return what the service counts for an event besides its text."""

        def send(self, client: Any, entries: Sequence[Entry]) -> dict[int, Refusal]:
            """Make one call; return why entries were refused, by their place in the call."""


ATTEMPTS = 3
"""How often an entry is sent before its record counts as failed."""
_FIRST_PAUSE_S = 0.1


class Refusal:
    """Why a service did not accept an entry: its error code. `final`: it never will."""

    __slots__ = ("code", "final")

    def __init__(self, code: str, *, final: bool = False) -> None:
        self.code = code
        self.final = final


def deliver(
    entries: Iterable[Entry], target: Target, near: Callable[[], bool] | None
) -> Failure | None:
    """Send entries in order; give the first record that was not accepted.

    Args:
        entries: The entries of a batch, in the order of their records; made as they are sent.
        target: Where they go.
        near: Tells whether the function's deadline is near; None when there is none.
    """
    for call in packed(entries, target.limits, apart=target.keeps_order):
        if near is not None and near():
            return Failure(call[0].position, None, None)
        failure = _delivered(call, target, near)
        if failure is not None:
            return failure
    return None


def _delivered(
    call: Sequence[Entry], target: Target, near: Callable[[], bool] | None
) -> Failure | None:
    """Send the entries of one call until all are accepted, or attempts or time are used up."""
    left, code = list(call), ""
    for attempt in range(ATTEMPTS):
        if attempt:
            if near is not None and near():
                break
            pause(_FIRST_PAUSE_S * 2 ** (attempt - 1))
        try:
            refused = target.send(client(target.service), left)
        except Exception as error:  # noqa: BLE001 - whatever a call raises, its entries are not accepted
            return _failure(left[0], target, code_of(error), error)
        left = [left[place] for place in sorted(refused)]
        if not left:
            return None
        code = refused[min(refused)].code
        if any(refusal.final for refusal in refused.values()):
            break
    return _failure(left[0], target, code, None)


def _failure(entry: Entry, target: Target, code: str, cause: Exception | None) -> Failure:
    error = ForwardError(f"{target.operation} did not accept the event of a record: {code}")
    if not hasattr(cause, "response"):
        # Not that of a service: its message may quote an item's key.
        error.__cause__ = cause
    return Failure(entry.position, error, target.operation)
