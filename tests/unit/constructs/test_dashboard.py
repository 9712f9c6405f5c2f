from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns

from cdk_streams import (
    Alarms,
    OnFailure,
    SettingsError,
    StreamConsumer,
    StreamDashboard,
    StreamFunction,
    StreamTable,
)
from cdk_streams.cli import main
from lambda_runtime._batches import log_lines

ROOT = Path(__file__).parents[3]
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
        if "function" not in settings:
            settings["function"] = StreamFunction(stack, f"{name}Function", entry=handler_file)
        return StreamConsumer(stack, name, table=tables[table], **settings)

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
        ["`cdk-streams status Test`"],
        ["Alarms"],
        ["## Orders"],
        ["Writes", "Stream: got by all readers"],
        [
            "Audit: calls",
            "Audit: duration",
            "Audit: age of the last record",
            "Audit: failures",
        ],
        ["Audit: concurrency", "Audit: records that were not handled"],
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


def lines(widget: dict[str, Any]) -> dict[str, float]:
    """Return the horizontal lines of a graph, by their label."""
    found = widget["properties"].get("annotations", {}).get("horizontal", [])
    return {line["label"]: line["value"] for line in found}


def test_the_lag_is_in_hours_under_its_alarm_and_the_end_of_the_stream(
    consume: Consume, widgets: Widgets
) -> None:
    loud = consume("Loud", alarms=Alarms(iterator_age=cdk.Duration.minutes(90)))
    shown = {title(each): each for each in widgets(loud, consume("Quiet", alarms=None))}
    age, end = shown["Loud: age of the last record"], "24 h: records are lost"
    assert lines(age) == {end: 24, "alarm: 1 h 30 min": 1.5}
    assert lines(shown["Quiet: age of the last record"]) == {end: 24}
    (expression,), hidden = age["properties"]["metrics"]
    assert expression["expression"] == "age / 3600000"
    assert hidden[:2] == ["AWS/Lambda", "IteratorAge"]
    assert hidden[-1]["visible"] is False
    assert age["properties"]["yAxis"]["left"]["label"] == "hours"


def test_percentiles_of_the_duration_stand_under_the_timeout(
    consume: Consume, widgets: Widgets
) -> None:
    shown = {title(each): each for each in widgets(consume("Audit"))}
    duration = shown["Audit: duration"]
    assert [row[-1]["stat"] for row in duration["properties"]["metrics"]] == ["p50", "p99"]
    assert metrics(duration) == ["Duration", "Duration"]
    assert lines(duration) == {"timeout": 60_000}


def test_concurrency_stands_under_the_reserve(
    consume: Consume, widgets: Widgets, stack: cdk.Stack, handler_file: Path
) -> None:
    few = StreamFunction(stack, "Few", entry=handler_file, reserved_concurrent_executions=4)
    shown = {title(each): each for each in widgets(consume("Any"), consume("Bound", function=few))}
    assert metrics(shown["Bound: concurrency"]) == ["ConcurrentExecutions"]
    assert lines(shown["Bound: concurrency"]) == {"reserve": 4}
    assert lines(shown["Any: concurrency"]) == {}


def test_log_lines_are_those_of_the_runtime_in_the_function_s_own_log_group(
    consume: Consume, widgets: Widgets, stack: cdk.Stack, handler_file: Path
) -> None:
    kept = StreamFunction(
        stack, "Kept", entry=handler_file, log_retention=logs.RetentionDays.ONE_WEEK
    )
    shown = {title(each): each for each in widgets(consume("Any"), consume("Own", function=kept))}
    queries = {
        name: shown[f"{name}: records that were not handled"]["properties"]["query"]
        for name in ("Any", "Own")
    }
    source, fields, wanted, *_ = re.split(r"\s\| ", queries["Any"])
    assert source.startswith("SOURCE '/aws/lambda/AnyFunction")
    assert queries["Own"].startswith("SOURCE 'KeptLogs")
    # Every line of the runtime but that of a window's size, and fields that it has.
    pattern = wanted.removeprefix("filter message like /").removesuffix("/")
    lines_of_runtime = re.findall(r'"((?:stream|window) [a-z ]+)"', inspect.getsource(log_lines))
    assert [each for each in lines_of_runtime if not re.match(pattern, each)] == [
        "window state nearly too large"
    ]
    for field in fields.split(", ")[2:]:
        assert f'"{field}"' in inspect.getsource(log_lines), field


def test_throttled_reads_and_rejects_are_shown(consume: Consume, widgets: Widgets) -> None:
    shown = {title(each): each for each in widgets(consume("Audit", rejects=OnFailure.QUEUE))}
    assert metrics(shown["Stream: got by all readers"]) == [
        "ReturnedRecordsCount",
        "ThrottledRequests",
        "ReturnedBytes",
    ]
    labels = [row[-1].get("label") for row in shown["Audit: failures"]["properties"]["metrics"]]
    assert labels == ["in the queue", "not delivered", "rejected", "oldest"]


def test_the_commands_are_those_that_there_are(consume: Consume, widgets: Widgets) -> None:
    text = widgets(consume("Audit"))[0]["properties"]["markdown"]
    commands = re.findall(r"`cdk-streams ([^`]+)`", text)
    assert len(commands) == 2
    for command in commands:
        name, *arguments = command.split()
        assert "Test" in main.commands[name].make_context(name, arguments).params.values()


def test_without_alarms_no_place_is_kept_for_them(consume: Consume, widgets: Widgets) -> None:
    assert title(widgets(consume("Audit", alarms=None))[1]) == "## Orders"


def test_all_alarms_are_shown(consume: Consume, widgets: Widgets) -> None:
    first = widgets(consume("A"), consume("B", alarms=Alarms(errors=True)))[1]
    assert len(first["properties"]["alarms"]) == 2 + 3


def test_no_widget_but_the_lag_needs_metric_math(consume: Consume, widgets: Widgets) -> None:
    for each in widgets(consume("Audit", metrics=["EventCount"])):
        for row in each["properties"].get("metrics", ()):
            assert isinstance(row[0], str) or title(each) == "Audit: age of the last record"


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


def table_row(widget: dict[str, Any]) -> str:
    """Return the page's row of a widget: its columns of 24, what it shows, the lines across it."""
    shown = widget["properties"]
    graphs = [row[-1]["label"] for row in shown.get("metrics", ()) if "label" in row[-1]]
    lines = [line["label"] for line in shown.get("annotations", {}).get("horizontal", ())]
    columns = f"{widget['x'] + 1} to {widget['x'] + widget['width']}"
    return f"| {columns} | {title(widget)} | {', '.join(graphs)} | {', '.join(lines)} |"


def test_the_page_has_the_layout_of_a_dashboard(consume: Consume, widgets: Widgets) -> None:
    page = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")
    found = widgets(consume("Audit", rejects=OnFailure.QUEUE))
    shown = [table_row(each) for each in found if each["type"] in {"metric", "log"}]
    assert re.findall(r"^\| \d+ to \d+ \|.*$", page, re.MULTILINE) == shown
