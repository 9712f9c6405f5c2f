from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_streams.simulator import NO_FAULTS, InvariantBroken, World, check, replay
from cdk_streams.simulator.__main__ import main
from cdk_streams.simulator._explore import replay_command

ROOT = Path(__file__).parents[3]
SCENARIOS = """
from cdk_streams.simulator import MappingSettings, World

SIZE = 5

def fine(world: World) -> None:
    orders = world.table("Orders", shards=2)
    world.consumer("audit", lambda event, context: None, table=orders)
    for number in range(20):
        orders.put({"pk": str(number % 7), "n": number})

def broken(world: World) -> None:
    orders = world.table("Orders", shards=3, ttl="until")
    stock = {}

    def handler(event, context):
        for record in event["Records"]:
            key = record["dynamodb"]["Keys"]["pk"]["S"]
            stock[key] = stock.get(key, 0) + 1
            if len(stock) > 9 and stock[key] > 3:
                raise ValueError(key)

    settings = MappingSettings(batch_size=5, bisect_batch_on_error=True, retry_attempts=2)
    world.consumer("stock", handler, table=orders, settings=settings)
    world.always(lambda: max(stock.values(), default=0) < 8, name="never eight of one")
    for number in range(60):
        orders.put({"pk": str(world.rng.integer(0, 11)), "n": number})
"""


def _bad(world: World) -> None:
    orders = world.table("Orders")
    orders.put({"pk": "1"})
    world.eventually(lambda: world.seed < 3, name="a small seed")


def test_check_stops_at_the_first_seed_that_fails() -> None:
    with pytest.raises(InvariantBroken) as broken:
        check(_bad, seeds=10)

    assert broken.value.seed == 3
    module = _bad.__module__
    assert broken.value.__notes__ == [
        f"seed 3; to replay: python -m cdk_streams.simulator {module}:_bad --seed 3"
    ]


def test_check_runs_the_seeds_it_is_given() -> None:
    seen: list[int] = []

    check(lambda world: seen.append(world.seed), seeds=[7, 2], faults=NO_FAULTS)

    assert seen == [7, 2]


def test_replay_returns_the_world_for_a_look_at_it() -> None:
    world = replay(_bad, seed=2)

    assert world.seed == 2
    assert [each.kind for each in world.timeline] == ["insert"]


def test_a_scenario_that_no_command_can_name_is_replayed_in_python() -> None:
    assert replay_command(lambda _: None, 4) == "replay(<lambda>, seed=4)"


@pytest.fixture
def scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "orders_scenarios.py").write_text(SCENARIOS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "orders_scenarios", raising=False)
    return tmp_path


def test_the_command_says_that_all_seeds_held(
    scenarios: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scenarios.is_dir()
    assert main(["orders_scenarios:fine", "--seeds", "4"]) == 0
    assert capsys.readouterr().out == "orders_scenarios:fine: 4 seed(s) held\n"


def test_the_command_draws_the_seed_it_is_given(
    scenarios: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["orders_scenarios:fine", "--seed", "3", "--no-faults", "--html", "run.html"]) == 0

    out = capsys.readouterr().out
    assert out.startswith("orders_scenarios:fine, seed 3\n")
    assert out.count("\n00:00:") > 20
    assert "orders_scenarios:fine, seed 3" in (scenarios / "run.html").read_text("utf-8")


def test_the_command_shows_the_run_that_failed(
    scenarios: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scenarios.is_dir()
    assert main(["orders_scenarios:broken", "--seeds", "30"]) == 1

    shown = capsys.readouterr()
    assert "never eight of one" in shown.out.splitlines()[-2]
    assert "to replay: python -m cdk_streams.simulator orders_scenarios:broken" in shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope:x"], "nope must be a module that can be imported here: No module named 'nope'"),
        (["orders_scenarios"], "a scenario must be named module:function, got 'orders_scenarios'"),
        (
            ["orders_scenarios:nope"],
            "orders_scenarios must have a function nope that takes",
        ),
        (
            ["orders_scenarios:SIZE"],
            "orders_scenarios must have a function SIZE that takes",
        ),
        (["orders_scenarios:fine", "--seeds", "0"], "--seeds must be 1 or more, got 0"),
        (["orders_scenarios:fine", "--html", "no/run.html"], "--html must be a file in a folder"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(
    arguments: list[str], message: str, scenarios: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scenarios.is_dir()
    assert main(arguments) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(message)
    assert shown.err.count("\n") == 1


def _pythons() -> list[str]:
    named = [shutil.which(f"python3.{minor}") for minor in range(11, 15)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    installed = [str(each) for each in sorted(pyenv.glob("3.1[1-4].*/bin/python"))]
    return [each for each in [*named, *installed] if each is not None]


def _version(python: str) -> str:
    """Return "3.12", or "" for a name behind which there is no Python."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run(  # noqa: S603 - a Python of this machine, with code from here
        [python, "-c", code], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _replayed(python: str, folder: Path) -> tuple[str, str]:
    """Replay a failing seed; return its timeline, and its error with the note."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "random"}
    command = ["-m", "cdk_streams.simulator", "orders_scenarios:broken", "--seed", "1"]
    done = subprocess.run(  # noqa: S603 - the same
        [python, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    return done.stdout, "\n".join(done.stderr.splitlines()[-2:])


def test_a_failing_seed_fails_at_the_same_line_on_every_python(scenarios: Path) -> None:
    others = {_version(python): python for python in _pythons()}
    others.pop("", None)
    others.pop(_version(sys.executable), None)
    here = _replayed(sys.executable, scenarios)

    assert "never eight of one' does not hold at" in here[1]
    for version, python in others.items():
        assert _replayed(python, scenarios) == here, f"Python {version} tells another story"
    if not others:
        pytest.skip("no other Python from 3.11 to 3.14 on this machine")
