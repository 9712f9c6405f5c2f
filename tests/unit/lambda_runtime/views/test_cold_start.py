"""What a function loads before its first call: routes of batches and views only where asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lambda_runtime

ROOT = Path(lambda_runtime.__file__).parents[1]
# json and what it loads are there already: Lambda's own runtime client reads the event with it.
DEAR = {"boto3", "botocore", "dataclasses", "inspect", "typing", "logging", "uuid", "asyncio"}


def loaded_by(script: str) -> set[str]:
    """The modules that a fresh interpreter has after a script, without the site packages."""
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-S", "-c", f"{script}\nimport sys; print(*sys.modules)"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(ran.stdout.split())


PLAIN = """
from lambda_runtime import Router
on = Router()
on.insert(lambda change: None)
on.handler({"Records": []})
"""


def test_a_plain_handler_loads_nothing_of_batch_routes_or_views() -> None:
    loaded = loaded_by(PLAIN)

    assert "lambda_runtime._routing.batch_routes" not in loaded
    assert "lambda_runtime._batches.concurrency" not in loaded
    assert not {name for name in loaded if name.startswith("lambda_runtime.views")}


def test_a_latest_route_loads_no_views() -> None:
    loaded = loaded_by(f"{PLAIN}\non.latest(lambda change: None)")

    assert "lambda_runtime._routing.batch_routes" in loaded
    assert not {name for name in loaded if name.startswith("lambda_runtime.views")}


def test_a_view_s_handler_loads_nothing_dear_before_its_first_call() -> None:
    loaded = loaded_by("from lambda_runtime.views import view_handler; handler = view_handler()")

    assert loaded.isdisjoint(DEAR)
