from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from cdk_streams.simulator import (
    NO_FAULTS,
    InvariantBroken,
    MappingSettings,
    World,
    simulate,
    timeline_html,
)
from cdk_streams.simulator._records import insert
from cdk_streams.simulator._timeline.events import EVENT_KINDS, TimelineEvent


def _data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="run">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def _world(shards: int = 2) -> World:
    world = World(4)
    orders = world.table("Orders", shards=shards)
    world.consumer("audit", lambda _event, _context: None, table=orders)
    for number in range(40):
        orders.put({"pk": str(number)})
    world.run()
    return world


def test_the_page_needs_nothing_beside_itself() -> None:
    page = timeline_html(_world(), title="orders")

    assert not re.search(r"""(src|href)\s*=|@import|url\(|https?:""", page)


def test_every_line_of_the_timeline_is_on_the_page() -> None:
    world = _world()
    data = _data(timeline_html(world, title="orders"))

    kinds = list(EVENT_KINDS)
    assert data["title"] == "orders"
    assert [(at, kinds[kind]) for at, kind, *_ in data["events"]] == [
        (each.at_ms, each.kind) for each in world.timeline
    ]
    assert sum(kind["count"] for kind in data["kinds"]) == len(world.timeline)


def test_every_event_is_in_the_lane_of_its_shard() -> None:
    world = _world()
    data = _data(timeline_html(world))

    lanes = [lane for group in data["groups"] for lane in group["lanes"]]
    for shown, event in zip(data["events"], world.timeline, strict=True):
        if event.shard_id:
            assert event.shard_id in lanes[shown[3]]["shards"]
        else:
            assert shown[3] == -1


def test_two_shards_share_a_lane_only_one_after_the_other() -> None:
    lines = [
        TimelineEvent(0, "insert", "Orders", "one"),
        TimelineEvent(1, "insert", "Orders", "two"),
        TimelineEvent(2, "shards", "Orders", "one"),
        TimelineEvent(3, "insert", "Orders", "three"),
        TimelineEvent(4, "insert", "Orders", "two"),
    ]

    (group,) = _data(timeline_html(lines))["groups"]

    assert group["name"] == "writes to Orders"
    assert [lane["shards"] for lane in group["lanes"]] == [["one", "three"], ["two"]]


def test_text_that_looks_like_markup_stays_text() -> None:
    attack = "<!--<script></script><b>&"
    lines = [TimelineEvent(0, "failed", "Orders", detail=attack)]

    page = timeline_html(lines, title="<!--<script")

    data = _data(page)
    assert data["title"] == "<!--<script"
    assert data["events"][0][-1].endswith(attack)
    # An HTML parser reads neither a comment nor an element where the data stands.
    for mark in ("<!--", "<script", "</script>"):
        assert page.count(mark) == timeline_html([]).count(mark)


def test_the_page_lets_no_script_and_no_style_in_but_its_own() -> None:
    page = timeline_html(_world())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)

    assert policy is not None
    digests = [b64encode(sha256(each.encode()).digest()).decode() for each in (*scripts, *styles)]
    assert policy[1].split("; ")[:3] == [
        "default-src 'none'",
        f"script-src 'sha256-{digests[0]}'",
        f"style-src 'sha256-{digests[1]}'",
    ]
    assert len(digests) == 2
    assert not re.search(r"<[^>]+\s(on\w+|style)=", page)


def test_lost_records_and_broken_invariants_are_alarms() -> None:
    calm = _data(timeline_html([]))["facts"]
    lines = [TimelineEvent(0, "lost", "Orders", "one"), TimelineEvent(61_000, "broken", "")]
    alarming = _data(timeline_html(lines))["facts"]

    assert not any(alarm for *_, alarm in calm)
    assert [name for name, _, alarm in alarming if alarm] == [
        "lost or trimmed",
        "broken invariants",
    ]
    assert alarming[0] == ["duration", "61.0 s", False]


def test_a_run_of_simulate_has_a_page_too() -> None:
    run = simulate(lambda _event, _context: None, [insert({"pk": "1"})])

    kinds = [kind["meaning"] for kind in _data(timeline_html(run))["kinds"] if kind["count"]]
    assert kinds == ["the consumer begins to read", "a batch was handled"]


def test_an_empty_run_has_a_page() -> None:
    assert _data(timeline_html(World(faults=NO_FAULTS)))["events"] == []


def _poison(settings: MappingSettings) -> World:
    """Eight records, of which #7 fails whenever it is handled; a call takes 200 ms."""
    world = World(3, faults=NO_FAULTS)
    orders = world.table("Orders")

    def handler(event: Any, context: Any) -> Any:
        context.spend(0.2)
        for record in event["Records"]:
            if record["dynamodb"]["Keys"]["pk"]["S"] == "6":
                raise ValueError("secret-of-an-item")

    for number in range(8):
        orders.put({"pk": str(number), "note": "secret-of-an-item"})
    world.consumer("audit", handler, table=orders, settings=settings)
    world.run()
    return world


BISECT = MappingSettings(batch_size=8, retry_attempts=1, bisect_batch_on_error=True)


def _shape(tree: dict[str, Any]) -> list[Any]:
    return [tree["name"], len(tree["attempts"]), *map(_shape, tree["parts"])]


def test_a_bisected_batch_is_a_tree_of_its_parts_and_attempts() -> None:
    (tree,) = _data(timeline_html(_poison(BISECT)))["trees"]

    assert _shape(tree) == [
        "#1-#8 (8)",
        1,
        ["#1-#4 (4)", 1],
        ["#5-#8 (4)", 1, ["#5-#6 (2)", 1], ["#7-#8 (2)", 1, ["#7", 2], ["#8", 1]]],
    ]


def test_what_went_wrong_leads_to_the_last_failing_call() -> None:
    data = _data(timeline_html(_poison(BISECT)))

    ((text, place),) = data["causes"]
    assert text.startswith(
        "audit discarded #7 after attempt 2, which raised ValueError; its failure"
    )
    assert "attempt 2" in data["events"][place][8]
    assert data["events"][place][7] == 2


def test_a_broken_invariant_comes_first_of_what_went_wrong() -> None:
    world = _poison(BISECT)
    world.eventually(lambda: False, name="every order is counted")
    with pytest.raises(InvariantBroken):
        world.run()

    causes = _data(timeline_html(world))["causes"]
    assert causes[0] == [
        "An invariant broke: every order is counted: it gave False",
        len(world.timeline) - 1,
    ]


def test_a_shard_stands_still_until_something_is_settled() -> None:
    whole = MappingSettings(batch_size=8, retry_attempts=2)
    ((lane, begun, ended, attempts, over),) = _data(timeline_html(_poison(whole)))["standing"]

    assert (lane, attempts, over) == (1, 3, True)
    assert ended - begun > 600


def test_plots_are_of_what_was_measured() -> None:
    world = _data(timeline_html(_poison(BISECT)))["plots"]
    run = simulate(lambda _event, _context: None, [insert({"pk": "1"})])
    given = _data(timeline_html(run))["plots"]

    assert [each["name"] for each in world] == [
        "Iterator age",
        "Batch size",
        "Waiting records",
        "Concurrency",
    ]
    waiting = [value for _, value in world[2]["lines"][0][1]]
    assert (max(waiting), waiting[-1]) == (8, 0)
    # Records that were given were not written in the run, and this call takes no time.
    assert [each["name"] for each in given] == ["Iterator age", "Batch size"]


def test_facts_that_were_not_measured_are_absent() -> None:
    assert "highest iterator age" not in [name for name, *_ in _facts([])]
    run = simulate(lambda _event, _context: None, [insert({"pk": "1"})])
    assert not {"writes", "broken invariants"} & {name for name, *_ in _facts(run)}


def _facts(source: Any) -> list[list[Any]]:
    found: list[list[Any]] = _data(timeline_html(source))["facts"]
    return found


def test_the_page_has_the_settings_and_the_command_that_replays_it() -> None:
    setup = _data(timeline_html(_poison(BISECT)))["setup"]

    assert (setup["seed"], setup["replay"]) == (3, "World(seed=3)")
    ((name, settings),) = setup["consumers"]
    assert (name, settings["BatchSize"], settings["Timeout"]) == ("audit", 8, "3 s")


def test_no_item_is_on_the_page() -> None:
    assert "secret-of-an-item" not in timeline_html(_poison(BISECT))


def test_an_event_names_its_records() -> None:
    data = _data(timeline_html(_poison(BISECT)))

    names = [name for _, name in data["records"]]
    first, last = next(event[6] for event in data["events"] if event[7] == 1)
    assert (names[first], names[last]) == ("#1", "#8")
