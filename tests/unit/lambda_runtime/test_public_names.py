"""The face of the package: every name loads, and loading stays cheap for a cold start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import lambda_runtime

PACKAGE = Path(lambda_runtime.__file__).parent
# What a handler does not need to be decoded, and what would dominate its cold start.
HEAVY = "boto3 botocore dataclasses inspect typing re json logging datetime uuid enum asyncio email"


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement and had not before."""
    script = (
        f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    )
    # Without the site packages, whose start-up files import what they like.
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-S", "-c", script],
        cwd=PACKAGE.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(ran.stdout.split())


def test_importing_the_package_loads_nothing_but_itself() -> None:
    assert modules_after("import lambda_runtime") <= {"lambda_runtime", "__future__"}


def test_what_a_handler_imports_loads_nothing_heavy() -> None:
    loaded = modules_after("from lambda_runtime import Insert, Modify, Remove, Router, parse")

    assert "lambda_runtime._routing.router" in loaded
    assert loaded.isdisjoint(HEAVY.split())


def test_only_what_is_asked_for_is_loaded() -> None:
    loaded = modules_after("from lambda_runtime import decode")

    ours = {name for name in loaded if name.startswith("lambda_runtime.")}
    values = {"lambda_runtime._values.decoding", "lambda_runtime._values.numbers_as"}
    assert ours == {"lambda_runtime._values", *values}


@pytest.mark.parametrize("name", lambda_runtime.__all__)
def test_every_public_name_loads_and_is_listed(name: str) -> None:
    assert getattr(lambda_runtime, name) is getattr(lambda_runtime, name)
    assert name in dir(lambda_runtime)


def test_every_module_is_the_home_of_the_names_it_is_said_to_be() -> None:
    homes = lambda_runtime._HOMES

    named = [name for names in homes.values() for name in names.split()]
    assert sorted(named) == sorted(lambda_runtime.__all__)


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'lambda_runtime' has no attribute 'Ruoter'"):
        _ = lambda_runtime.Ruoter  # type: ignore[attr-defined]
