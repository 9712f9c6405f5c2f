"""The options of `cdk-streams local` as a value, as the command line gave them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["LocalOptions"]


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """`cdk` is the words that start the cdk command; `retries` None: as deployed."""

    folder: Path
    cdk: tuple[str, ...]
    region: str
    command: str | None
    keep: bool
    allow_failures: bool
    calls: bool
    timeline: Path | None
    time_scale: float = 1
    retries: int | None = None
    quiet: bool = False
