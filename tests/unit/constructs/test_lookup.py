from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from syrupy.assertion import SnapshotAssertion

from cdk_streams import (
    Filter,
    FilterError,
    NewImage,
    SourceError,
    StreamConsumer,
    StreamTable,
)
from cdk_streams.constructs._lookup import handler

CUSTOM = "Custom::DynamoDBStream"
KEYS_ONLY = dynamodb.StreamViewType.KEYS_ONLY
STREAM = "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders/stream/2026-01-01T00:00:00.000"
Resources = Callable[..., dict[str, Any]]
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def function(stack: cdk.Stack) -> lambda_.Function:
    return lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
    )


def test_a_table_looked_up(
    stack: cdk.Stack, resources_of: Resources, template_snapshot: SnapshotAssertion
) -> None:
    StreamTable.look_up(stack, "Orders", table_name="orders")
    assert resources_of(stack) == template_snapshot


def test_its_consumer_reads_the_stream_that_was_found(
    stack: cdk.Stack, function: lambda_.Function, resources_of: Resources
) -> None:
    table = StreamTable.look_up(stack, "Orders", table_name="orders")
    StreamConsumer(stack, "Audit", table=table, function=function)
    (custom,) = resources_of(stack, CUSTOM)
    (mapping,) = resources_of(stack, "AWS::Lambda::EventSourceMapping").values()
    found = {"Fn::GetAtt": [custom, "StreamArn"]}
    assert mapping["Properties"]["EventSourceArn"] == found


def test_the_table_s_stack_exports_nothing(app: cdk.App, resources_of: Resources) -> None:
    key = {"name": "pk", "type": cdk.aws_dynamodb.AttributeType.STRING}
    theirs, ours = cdk.Stack(app, "Theirs"), cdk.Stack(app, "Ours")
    StreamTable(theirs, "Orders", partition_key=key, table_name="orders")
    StreamTable.look_up(ours, "Orders", table_name="orders")
    template = cdk.assertions.Template.from_stack(theirs)
    assert template.find_outputs("*") == {}
    assert len(resources_of(ours, CUSTOM)) == 1


def test_one_function_looks_up_every_table_of_a_stack(
    stack: cdk.Stack, resources_of: Resources
) -> None:
    for name in ("orders", "customers"):
        StreamTable.look_up(stack, name.title(), table_name=name)
    assert len(resources_of(stack, "AWS::Lambda::Function")) == 1
    assert len(resources_of(stack, CUSTOM)) == 2


def test_a_new_refresh_makes_cloudformation_ask_again(
    app: cdk.App, resources_of: Resources
) -> None:
    stacks = [cdk.Stack(app, "Before"), cdk.Stack(app, "After")]
    for stack, refresh in zip(stacks, ("", "2026-10-01"), strict=True):
        StreamTable.look_up(stack, "Orders", table_name="orders", refresh=refresh)
    before, after = (
        next(iter(resources_of(stack, CUSTOM).values()))["Properties"] for stack in stacks
    )
    assert (before["Refresh"], after["Refresh"]) == ("", "2026-10-01")


def test_a_declared_view_type_is_part_of_the_request(
    stack: cdk.Stack, resources_of: Resources
) -> None:
    StreamTable.look_up(stack, "Orders", table_name="orders", stream_view_type=KEYS_ONLY)
    (custom,) = resources_of(stack, CUSTOM).values()
    assert custom["Properties"]["StreamViewType"] == "KEYS_ONLY"


def test_filters_are_checked_against_a_declared_view_type(
    stack: cdk.Stack, function: lambda_.Function
) -> None:
    paid = Filter.insert(NewImage("status").eq("PAID"))
    table = StreamTable.look_up(stack, "Orders", table_name="orders", stream_view_type=KEYS_ONLY)
    with pytest.raises(FilterError, match="KEYS_ONLY"):
        StreamConsumer(stack, "Audit", table=table, function=function, filters=[paid])
    StreamConsumer(stack, "Keys", table=table, function=function, filters=[Filter.insert()])


def test_a_view_type_given_as_text_is_refused(stack: cdk.Stack) -> None:
    text: Any = "KEYS_ONLY"
    with pytest.raises(SourceError) as caught:
        StreamTable.look_up(stack, "Orders", table_name="orders", stream_view_type=text)
    assert str(caught.value) == (
        "stream_view_type must be a StreamViewType, got 'KEYS_ONLY'; "
        "import it from aws_cdk.aws_dynamodb"
    )


def test_an_empty_name_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(SourceError) as caught:
        StreamTable.look_up(stack, "Orders", table_name="")
    assert str(caught.value) == (
        "table_name must name a table of this account and region, got ''; write its name as text"
    )


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Send the handler an event as CloudFormation does; return what it answers."""
    answers: list[dict[str, Any]] = []

    class CloudFormation(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert self.headers["Content-Type"] == ""
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), CloudFormation)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()

    def send(request_type: str, **more: Any) -> dict[str, Any]:
        event = {
            "RequestType": request_type,
            "ResponseURL": f"http://127.0.0.1:{server.server_port}/answer?signature=x",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "OrdersStream",
            "ResourceProperties": {"TableName": "orders"},
            **more,
        }
        handler.handler(event, None)
        return answers.pop()

    yield send
    server.shutdown()
    thread.join()
    server.server_close()


def table(name: str) -> dict[str, Any]:
    return {
        "TableName": name,
        "LatestStreamArn": STREAM,
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    }


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_the_latest_stream_is_the_answer(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, request_type: str
) -> None:
    monkeypatch.setattr(handler, "describe", table)
    assert ask(request_type) == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "orders",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "OrdersStream",
        "Data": {"StreamArn": STREAM, "StreamViewType": "NEW_IMAGE"},
    }


@pytest.mark.parametrize("stream", [None, {"StreamEnabled": False}])
def test_a_table_without_a_stream_fails_the_deployment(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, stream: Any
) -> None:
    monkeypatch.setattr(
        handler, "describe", lambda name: {**table(name), "StreamSpecification": stream}
    )
    answer = ask("Create")
    assert (answer["Status"], answer["Reason"]) == (
        "FAILED",
        "LookupError: the table 'orders' must have a stream, got none; turn it on and deploy again",
    )


def test_a_stream_that_carries_what_was_declared_is_the_answer(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "describe", table)
    declared = {"TableName": "orders", "StreamViewType": "NEW_IMAGE"}
    answer = ask("Create", ResourceProperties=declared)
    assert (answer["Status"], answer["Data"]["StreamArn"]) == ("SUCCESS", STREAM)


def test_a_stream_that_carries_something_else_fails_the_deployment(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "describe", table)
    declared = {"TableName": "orders", "StreamViewType": "KEYS_ONLY"}
    answer = ask("Create", ResourceProperties=declared)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "LookupError: the stream of the table 'orders' must carry KEYS_ONLY, got NEW_IMAGE; "
        "pass its stream_view_type to look_up, and filters that fit it to the consumers"
    )


def test_an_error_of_dynamodb_fails_the_deployment_at_once(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise RuntimeError("Requested resource not found")

    monkeypatch.setattr(handler, "describe", refuse)
    answer = ask("Create")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "RuntimeError: Requested resource not found"


def test_a_delete_asks_dynamodb_nothing(ask: Ask) -> None:
    answer = ask("Delete", PhysicalResourceId="orders-of-old")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "orders-of-old")
