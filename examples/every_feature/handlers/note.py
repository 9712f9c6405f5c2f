"""Print what happened to each item, and nothing of what it holds."""

from __future__ import annotations

from lambda_runtime import Change, Router

on = Router()


@on.default
def note(change: Change) -> None:
    """One line of the log a change."""
    print(type(change).__name__, change.sequence_number)


handler = on.handler
