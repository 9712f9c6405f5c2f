"""Runs scenarios from the command line: `python -m cdk_streams.simulator module:scenario`.

Exit status 0: every seed held. 1: one failed; its timeline, error and seed are printed. 2: the
command line is wrong; a sentence says why.
"""

from __future__ import annotations

import argparse
import logging
import sys
import traceback
from importlib import import_module
from pathlib import Path

from cdk_streams.errors import SourceError
from cdk_streams.simulator._explore import Scenario, replay
from cdk_streams.simulator._faults import NO_FAULTS
from cdk_streams.simulator._timeline.html import timeline_html
from cdk_streams.simulator._timeline.text import timeline
from cdk_streams.simulator._world import World


def main(arguments: list[str] | None = None) -> int:
    """Run the scenario under one seed or many; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        scenario = _load(options.scenario)
        _check(options)
    except SourceError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    before = logging.root.manager.disable
    if options.seed is None:
        # Handlers log their failures, and under faults they fail all the time.
        logging.disable(logging.CRITICAL)
    try:
        return _run(scenario, options)
    finally:
        logging.disable(before)


def _run(scenario: Scenario, options: argparse.Namespace) -> int:
    seeds = [options.seed] if options.seed is not None else range(options.seeds)
    faults = NO_FAULTS if options.no_faults else None
    for seed in seeds:
        try:
            world = replay(scenario, seed=seed, faults=faults)
        except Exception as error:  # noqa: BLE001 - whatever a scenario raises is its result
            world = getattr(error, "world", None) or World(seed)
            _show(world, options, drawn=True)
            traceback.print_exception(error)
            return 1
        _show(world, options, drawn=options.seed is not None)
    sys.stdout.write(f"{options.scenario}: {len(seeds)} seed(s) held\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cdk_streams.simulator",
        description="Run a scenario under faults drawn from a seed.",
    )
    parser.add_argument("scenario", help="module:function that takes a World")
    parser.add_argument("--seed", type=int, help="run this seed alone and draw its timeline")
    parser.add_argument("--seeds", type=int, default=20, help="how many, from 0 (default 20)")
    parser.add_argument("--no-faults", action="store_true", help="let only handlers fail")
    parser.add_argument("--html", type=Path, metavar="FILE", help="draw the last run as a page")
    return parser


def _check(options: argparse.Namespace) -> None:
    """Refuse a command line that would fail after the run."""
    if options.seeds < 1:
        raise SourceError(f"--seeds must be 1 or more, got {options.seeds}")
    if options.html is not None and not options.html.absolute().parent.is_dir():
        raise SourceError(f"--html must be a file in a folder that is there, got {options.html}")


def _load(name: str) -> Scenario:
    """Import a scenario by its name.

    Raises:
        SourceError: There is none of this name.

    """
    module, _, function = name.partition(":")
    if not module or not function:
        raise SourceError(f"a scenario must be named module:function, got {name!r}")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = import_module(module)
    except ImportError as error:
        raise SourceError(f"{module} must be a module that can be imported here: {error}") from None
    scenario = getattr(found, function, None)
    if not callable(scenario):
        raise SourceError(f"{module} must have a function {function} that takes a World, got none")
    loaded: Scenario = scenario
    return loaded


def _show(world: World, options: argparse.Namespace, *, drawn: bool) -> None:
    title = f"{options.scenario}, seed {world.seed}"
    if drawn:
        sys.stdout.write(timeline(world, title=title) + "\n")
    if options.html is not None:
        options.html.write_text(timeline_html(world, title=title), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
