from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from cdk_streams.simulator import NO_FAULTS, MappingSettings, World, timeline_trace
from cdk_streams.simulator._timeline.events import EVENT_KINDS, TimelineEvent


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


def _check_format(traced: list[dict[str, Any]]) -> None:
    """Hold a trace to the rules of the trace event format that viewers rely on."""
    named = {(each["pid"], each["tid"]) for each in traced if each["name"] == "thread_name"}
    processes = {each["pid"] for each in traced if each["name"] == "process_name"}
    slices: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for each in traced:
        assert each["ph"] in {"M", "X", "i", "C"}  # No flows, and nothing that has to be closed.
        assert isinstance(each["name"], str)
        assert each["name"]
        assert each["pid"] in processes
        if each["ph"] == "M":
            assert isinstance(each["args"]["name"], str)
            continue
        assert type(each["ts"]) is int
        if each["ph"] == "C":
            assert all(isinstance(value, int | float) for value in each["args"].values())
            continue
        assert (each["pid"], each["tid"]) in named or each.get("s") in {"g", "p"}
        if each["ph"] == "i":
            assert each["s"] in {"g", "p", "t"}
        else:
            assert each["dur"] >= 0
            slices[each["pid"], each["tid"]].append((each["ts"], each["ts"] + each["dur"]))
    for spans in slices.values():
        # Slices of one thread follow each other: a viewer draws crossing ones wrongly.
        spans.sort()
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))


@pytest.mark.parametrize("seed", range(3))
def test_a_run_under_faults_keeps_the_rules_of_the_format(seed: int) -> None:
    world = World(seed=seed)
    orders = world.table("Orders", shards=2)
    settings = MappingSettings(batch_size=2, parallelization_factor=4, retry_attempts=2)
    world.consumer("audit", lambda _e, c: c.spend(0.5), table=orders, settings=settings)
    world.consumer("stock", lambda _e, c: c.spend(0.2), table=orders)
    for number in range(40):
        orders.put({"pk": str(number)})
    world.run()

    traced = _traced(world)

    _check_format(traced)
    calls = [each for each in world.timeline if EVENT_KINDS[each.kind].group == "call"]
    assert sum(each["ph"] == "X" for each in traced) == len(calls)
    # Calls of one shard ran beside each other.
    assert any("lane 2" in each["args"].get("name", "") for each in traced if each["ph"] == "M")
