"""examples/pydantic_models: orders that fit, orders that do not, and the wheels that ship."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_lambda as lambda_

from cdk_streams.simulator import from_template
from examples.pydantic_models.app import PydanticModelsStack
from examples.pydantic_models.handlers import ship

LINES = [{"sku": "tea", "count": 2}]
GOOD = {"order_id": "o-1", "total": Decimal("9.9"), "lines": LINES}
WRONG = {"order_id": "o-0", "total": Decimal("9.9"), "lines": [{"sku": "tea", "count": 0}]}


@pytest.fixture
def example(app: cdk.App) -> PydanticModelsStack:
    return PydanticModelsStack(app, "PydanticModels")


def compiled_part(assembly: Path) -> str:
    (found,) = assembly.glob("asset.*/pydantic_core/*.so")
    return found.name


def test_an_order_that_does_not_fit_is_rejected_and_the_next_one_is_shipped(
    example: PydanticModelsStack,
    template_of: Callable[..., assertions.Template],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rejected: list[str] = []
    monkeypatch.setattr(ship.on, "_on_reject", rejected.append)
    world = from_template(template_of(example).to_json(), {"ShipFunction": ship.handler})
    consumer = world.consumers["ShipFunction"]

    consumer.table.put(WRONG)
    consumer.table.put(GOOD)
    world.run()

    assert "Order o-1: 2 of tea" in capsys.readouterr().out.splitlines()
    (message,) = map(json.loads, rejected)
    assert "lines[0].count" in message["reason"]
    assert consumer.records("failed") == []


def test_the_wheel_for_lambda_ships_whatever_machine_this_is(
    example: PydanticModelsStack, tmp_path: Path
) -> None:
    assert example.node.try_find_child("ShipFunction") is not None
    assert compiled_part(tmp_path / "cdk.out").endswith(".cpython-314-aarch64-linux-gnu.so")


def test_the_wheel_follows_runtime_and_architecture(app: cdk.App, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "runtime": lambda_.Runtime.PYTHON_3_12,
        "architecture": lambda_.Architecture.X86_64,
    }
    PydanticModelsStack(app, "PydanticModels", **options)
    assert compiled_part(tmp_path / "cdk.out").endswith(".cpython-312-x86_64-linux-gnu.so")
