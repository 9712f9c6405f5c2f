"""The options of `cdk-streams redrive` as a value, as the command line gave them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RedriveOptions"]


@dataclass(frozen=True, slots=True)
class RedriveOptions:
    """Exactly one of `queue` and `stack` is given; `only` are IDs, none for all."""

    queue: str | None = None
    rejects: bool = False
    stack: str | None = None
    consumer: str | None = None
    only: tuple[str, ...] = ()
    yes: bool = False
    limit: int = 100
    incomplete: bool = False
    show_data: bool = False
    quiet: bool = False
