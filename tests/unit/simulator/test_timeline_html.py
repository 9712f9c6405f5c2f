from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

from cdk_streams.simulator import NO_FAULTS, World, simulate, timeline_html
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


def test_the_page_lets_no_script_run_but_its_own() -> None:
    page = timeline_html(_world())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)

    assert policy is not None
    (script,) = scripts
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert policy[1].split("; ")[:2] == ["default-src 'none'", f"script-src 'sha256-{digest}'"]
    assert not re.search(r"<[^>]+\son\w+=", page)


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
