from __future__ import annotations

import json
from typing import Any

from cdk_streams.simulator import NO_FAULTS, MappingSettings, World, timeline_trace
from cdk_streams.simulator._timeline.events import TimelineEvent


def _traced(source: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(timeline_trace(source, title="orders"))["traceEvents"]
    return found


def _world() -> World:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    settings = MappingSettings(batch_size=2)
    world.consumer("audit", lambda _e, c: c.spend(0.5), table=orders, settings=settings)
    for number in range(3):
        orders.put({"pk": str(number)})
    world.run()
    return world


def test_a_call_is_a_slice_in_microseconds_in_the_thread_of_its_shard() -> None:
    traced = _traced(_world())

    first, second = [each for each in traced if each["ph"] == "X"]
    assert (first["name"], first["ts"], first["dur"]) == ("handled", 0, 500_000)
    assert (first["args"]["records"], second["args"]["records"]) == ("#1-#2 (2)", "#3")
    processes = {
        each["pid"]: each["args"]["name"] for each in traced if each["name"] == "process_name"
    }
    assert processes == {0: "orders", 1: "writes to Orders", first["pid"]: "audit"}
    threads = [each for each in traced if each["name"] == "thread_name"]
    assert (first["pid"], first["tid"]) in {(each["pid"], each["tid"]) for each in threads}


def test_a_write_is_an_instant_and_a_plot_is_a_counter() -> None:
    traced = _traced(_world())

    assert [each["s"] for each in traced if each["ph"] == "i" and each["name"] == "insert"] == [
        "t",
        "t",
        "t",
    ]
    waiting = [each["args"]["count"] for each in traced if each["name"] == "Waiting records"]
    assert waiting == [1, 2, 3, 1, 0]


def test_a_broken_invariant_is_a_line_through_everything() -> None:
    (broken,) = [
        each for each in _traced([TimelineEvent(7, "broken", "")]) if each["name"] == "broken"
    ]
    assert (broken["s"], broken["ts"]) == ("g", 7_000)
