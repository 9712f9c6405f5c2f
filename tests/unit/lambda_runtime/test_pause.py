"""A router that pauses after failures in a row: nothing is tried for a while, nothing skipped."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest

from cdk_streams.simulator import Faults, MappingSettings, World
from lambda_runtime import Pause, PauseError, Reject, RouteError, Router


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Database:
    """A service that raises the error it is given, and counts its calls."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    def __call__(self, _: Any) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


@pytest.fixture(autouse=True)
def _partial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", "1")


def paused(after: int = 2) -> tuple[Router, Database, Clock]:
    clock, database = Clock(), Database()
    on = Router(pause_on=Pause(ConnectionError, after=after, seconds=30, clock=clock))
    on.default(database)
    return on, database, clock


def named(answer: dict[str, Any]) -> str | None:
    failures = answer["batchItemFailures"]
    return failures[0]["itemIdentifier"] if failures else None


def test_after_failures_in_a_row_nothing_is_tried_until_the_pause_is_over(make_event: Any) -> None:
    on, database, clock = paused(after=2)
    event = make_event(3)
    first = event["Records"][0]["dynamodb"]["SequenceNumber"]
    database.error = ConnectionError()

    assert [named(on.handler(event)) for _ in range(5)] == [first] * 5
    assert database.asked == 2
    clock.now = 30
    assert named(on.handler(event)) == first  # Tried once, and paused again.
    assert named(on.handler(event)) == first
    assert database.asked == 3
    clock.now, database.error = 60, None
    assert named(on.handler(event)) is None
    assert database.asked == 6


@pytest.mark.parametrize("between", [None, ValueError(), Reject("no")])
def test_a_success_or_another_failure_begins_the_count_again(
    make_event: Any, between: Exception | None
) -> None:
    on, database, _ = paused(after=2)
    for error in (ConnectionError(), between, ConnectionError(), between, ConnectionError()):
        database.error = error
        on.handler(make_event(1))
    assert database.asked == 5


def test_a_batch_of_latest_counts_as_one(make_event: Any) -> None:
    clock, database = Clock(), Database()
    on = Router(pause_on=Pause(ConnectionError, after=2, clock=clock))
    on.latest(database)
    database.error = ConnectionError()
    for _ in range(4):
        on.handler(make_event(3))
    assert database.asked == 2
    clock.now, database.error = 30, None
    assert named(on.handler(make_event(3))) is None


@pytest.mark.parametrize("declare", ["insert", "latest"])
def test_a_route_that_works_does_not_hide_one_that_fails(make_event: Any, declare: str) -> None:
    database = Database()
    on = Router(pause_on=Pause(ConnectionError, after=2, clock=Clock()))
    on.insert(lambda _: None)
    getattr(on, declare)(database)
    database.error = ConnectionError()

    for _ in range(5):
        on.handler(make_event(3))
    assert database.asked == 2


def test_on_threads_no_record_starts_in_a_pause(make_event: Any) -> None:
    clock, database = Clock(), Database()
    on = Router(concurrency=4, pause_on=Pause(ConnectionError, after=1, clock=clock))
    on.default(database)
    database.error = ConnectionError()
    on.handler(make_event(4))
    before = database.asked
    event = make_event(4)
    assert named(on.handler(event)) == event["Records"][0]["dynamodb"]["SequenceNumber"]
    assert database.asked == before


def test_without_partial_responses_a_pause_is_raised(
    make_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STREAM_PARTIAL_RESPONSE")
    on, database, _ = paused(after=1)
    database.error = ConnectionError()
    with pytest.raises(ConnectionError):
        on.handler(make_event(1))
    with pytest.raises(PauseError, match="paused after failures in a row"):
        on.handler(make_event(1))


def test_the_begin_of_a_pause_is_logged_once_with_what_the_mapping_needs(
    make_event: Any, caplog: Any
) -> None:
    on, database, _ = paused(after=2)
    database.error = ConnectionError("item-1")
    with caplog.at_level(logging.WARNING, logger="lambda_runtime"):
        for _ in range(4):
            on.handler(make_event(1))
    lines = [json.loads(record.message) for record in caplog.records]
    (begins,) = (line for line in lines if line["message"] == "stream pause begins")
    assert (begins["error_type"], begins["seconds"]) == ("ConnectionError", 30)
    assert begins["mapping_needs"].startswith("retry_attempts=None")
    assert "item-1" not in json.dumps(begins)


def test_a_pause_is_logged_without_the_item(make_event: Any, caplog: Any) -> None:
    on, database, _ = paused(after=1)
    database.error = ConnectionError()
    on.handler(make_event(1))
    with caplog.at_level(logging.WARNING, logger="lambda_runtime"):
        caplog.clear()
        on.handler(make_event(1))
    (line,) = (json.loads(record.message) for record in caplog.records)
    assert line["message"] == "stream batch ended in a pause"
    assert "item-1" not in json.dumps(line)


@pytest.mark.parametrize("seed", range(5))
def test_under_faults_an_outage_loses_and_skips_nothing(seed: int) -> None:
    world = World(seed=seed, faults=Faults(destination_denied=0))
    handled: dict[str, list[int]] = defaultdict(list)
    asked: list[datetime] = []
    began = world.now

    def now_s() -> float:
        return world.now.timestamp()

    on = Router(pause_on=Pause(ConnectionError, seconds=60, clock=now_s))

    @on.default
    def handle(change: Any) -> None:
        if timedelta(minutes=2) < world.now - began < timedelta(minutes=20):
            asked.append(world.now)
            raise ConnectionError
        if change.new["number"] not in handled[change.keys["pk"]]:
            handled[change.keys["pk"]].append(change.new["number"])

    table = world.table("orders")
    settings = MappingSettings(batch_size=10, retry_attempts=None, max_record_age=None)
    consumer = world.consumer("audit", on.handler, table=table, settings=settings)
    for number in range(40):
        table.put({"pk": f"item-{number % 3}", "number": number})
        world.run_for(timedelta(seconds=10))
    world.run()

    assert {item: list(numbers) for item, numbers in handled.items()} == {
        f"item-{which}": list(range(which, 40, 3)) for which in range(3)
    }
    assert consumer.failures == []
    # Each environment has its own pause, and this router is all of them: one record a pause.
    assert len(asked) <= 3 + 20


def test_a_window_cannot_be_paused() -> None:
    on = Router(pause_on=Pause(ConnectionError))
    with pytest.raises(RouteError, match="leave pause_on out"):
        on.window(initial={})(lambda state, _: state)


@pytest.mark.parametrize(
    "make",
    [
        Pause,
        lambda: Pause("ConnectionError"),  # type: ignore[arg-type] # what is refused
        lambda: Pause(ConnectionError, after=0),
        lambda: Pause(ConnectionError, seconds=0),
    ],
)
def test_what_is_no_pause_is_refused(make: Any) -> None:
    with pytest.raises(RouteError):
        make()
