from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sns as sns

from cdk_streams import (
    Alarms,
    SettingsError,
    StreamConsumer,
    StreamDashboard,
    StreamFunction,
    StreamTable,
)

Resources = Callable[..., dict[str, Any]]
Consume = Callable[..., StreamConsumer]


@pytest.fixture
def consume(stack: cdk.Stack, handler_file: Path) -> Consume:
    """Make a consumer of that name, of a table of that name."""
    tables: dict[str, StreamTable] = {}

    def make(name: str, table: str = "Orders", **settings: Any) -> StreamConsumer:
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        if table not in tables:
            tables[table] = StreamTable(stack, table, partition_key=key)
        function = StreamFunction(stack, f"{name}Function", entry=handler_file)
        return StreamConsumer(stack, name, table=tables[table], function=function, **settings)

    return make


@pytest.fixture
def widgets(stack: cdk.Stack, resources_of: Resources) -> Callable[..., list[dict[str, Any]]]:
    """Return the widgets of a dashboard of these consumers."""

    def make(*consumers: StreamConsumer) -> list[dict[str, Any]]:
        StreamDashboard(stack, "Board", consumers=consumers)
        (body,) = resources_of(stack, "AWS::CloudWatch::Dashboard").values()
        parts = body["Properties"]["DashboardBody"]["Fn::Join"][1]
        # References stand inside JSON strings; their logical ids will do.
        text = "".join(each if isinstance(each, str) else _named(each) for each in parts)
        found: list[dict[str, Any]] = json.loads(text)["widgets"]
        return found

    return make


def _named(reference: dict[str, Any]) -> str:
    ((_, value),) = reference.items()
    return value if isinstance(value, str) else "…"


Widgets = Callable[..., list[dict[str, Any]]]


def title(widget: dict[str, Any]) -> str:
    properties = widget["properties"]
    return str(properties.get("title") or properties["markdown"].split(":")[0])


def metrics(widget: dict[str, Any]) -> list[str]:
    names: list[str] = []
    for row in widget["properties"]["metrics"]:
        # "." repeats what stands above it.
        names.append(names[-1] if row[1] == "." else row[1])
    return names


def test_a_row_reads_from_writes_to_failures(consume: Consume, widgets: Widgets) -> None:
    shown = widgets(consume("Audit"))
    rows: dict[int, list[str]] = {}
    for widget in shown:
        rows.setdefault(widget["y"], []).append(title(widget))
    assert list(rows.values()) == [
        ["Alarms"],
        ["## Orders"],
        ["Writes", "Stream: got by all readers"],
        [
            "Audit: calls",
            "Audit: longest call",
            "Audit: age of the last record",
            "Audit: failures",
        ],
    ]
    assert {sum(each["width"] for each in shown if each["y"] == y) for y in rows} == {24}


def test_consumers_of_one_table_stand_together(consume: Consume, widgets: Widgets) -> None:
    shown = widgets(consume("Audit"), consume("Mail", "Users"), consume("Stock"))
    titles = [title(each) for each in shown]
    assert [each for each in titles if "##" in each or "calls" in each] == [
        "## Orders",
        "Audit: calls",
        "Stock: calls",
        "## Users",
        "Mail: calls",
    ]


def test_what_is_counted_only_on_request_is_shown_only_then(
    consume: Consume, widgets: Widgets
) -> None:
    plain, counting = consume("Plain"), consume("Counting", metrics=["EventCount"])
    shown = {title(each): each for each in widgets(plain, counting)}
    queue = ["ApproximateNumberOfMessagesVisible", "DestinationDeliveryFailures"]
    assert metrics(shown["Plain: failures"]) == [*queue, "ApproximateAgeOfOldestMessage"]
    assert metrics(shown["Counting: failures"]) == [
        *queue,
        "FailedInvokeEventCount",
        "OnFailureDestinationDeliveredEventCount",
        "DroppedEventCount",
        "ApproximateAgeOfOldestMessage",
    ]


def test_without_a_queue_the_rest_is_shown(
    consume: Consume, widgets: Widgets, stack: cdk.Stack
) -> None:
    consumer = consume("Audit", on_failure=sns.Topic(stack, "Failed"))
    shown = {title(each): each for each in widgets(consumer)}
    assert metrics(shown["Audit: failures"]) == ["DestinationDeliveryFailures"]


def test_the_alarm_s_line_stands_in_the_lag(consume: Consume, widgets: Widgets) -> None:
    loud, quiet = consume("Loud"), consume("Quiet", alarms=None)
    shown = {title(each): each["properties"] for each in widgets(loud, quiet)}
    (line,) = shown["Loud: age of the last record"]["annotations"]["horizontal"]
    assert line["value"] == 10_800_000
    assert "annotations" not in shown["Quiet: age of the last record"]


def test_without_alarms_no_place_is_kept_for_them(consume: Consume, widgets: Widgets) -> None:
    assert title(widgets(consume("Audit", alarms=None))[0]) == "## Orders"


def test_all_alarms_are_shown(consume: Consume, widgets: Widgets) -> None:
    first = widgets(consume("A"), consume("B", alarms=Alarms(errors=True)))[0]
    assert len(first["properties"]["alarms"]) == 2 + 3


def test_no_widget_needs_metric_math(consume: Consume, widgets: Widgets) -> None:
    for each in widgets(consume("Audit", metrics=["EventCount"])):
        for row in each["properties"].get("metrics", ()):
            assert isinstance(row[0], str)


def test_it_needs_a_consumer(stack: cdk.Stack) -> None:
    with pytest.raises(SettingsError, match="must name at least one StreamConsumer, got none"):
        StreamDashboard(stack, "Board", consumers=[])


def test_it_is_cdks_own_dashboard(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    board = StreamDashboard(stack, "Board", consumers=[consume("Audit")], dashboard_name="orders")
    assert stack.resolve(board.dashboard.dashboard_name) is not None
    (body,) = resources_of(stack, "AWS::CloudWatch::Dashboard").values()
    assert body["Properties"]["DashboardName"] == "orders"
