"""The options of each subcommand as a value, as the command line gave them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["LocalOptions", "RedriveOptions"]


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """The options of `cdk-streams local`; `cdk` is the words that start the cdk command."""

    folder: Path
    cdk: tuple[str, ...]
    region: str
    command: str | None
    keep: bool
    allow_failures: bool
    calls: bool
    timeline: Path | None


@dataclass(frozen=True, slots=True)
class RedriveOptions:
    """The options of `cdk-streams redrive`; exactly one of `queue` and `stack` is given."""

    queue: str | None = None
    stack: str | None = None
    consumer: str | None = None
    yes: bool = False
    limit: int = 100
    incomplete: bool = False
    show_data: bool = False
