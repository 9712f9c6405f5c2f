"""What goes wrong in a world, and how often; when it does is drawn from the world's seed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from cdk_streams.errors import SettingsError
from cdk_streams.simulator._engine.rng import Rng

__all__ = ["NO_FAULTS", "CallFault", "Faults", "draw_call_fault", "strikes_calls"]

_OF_CALLS: Final = ("throttle", "crash", "timeout", "duplicate", "slow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Probabilities from 0 (never) to 1 (always).

    Args:
        crash: Of each call: the function fails, half of the times after its work was done.
        timeout: Of each call: the function runs into its timeout, half of the times after its
            work was done.
        throttle: Of each call: Lambda has no capacity and does not call the function.
        slow: Of each call: it takes up to a fifth more than its timeout. The time passes as the
            handler goes from one record of the event to the next: one that looks at its context's
            clock can stop in time, another one is stopped where it stands. For a handler that
            goes over none, it passes when it returns.
        duplicate: Of each call: the function succeeds and the poller's host is replaced before
            the checkpoint is stored, so that the records come again.
        destination_denied: Of each failure record: the destination refuses it, so it is lost.
        shard_change: Of each write: a shard splits, merges with a neighbour, or is continued.
        late_start: Of each consumer: it begins up to a minute after the first write.

    """

    crash: float = 0.05
    timeout: float = 0.02
    throttle: float = 0.05
    slow: float = 0.05
    duplicate: float = 0.03
    destination_denied: float = 0.05
    shard_change: float = 0.02
    late_start: float = 0.3

    def __post_init__(self) -> None:
        """Refuse what is no probability; all of them in one `SettingsError`."""
        wrong = [
            f"{each.name} must be a probability from 0 to 1, got {value!r}"
            for each in fields(self)
            if not _is_probability(value := getattr(self, each.name))
        ]
        if wrong:
            raise SettingsError(*wrong)


def _is_probability(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


NO_FAULTS: Final = Faults(
    crash=0,
    timeout=0,
    throttle=0,
    slow=0,
    duplicate=0,
    destination_denied=0,
    shard_change=0,
    late_start=0,
)
"""A world in which nothing goes wrong but what the handlers do."""


@dataclass(frozen=True, slots=True)
class CallFault:
    """What happens to one call of a function.

    `name` is "", or the `Faults` attribute that struck. `runs`: the handler does its work.
    `slowness`: how many of its timeouts a slow call takes, 0 for the usual duration.
    """

    name: str = ""
    runs: bool = True
    slowness: float = 0.0


def strikes_calls(faults: Faults) -> bool:
    """Whether any call can meet a fault at all."""
    return any(getattr(faults, name) for name in _OF_CALLS)


def draw_call_fault(faults: Faults, rng: Rng) -> CallFault:
    """Draw what happens to the next call; it takes the same number of draws whatever they say."""
    struck = [name for name in _OF_CALLS if rng.chance(getattr(faults, name))]
    done_before = rng.chance(0.5)
    slowness = rng.between(0.3, 1.2)
    name = struck[0] if struck else ""
    if name == "throttle":
        return CallFault(name, runs=False)
    if name in {"crash", "timeout"}:
        return CallFault(name, runs=done_before)
    if name == "slow":
        return CallFault(name, slowness=slowness)
    return CallFault(name)
