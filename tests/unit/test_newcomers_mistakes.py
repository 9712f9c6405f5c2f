"""The mistakes of a first day: each ends in one sentence that says what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb

import cdk_streams as streams
from cdk_streams.errors import CodeError, StreamsError
from cdk_streams.simulator import World, from_template, in_order, insert, simulate


def handler(_event: Any, _context: Any) -> None:
    return None


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    path = tmp_path / "audit.py"
    path.write_text("def handler(event, context): ...\n", encoding="utf-8")
    return path


@pytest.fixture
def orders(stack: cdk.Stack) -> streams.StreamTable:
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    return streams.StreamTable(stack, "Orders", partition_key=key)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"filters": [streams.NewImage("a").eq("x")]}, "got Condition; write Filter.insert("),
        ({"on_failure": "QUEUE"}, "got str; pass OnFailure.QUEUE"),
        ({"alarms": False}, "got False; pass None for no alarms"),
        ({"table": "Orders"}, "find it by name with StreamTable.look_up"),
    ],
)
def test_a_consumer_with_a_wrong_argument(
    stack: cdk.Stack, orders: streams.StreamTable, entry: Path, wrong: Any, message: str
) -> None:
    function = streams.StreamFunction(stack, "Function", entry=str(entry))
    with pytest.raises(StreamsError) as refused:
        streams.StreamConsumer(stack, "Audit", **({"table": orders, "function": function} | wrong))
    assert message in str(refused.value)


def test_scope_and_id_that_changed_places(
    stack: cdk.Stack, orders: streams.StreamTable, entry: Path
) -> None:
    function = streams.StreamFunction(stack, "Function", entry=str(entry))
    swapped: Any = ("Audit", stack)
    for make in (
        lambda: streams.StreamConsumer(*swapped, table=orders, function=function),
        lambda: streams.StreamFunction(*swapped, entry=str(entry)),
    ):
        with pytest.raises(StreamsError, match="got str; the scope comes first, then the id"):
            make()


def test_a_runtime_as_text(stack: cdk.Stack, entry: Path) -> None:
    runtime: Any = "python3.13"
    with pytest.raises(StreamsError, match=r"runtime=aws_lambda\.Runtime\.PYTHON_3_13"):
        streams.StreamFunction(stack, "Function", entry=str(entry), runtime=runtime)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ndef handler(event, context:\n", r"audit\.py must be .* syntax error in line 2"),
        (
            "from lambda_runtime import Router\non = Router()\nhandler = on\n",
            r"must be a function, got the Router handler of audit\.py",
        ),
        (
            "import lambda_runtime\nhandler = lambda_runtime.Router()\n",
            r"got the Router handler of audit\.py; write handler = router\.handler",
        ),
    ],
)
def test_a_handlers_file_that_lambda_could_not_run(
    stack: cdk.Stack, entry: Path, source: str, message: str
) -> None:
    entry.write_text(source, encoding="utf-8")
    with pytest.raises(CodeError, match=message):
        streams.StreamFunction(stack, "Function", entry=str(entry))


def test_a_router_whose_handler_is_taken_is_fine(stack: cdk.Stack, entry: Path) -> None:
    entry.write_text(
        "from lambda_runtime import Router\nhandler = Router()\nhandler = handler.handler\n",
        encoding="utf-8",
    )
    streams.StreamFunction(stack, "Function", entry=str(entry))


def untyped(function: Any) -> Any:
    """Return a function as those call it who run no type checker."""
    return function


def _world() -> Any:
    world = World()
    world.table("Orders", keys="id")
    return world


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: _world().consumer("Audit", handler, table="Orders"), "table must be a table"),
        (lambda: _world().consumer(handler, "Audit", table="Orders"), "name must be a text"),
        (lambda: _world().consumer(handler, table="Orders"), "name must be a text, got function"),
        (lambda: _world().consumer("Audit", "handler", table="Orders"), "handler must be a func"),
        (lambda: untyped(from_template)(object(), {}), "got object; of a stack of CDK"),
        (lambda: untyped(from_template)({"Resources": {}}, handler), "handlers must be a dict"),
        (lambda: untyped(in_order)([insert({"id": "1"}, keys="id")]), r"in_order(*records)"),
        (
            lambda: untyped(simulate)(in_order(insert({"id": "1"}, keys="id")), handler),
            "got list; the hand",
        ),
    ],
)
def test_a_simulation_with_arguments_in_the_wrong_place(
    mistake: Callable[[], Any], message: str
) -> None:
    with pytest.raises(StreamsError) as refused:
        mistake()
    assert message in str(refused.value)


def test_a_table_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(KeyError, match="there is no table Order; there are: Orders"):
        _world().tables["Order"]
