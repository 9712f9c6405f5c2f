"""The pytest plugin: fixtures for stream consumers' tests, and seeds on the command line.

`stream_world` is a fresh `World` for each of a number of seeds:

    def test_stock_is_never_negative(stream_world):
        orders = stream_world.table("Orders", keys="order_id")
        ...
        stream_world.run()

`--stream-seeds 100` looks further than the usual five; `--stream-seed 17` replays one. A failing
test prints its seed, the command that replays it and the end of its timeline; with
`--stream-timelines FOLDER` it leaves the whole timeline there as an HTML page.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import pytest

# Its names are loaded when a test needs them: every pytest run of every project that has this
# plugin installed pays for what is imported here.
from cdk_streams import simulator

__all__ = ["stream_world"]

_FIXTURE = "stream_world"
_USUAL_SEEDS = 5
_LINES_SHOWN = 60
_MARKER = (
    "stream_world(faults=…, seeds=…): the faults of the test's worlds, and how many seeds it runs"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all in one group."""
    group = parser.getgroup("stream simulator")
    group.addoption("--stream-seed", type=int, metavar="SEED", help="run this one seed")
    group.addoption("--stream-seeds", type=int, metavar="COUNT", help="run so many seeds, from 0")
    group.addoption("--stream-timelines", metavar="FOLDER", help="keep failing timelines as HTML")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes the fixture once for each seed."""
    if _FIXTURE not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker(_FIXTURE)
    marked = marker.kwargs.get("seeds") if marker else None
    one, many = (metafunc.config.getoption(f"--stream-seed{end}") for end in ("", "s"))
    count = many or marked or _USUAL_SEEDS
    seeds = range(count) if one is None else [one]
    metafunc.parametrize(_FIXTURE, seeds, indirect=True, ids=[f"seed={seed}" for seed in seeds])


@pytest.fixture
def stream_world(request: pytest.FixtureRequest) -> simulator.World:
    """A fresh world; `@pytest.mark.stream_world(faults=NO_FAULTS)` says what goes wrong in it."""
    marker = request.node.get_closest_marker(_FIXTURE)
    faults: simulator.Faults | None = marker.kwargs.get("faults") if marker else None
    seed: int = request.param
    # The option makes the same test id, so that it picks one test and its other parameters.
    replay = f"pytest '{request.node.nodeid}' --stream-seed {seed}"
    return simulator.World(seed, faults=faults, replay=replay)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the seed, the command and the timeline to a failing test's report."""
    report = yield
    world = getattr(item, "funcargs", {}).get(_FIXTURE)
    if report.when == "call" and report.failed and world is not None:
        text = f"seed {world.seed}; to replay: {world.replay}\n\n{_last_lines(world)}"
        report.sections.append(("stream world", text))
        _keep(item, world)
    return report


def _last_lines(world: simulator.World) -> str:
    lines = simulator.timeline(world).splitlines()
    head = len(lines) - len(world.timeline)
    left_out = len(world.timeline) - _LINES_SHOWN
    if left_out <= 0:
        return "\n".join(lines)
    return "\n".join([*lines[:head], f"… {left_out} lines", *lines[-_LINES_SHOWN:]])


def _keep(item: pytest.Item, world: simulator.World) -> None:
    folder = item.config.getoption("--stream-timelines")
    if folder:
        name = re.sub(r"[^A-Za-z0-9_.=-]+", "_", item.name)
        Path(folder).mkdir(parents=True, exist_ok=True)
        page = simulator.timeline_html(world, title=f"{item.name}")
        (Path(folder) / f"{name}.html").write_text(page, encoding="utf-8")
