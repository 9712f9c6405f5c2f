"""examples/shared_code: each function ships its own handler and the shared module."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from cdk_streams.simulator import from_template
from examples.shared_code.app import HANDLERS, SharedCodeStack


@pytest.fixture
def example(app: cdk.App) -> SharedCodeStack:
    return SharedCodeStack(app, "SharedCode")


def test_each_function_ships_its_handler_and_the_shared_module(
    example: SharedCodeStack, tmp_path: Path
) -> None:
    assert example.node.try_find_child("RefundsFunction") is not None
    shipped = {
        tuple(
            sorted(
                file.relative_to(asset).as_posix()
                for file in asset.rglob("*.py")
                if "lambda_runtime" not in file.parts and "__pycache__" not in file.parts
            )
        )
        for asset in (tmp_path / "cdk.out").glob("asset.*")
    }
    shared = ("shared/__init__.py", "shared/amounts.py")
    assert shipped == {("receipts.py", *shared), ("refunds.py", *shared)}


def test_both_handlers_write_amounts_in_the_same_way(
    example: SharedCodeStack,
    template_of: Callable[..., assertions.Template],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.syspath_prepend(str(HANDLERS.parent))
    handlers: dict[str, Any] = {
        f"{name}Function": importlib.import_module(f"examples.shared_code.handlers.{file}").handler
        for name, file in [("Receipts", "receipts"), ("Refunds", "refunds")]
    }
    world = from_template(template_of(example).to_json(), handlers)
    orders = world.consumers["ReceiptsFunction"].table

    orders.put({"order_id": "o-1", "status": "PLACED", "total": Decimal("9.9")})
    orders.update({"order_id": "o-1"}, {"status": "PAID"})
    world.run()
    orders.update({"order_id": "o-1"}, {"status": "CANCELLED"})
    world.run()

    assert capsys.readouterr().out.splitlines() == [
        "Order o-1: 9.90 EUR received",
        "Order o-1: 9.90 EUR paid back",
    ]
