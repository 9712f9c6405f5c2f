"""Metrics of a batch, read as CloudWatch reads embedded metric format."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cdk_streams.simulator import Faults, MappingSettings, World
from lambda_runtime import Reject, RouteError, Router
from lambda_runtime._batches import metrics

WINDOW = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:01:00Z"}
# What CloudWatch makes of the log: the values by namespace, dimensions and name.
Found = dict[tuple[str, tuple[tuple[str, str], ...], str], list[float]]


def as_cloudwatch(text: str, now_s: float | None = None) -> Found:
    """Read each line by the rules of the format's specification; refuse what CloudWatch would."""
    found: Found = defaultdict(list)
    for line in text.splitlines():
        assert len(line.encode()) < 1_000_000
        document = json.loads(line)
        about = document["_aws"]
        now_s = now_s or time.time()
        assert abs(about["Timestamp"] / 1_000 - now_s) < 60
        for directive in about["CloudWatchMetrics"]:
            assert 0 < len(directive["Metrics"]) <= 100
            for names in directive["Dimensions"]:
                assert len(names) <= 30
                dimensions = tuple((name, document[name]) for name in names)
                assert all(isinstance(value, str) and value for _, value in dimensions)
                for metric in directive["Metrics"]:
                    assert metric["Unit"] in {"Count", "Milliseconds"}
                    values = document[metric["Name"]]
                    values = values if isinstance(values, list) else [values]
                    assert 0 < len(values) <= 100
                    assert all(type(value) is int for value in values)
                    found[directive["Namespace"], dimensions, metric["Name"]] += values
    return found


@pytest.fixture(autouse=True)
def _function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "audit")
    monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", "1")


def router(concurrency: int = 1) -> Router:
    """Rejects the second record, fails at the fourth."""
    sent: list[str] = []
    on = Router(metrics="Shop", on_reject=sent.append, concurrency=concurrency)

    @on.insert
    def placed(change: Any) -> None:
        number = int(change.event_id, 16)
        if number == 2:
            raise Reject("no such product")
        if number == 4:
            raise ConnectionError

    @on.insert(pk="item-1")
    def first(_: Any) -> None: ...

    return on


def values(found: Found, route: str | None = None) -> dict[str, Any]:
    dimensions = (("FunctionName", "audit"), *((("Route", route),) if route else ()))
    return {name: each for (_, by, name), each in found.items() if by == dimensions}


def test_a_batch_is_counted_and_timed(make_event: Any, capsys: Any) -> None:
    event = make_event(5)
    for number, record in enumerate(event["Records"]):
        record["dynamodb"]["ApproximateCreationDateTime"] = time.time() - 100 + number

    router().handler(event)

    found = as_cloudwatch(capsys.readouterr().out)
    assert {namespace for namespace, _, _ in found} == {"Shop"}
    batch = values(found)
    lag, latency = batch.pop("Lag"), batch.pop("Latency")
    assert batch == {"Records": [5], "Handled": [2], "Failed": [1], "Rejected": [1]}
    assert 99_000 < lag[0] < 110_000
    # Of the first and the third: the second was rejected.
    assert len(latency) == 2
    assert latency[0] - latency[1] == pytest.approx(2_000, abs=500)


def test_each_route_is_counted(make_event: Any, capsys: Any) -> None:
    router().handler(make_event(5))

    found = as_cloudwatch(capsys.readouterr().out)
    placed, first = values(found, "router.<locals>.placed"), values(found, "router.<locals>.first")
    assert placed == {"Handled": [2], "Failed": [1], "Rejected": [1]}
    assert first == {"Handled": [1], "Failed": [0], "Rejected": [0]}


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_large_batch_takes_several_lines(make_event: Any, capsys: Any, concurrency: int) -> None:
    on = Router(metrics="Shop", concurrency=concurrency)
    on.default(lambda _: None)

    on.handler(make_event(250))

    batch = values(as_cloudwatch(capsys.readouterr().out))
    assert (batch["Records"], batch["Handled"]) == ([250], [250])
    assert len(batch["Latency"]) == 250


def test_latency_of_a_latest_route_is_until_the_batch_is_written(
    make_event: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_767_225_600.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    on = Router(metrics="Shop")

    @on.latest
    def index(_: Any) -> None:
        now[0] += 10

    event = make_event(1)
    event["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] = now[0]
    on.handler(event)

    assert values(as_cloudwatch(capsys.readouterr().out))["Latency"] == [10_000]


def test_an_error_that_is_raised_is_counted(
    make_event: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STREAM_PARTIAL_RESPONSE")
    with pytest.raises(ConnectionError):
        router().handler(make_event(5))

    batch = values(as_cloudwatch(capsys.readouterr().out))
    # The whole batch comes again.
    assert (batch["Handled"], batch["Failed"]) == ([0], [1])
    assert "Latency" not in batch


def test_records_that_are_none_are_counted_as_failed(capsys: Any) -> None:
    on = Router(metrics="Shop")
    on.default(lambda _: None)
    with pytest.raises(Exception, match="Records"):
        on.handler({"Records": [{"dynamodb": None}]})

    assert values(as_cloudwatch(capsys.readouterr().out))["Failed"] == [1]


@pytest.mark.parametrize("malformed", [{}, {"dynamodb": None}, None])
def test_a_malformed_record_behind_a_failed_one_leaves_the_answer_as_it_is(
    make_event: Any, failed_at: Any, capsys: Any, malformed: Any
) -> None:
    event = make_event(4)
    event["Records"].append(malformed)

    assert router().handler(event) == failed_at(4)
    batch = values(as_cloudwatch(capsys.readouterr().out))
    assert (batch["Records"], batch["Handled"], batch["Failed"]) == ([5], [2], [1])


def test_a_window_is_counted(make_event: Any, capsys: Any) -> None:
    on = Router(metrics="Shop")
    on.window(initial={})(lambda state, _: state)
    on.window_end(lambda _: None)

    about = {"shardId": "s", "isFinalInvokeForWindow": False, "isWindowTerminatedEarly": False}
    on.handler({**make_event(3), "state": {}, "window": WINDOW, **about})

    batch = values(as_cloudwatch(capsys.readouterr().out))
    assert (batch["Records"], batch["Handled"], batch["Failed"]) == ([3], [3], [0])


@pytest.mark.parametrize("namespace", ["", "AWS/Lambda", ":x", "a b", "x" * 256, 7])
def test_a_namespace_that_cloudwatch_refuses_is_refused(namespace: Any) -> None:
    with pytest.raises(RouteError, match="metrics must be a namespace of CloudWatch"):
        Router(metrics=namespace)


@pytest.mark.parametrize("seed", range(3))
def test_under_faults_latency_counts_the_time_of_an_outage(
    seed: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(seed=seed, faults=Faults(destination_denied=0, duplicate=0, crash=0, timeout=0))
    began = world.now

    def now_s() -> float:
        return world.now.timestamp()

    monkeypatch.setattr(metrics, "time", SimpleNamespace(time=now_s))
    on = Router(metrics="Shop")
    found: Found = defaultdict(list)

    @on.default
    def handle(_: Any) -> None:
        if timedelta(minutes=2) < world.now - began < timedelta(minutes=12):
            raise ConnectionError

    def handler(event: Any, context: Any) -> Any:
        try:
            return on.handler(event, context)
        finally:
            for name, values in as_cloudwatch(capsys.readouterr().out, now_s()).items():
                found[name] += values

    table = world.table("orders")
    settings = MappingSettings(
        retry_attempts=None, max_record_age=None, report_batch_item_failures=True
    )
    world.consumer("audit", handler, table=table, settings=settings)
    for number in range(30):
        table.put({"pk": str(number)})
        world.run_for(timedelta(seconds=10))
    world.run()

    whole = ("Shop", (("FunctionName", "audit"),))
    latencies = found[(*whole, "Latency")]
    assert len(latencies) == sum(found[(*whole, "Handled")]) == 30
    # The first record of the outage waited for its end, one before it did not.
    assert max(latencies) >= 9 * 60_000
    assert min(latencies) < 60_000
    assert sum(found[(*whole, "Failed")]) >= 1
