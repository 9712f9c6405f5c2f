from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

PLUGIN = "cdk_streams.simulator.pytest_plugin"
SCENARIO = """
from cdk_streams.simulator import NO_FAULTS
import pytest

def run(world, most):
    orders = world.table("Orders")
    seen = []
    world.consumer("count", lambda event, _: seen.extend(event["Records"]), table=orders)
    for number in range(5):
        orders.put({"pk": str(number)})
    world.run()
    assert world.seed < most
"""


def _run(pytester: pytest.Pytester, body: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(test_orders=SCENARIO + body)
    return pytester.runpytest_inprocess("-p", PLUGIN, "-p", "no:cacheprovider", *arguments)


@pytest.fixture(autouse=True)
def _no_other_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


PLAIN = "def test_orders(stream_world): run(stream_world, most=3)"


def test_a_test_runs_once_for_each_of_five_seeds(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "def test_orders(stream_world): run(stream_world, most=5)", "-v")

    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["*test_orders[[]seed=4[]] PASSED*"])


def test_a_failing_test_shows_its_seed_its_command_and_its_timeline(
    pytester: pytest.Pytester,
) -> None:
    result = _run(pytester, PLAIN)

    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines([
        "*stream world*",
        "seed 3; to replay: pytest 'test_orders.py::test_orders[[]seed=3[]]' --stream-seed 3",
        "*Orders a #1*",
    ])  # fmt: skip


def test_the_command_replays_the_failing_seed_alone(pytester: pytest.Pytester) -> None:
    result = _run(pytester, PLAIN, "test_orders.py::test_orders[seed=3]", "--stream-seed", "3")

    result.assert_outcomes(failed=1)


def test_the_command_keeps_the_tests_own_parameters(pytester: pytest.Pytester) -> None:
    body = """
@pytest.mark.parametrize("most", [0, 9])
def test_orders(stream_world, most): run(stream_world, most)
"""
    result = _run(pytester, body, "--stream-seeds", "1")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["seed 0; to replay: pytest *test_orders[[]seed=0-0[]]*"])


def test_the_number_of_seeds_is_an_option_and_a_mark(pytester: pytest.Pytester) -> None:
    body = """
@pytest.mark.stream_world(seeds=2)
def test_orders(stream_world): run(stream_world, most=99)
"""
    _run(pytester, body).assert_outcomes(passed=2)
    _run(pytester, body, "--stream-seeds", "7").assert_outcomes(passed=7)


def test_a_mark_sets_the_faults(pytester: pytest.Pytester) -> None:
    body = """
@pytest.mark.stream_world(faults=NO_FAULTS)
def test_orders(stream_world):
    assert stream_world.faults is NO_FAULTS
"""
    _run(pytester, body, "--strict-markers").assert_outcomes(passed=5)


def test_failing_timelines_are_kept_as_pages(pytester: pytest.Pytester) -> None:
    _run(pytester, PLAIN, "--stream-timelines", "kept")

    kept = sorted(each.name for each in (pytester.path / "kept").iterdir())
    assert kept == ["test_orders_seed=3_.html", "test_orders_seed=4_.html"]


def test_tests_without_the_fixture_are_left_alone(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "def test_plain(): assert 0")

    result.assert_outcomes(failed=1)
    assert "stream world" not in result.stdout.str()


def test_the_plugin_loads_nothing_of_the_simulator_until_it_is_used() -> None:
    code = f"import sys, {PLUGIN}; print('cdk_streams.simulator._world' in sys.modules)"

    done = subprocess.run(  # noqa: S603 - this Python, with code from here
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"
