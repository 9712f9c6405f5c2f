"""Updates of a mapping's settings while it runs: which are possible, and what changes."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from cdk_streams._argument_checks import check_instance
from cdk_streams.errors import SettingsError
from cdk_streams.mapping import MappingSettings

__all__ = ["check_update", "describe_update"]

_FIXED: Final = {
    "starting_position": "Lambda's UpdateEventSourceMapping has no such parameter",
    "parallelization_factor": "the simulator cannot spread the records under way anew",
    "tumbling_window": "the simulator cannot carry an open window over",
}


def check_update(before: MappingSettings, after: MappingSettings) -> None:
    """Refuse an update of what cannot change during a run.

    Raises:
        SettingsError: One that Lambda refuses, or that the simulator cannot make.
        SourceError: `after` is no `MappingSettings`.

    """
    check_instance("settings", after, MappingSettings, "write replace(settings, batch_size=…)")
    faults = [
        f"{name} must stay {old!r} during a run, got {new!r}: {_FIXED[name]}; add another consumer"
        for name, old, new in _changes(before, after)
        if name in _FIXED
    ]
    if faults:
        raise SettingsError(*faults)


def describe_update(before: MappingSettings, after: MappingSettings) -> str:
    """`batch_size 100 → 10, retry_attempts -1 → 3`."""
    return ", ".join(f"{name} {old} → {new}" for name, old, new in _changes(before, after))


def _changes(before: MappingSettings, after: MappingSettings) -> list[tuple[str, Any, Any]]:
    pairs = (
        (each.name, getattr(before, each.name), getattr(after, each.name))
        for each in fields(before)
    )
    return [(name, old, new) for name, old, new in pairs if old != new]
