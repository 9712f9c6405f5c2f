"""The mistakes of a first day: each ends in one sentence that says what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb

import cdk_streams as streams
from cdk_streams.capacity import assert_keeps_up
from cdk_streams.checks import check_template
from cdk_streams.errors import CodeError, StreamsError
from cdk_streams.filters import missing_image
from cdk_streams.mapping import MappingSettings, TableStream
from cdk_streams.simulator import (
    Faults,
    World,
    check,
    from_template,
    in_order,
    insert,
    simulate,
)


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


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (
            lambda: TableStream(keys=untyped("order_id")),
            "keys must be a list of key attributes, got the text 'order_id'; write ['order_id']",
        ),
        (lambda: TableStream(keys=untyped(b"pk")), "got b'pk'; write them as texts in a list"),
        (lambda: TableStream(keys=()), "keys must be a list of 1 or more key attributes, got an"),
        (lambda: TableStream(keys=untyped(("pk", 5))), "got 5 among them"),
        (lambda: TableStream(account=untyped(123456789012)), "account must be a text, got 12345"),
        (lambda: TableStream(view_type=untyped("NEW")), "view_type must be one of KEYS_ONLY, NEW"),
        (lambda: insert({"pk": "1"}, keys=[]), "keys must be a list of 1 or more"),
        (lambda: insert(untyped("pk")), 'must be a dict of attributes, got str; write {"pk": "OR'),
        (lambda: insert({"pk": {"S": "1"}}), 'got M; write plain values such as {"pk": "1"}'),
        (lambda: insert({"pk": "1"}, number=untyped("3")), "number must be a whole number from 1"),
        (
            lambda: insert({"pk": "1"}, at=untyped("2026-01-01")),
            "at must be a datetime, or seconds",
        ),
        (
            lambda: insert({"pk": "1"}, stream=untyped("Orders")),
            "stream must be a TableStream, got",
        ),
        (lambda: in_order({"pk": "1"}), "make a record of an item with insert(item)"),
        (lambda: in_order(first=0), "first must be a whole number from 1, got 0"),
        (lambda: Faults(crash=untyped("often")), "crash must be a probability from 0 to 1"),
        (lambda: World(faults=untyped({"crash": 1})), "faults must be a Faults, got dict"),
        (lambda: World().table("Orders", shards=untyped("2")), "shards must be a whole number fro"),
        (lambda: World().split(untyped("Orders")), "table must be a table of this world, got str"),
        (lambda: World().run_for(untyped("5")), "duration must be a timedelta or a number of sec"),
        (lambda: World().run_for(-5), "duration must be a timedelta or a number of seconds from 0"),
        (lambda: World().call_after(1, untyped(None)), "action must be a function, got None"),
        (lambda: World().always(untyped(True), name="x"), "must be a function without arguments"),
        (lambda: simulate(handler, untyped(None)), "got NoneType; for an event, pass event['Rec"),
        (lambda: simulate(handler, [], assumptions=untyped({})), "assumptions must be an Assump"),
    ],
)
def test_a_simulation_with_arguments_of_another_kind(
    mistake: Callable[[], Any], message: str
) -> None:
    with pytest.raises(StreamsError) as refused:
        mistake()
    assert message in str(refused.value)


def _consumer(**given: Any) -> Any:
    world = _world()
    return world.consumer("Audit", handler, table=world.tables["Orders"], **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"settings": {}}, "settings must be a MappingSettings, got dict; write MappingSettings("),
        ({"timeout": "5"}, "timeout must be a timedelta or a number of seconds from 0, got '5'"),
        ({"reserved_concurrency": True}, "reserved_concurrency must be a whole number from 0, got"),
    ],
)
def test_a_simulated_consumer_with_a_wrong_argument(given: Any, message: str) -> None:
    with pytest.raises(StreamsError) as refused:
        _consumer(**given)
    assert message in str(refused.value)


def test_a_fate_that_no_record_has() -> None:
    with pytest.raises(StreamsError, match=r"fate must be one of handled, filtered, .* got 'lost'"):
        _consumer().records("lost")


def test_a_length_of_time_may_be_a_number_of_seconds() -> None:
    world = World()
    began = world.now
    world.run_for(1.5)
    assert (world.now - began).total_seconds() == 1.5


def test_keys_in_a_list_are_kept_as_a_tuple() -> None:
    assert TableStream(keys=untyped(["pk", "sk"])) == TableStream(keys=("pk", "sk"))


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: untyped(MappingSettings)(metrics=5), "metrics must be a list of metrics, got 5"),
        (lambda: untyped(MappingSettings)(tags=5), "tags must be a dict of texts, got 5; pass {"),
        (
            lambda: untyped(MappingSettings)(filters=b"{}"),
            "filters must be a list of patterns, got",
        ),
        (lambda: MappingSettings(filters=[{"a": [{1}]}]), "filters[0] must be a dict of JSON val"),
        (lambda: MappingSettings.from_template(untyped([])), "must be a dict, got list; write {'B"),
        (
            lambda: streams.NewImage("a").is_in(untyped(5)),
            "is_in takes a list of values, got 5; wr",
        ),
        (lambda: streams.Filter.insert().matches(untyped([])), "one element of an event's Records"),
        (
            lambda: streams.Filter.insert().matches({"Records": []}),
            "got an event; test each of its Records",
        ),
        (lambda: missing_image('{"eventName":["INSERT"]}', "NEW"), "view type is one of KEYS_ONLY"),
    ],
)
def test_settings_and_filters_with_arguments_of_another_kind(
    mistake: Callable[[], Any], message: str
) -> None:
    with pytest.raises(StreamsError) as refused:
        mistake()
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": "10"}, "rate must be a number from 0, got '10'"),
        ({"record_ms": "5"}, "record_ms must be a number from 0 to 900,000, got '5'"),
        ({"target_lag": "5"}, "target_lag must be a timedelta or a number of seconds above 0"),
        ({"timeout": 0}, "timeout must be a timedelta or a number of seconds above 0, got 0"),
        ({"item_bytes": True}, "item_bytes must be a whole number from 1 to 409,600, got True"),
        ({"shards": 0}, "shards must be a whole number from 1 to 100,000, got 0"),
        ({"memory_mb": 64}, "memory_mb must be a whole number from 128 to 10,240, got 64"),
        ({"view_type": "NEW"}, "view_type must be one of KEYS_ONLY, NEW_IMAGE"),
        ({"reserved_concurrency": "5"}, "reserved_concurrency must be a whole number from 0, got"),
        ({"settings": {}}, "settings must be a MappingSettings, got dict"),
    ],
)
def test_a_size_with_arguments_of_another_kind(given: Any, message: str) -> None:
    arguments = {"settings": MappingSettings(), "rate": 10, "record_ms": 5} | given
    with pytest.raises(StreamsError) as refused:
        untyped(assert_keeps_up)(**arguments)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: check(lambda _: None, seeds=0), "seeds must be a whole number from 1, got 0"),
        (lambda: check(lambda _: None, seeds=[]), "seeds must name one seed or more, got none; wr"),
        (lambda: check(lambda _: None, seeds=untyped("20")), "seeds must be a whole number from 1"),
        (
            lambda: simulate(handler, [], parents=untyped({"shard-2": "shard-1"})),
            "the parents of shard-2 must be a list of shard ids, got the text 'shard-1'; write [",
        ),
        (
            lambda: check_template({"Resources": {}}, ignore="Disabled"),
            "ignore must be a list of ids of checks, got the text 'Disabled'; write ['Disabled']",
        ),
    ],
)
def test_what_would_pass_without_testing_anything(mistake: Callable[[], Any], message: str) -> None:
    with pytest.raises(StreamsError) as refused:
        mistake()
    assert message in str(refused.value)
