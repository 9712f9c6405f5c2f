"""How a run was set up, as far as its source knows: what a page shows beside its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol, runtime_checkable

from cdk_streams.mapping import MappingSettings

__all__ = ["NOTHING_KNOWN", "ConsumerSetup", "TimelineSetup", "setup_of"]


@dataclass(frozen=True, slots=True)
class ConsumerSetup:
    """A consumer's mapping and function; None is not known, or no limit."""

    name: str
    settings: MappingSettings
    timeout: timedelta | None = None
    reserved_concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class TimelineSetup:
    """What is known of a run; empty where it is not.

    `replay` is the command that runs it again, `tables` are those whose writes are on the timeline,
    `invariants` the names of what was checked.
    """

    consumers: tuple[ConsumerSetup, ...] = ()
    seed: int | str | None = None
    replay: str = ""
    tables: tuple[str, ...] = ()
    invariants: tuple[str, ...] = ()

    def consumer(self, name: str) -> ConsumerSetup | None:
        """Return the consumer of this name; None when its settings are not known."""
        return next((each for each in self.consumers if each.name == name), None)


NOTHING_KNOWN: Final = TimelineSetup()
"""The setup of a bare list of events."""


@runtime_checkable
class HasTimelineSetup(Protocol):
    """A `World`, a `Run`, or a recorder of a live run."""

    @property
    def timeline_setup(self) -> TimelineSetup:
        """How the run was set up."""
        ...


def setup_of(source: object) -> TimelineSetup:
    """Return how a run was set up; of a bare list of events nothing is known."""
    return source.timeline_setup if isinstance(source, HasTimelineSetup) else NOTHING_KNOWN
