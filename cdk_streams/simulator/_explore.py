"""Many seeds of one scenario: `check` looks for one that fails, `replay` runs it again.

A scenario is a function that takes a world, adds tables and consumers, and writes to them:

    def stock_follows_orders(world: World) -> None:
        orders = world.table("Orders", keys="order_id")
        world.consumer("inventory", handler, table=orders)
        world.always(lambda: lowest() >= 0, name="stock is never negative")
        orders.put({"order_id": "o-1"})

    check(stock_follows_orders, seeds=50)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from cdk_streams._argument_checks import whole_number
from cdk_streams.errors import SourceError
from cdk_streams.simulator._engine.process_state import ProcessState
from cdk_streams.simulator._faults import Faults
from cdk_streams.simulator._world import World

__all__ = ["Scenario", "check", "replay", "replay_command"]

Scenario: TypeAlias = Callable[[World], Any]


def check(
    scenario: Scenario, *, seeds: int | Iterable[int] = 20, faults: Faults | None = None
) -> None:
    """Run a scenario to rest under each seed; stop at the first that fails.

    Args:
        scenario: Adds tables and consumers to a world and writes; the rest is run after it.
        seeds: How many, from 0 on, or which; at least one.
        faults: How often things go wrong; left out, `Faults()`.

    Raises:
        SourceError: There is no seed to run, which would hold whatever the scenario does.
        Exception: What the scenario or an invariant raised, with a note that has the seed and the
            command to replay it.

    """
    if isinstance(seeds, Iterable) and not isinstance(seeds, (str, bytes)):
        chosen = [whole_number("each of seeds", each, 0) for each in seeds]
    else:
        chosen = list(range(whole_number("seeds", seeds, 1)))
    if not chosen:
        raise SourceError("seeds must name one seed or more, got none; write seeds=20")
    with ProcessState():
        for seed in chosen:
            replay(scenario, seed=seed, faults=faults)


def replay(scenario: Scenario, *, seed: int, faults: Faults | None = None) -> World:
    """Run a scenario to rest under one seed and return its world, for a look at it.

    Raises:
        Exception: As for `check`; the world of a failed run is the error's `world`.

    """
    world = World(seed, faults=faults, replay=replay_command(scenario, seed))
    try:
        with ProcessState(), world:
            scenario(world)
            world.run()
    except Exception as error:
        error.world = world  # type: ignore[attr-defined]
        raise
    return world


def replay_command(scenario: Scenario, seed: int) -> str:
    """Return what to type to run this seed again."""
    module, name = scenario.__module__, scenario.__qualname__
    if "<" in name or module == "__main__":
        return f"replay({scenario.__name__}, seed={seed})"
    return f"python -m cdk_streams.simulator {module}:{name} --seed {seed}"
