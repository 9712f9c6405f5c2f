"""docs/runtime.md: each of its Python blocks runs as it stands, after those above it."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from lambda_runtime import Router
from lambda_runtime._batches import log_lines

PAGE = Path(__file__).parents[3] / "docs" / "runtime.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")  # boto3 asks for one, and calls nothing.


def executed(count: int) -> dict[str, Any]:
    """The names that the first `count` blocks leave behind."""
    names: dict[str, Any] = {"__name__": "page"}
    for block in BLOCKS[:count]:
        if "aws_lambda_powertools" not in block or "aws_lambda_powertools" in sys.modules:
            code = compile(block, str(PAGE), "exec", dont_inherit=True)
            exec(code, names)  # noqa: S102 - our own page
    return names


@pytest.mark.usefixtures("_region")
@pytest.mark.parametrize("number", range(1, len(BLOCKS) + 1))
def test_every_python_block_runs(number: int) -> None:
    if "aws_lambda_powertools" in BLOCKS[number - 1]:
        pytest.importorskip("aws_lambda_powertools", reason="Powertools is no dependency of ours")
    executed(number)


@pytest.mark.usefixtures("_region")
def test_the_first_router_of_the_page_routes_as_the_page_says(
    make_record: Any,
) -> None:
    first = next(at for at, block in enumerate(BLOCKS, start=1) if "def anything_else" in block)
    names = executed(first)

    order = make_record(
        keys={"pk": {"S": "ORDER#1"}, "sk": {"S": "META"}}, new={"total": {"N": "1"}}
    )
    assert names["handler"]({"Records": [order]}) == {"batchItemFailures": []}


def test_every_setting_of_a_router_and_every_log_line_is_on_the_page() -> None:
    page = PAGE.read_text()
    for name in inspect.signature(Router).parameters:
        assert f"`{name}`" in page or f"{name}=" in page, f"{name} of Router is not on the page"
    for line in re.findall(r'"((?:stream|window) [a-z ]+)"', inspect.getsource(log_lines)):
        assert f"`{line}`" in page, f"the log line {line!r} is not on the page"
