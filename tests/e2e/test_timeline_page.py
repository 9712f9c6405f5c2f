"""The timeline page in Chromium: what is in view, axe's rules, the keyboard, links to a record."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from cdk_streams.simulator import (
    NO_FAULTS,
    InvariantBroken,
    MappingSettings,
    World,
    timeline_html,
)

pytestmark = pytest.mark.e2e

AXE = Path(__file__).parents[2] / "tools" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
SIZES = ((390, 844), (1280, 800), (1920, 1080))
QUEUE = "arn:aws:sqs:us-east-1:123456789012:dead-letters"
# Bisect, destination, partial responses.
POISON = {
    "poison, bisect, queue": (True, True, False),
    "poison, bisect, no queue": (True, False, False),
    "poison, no bisect": (False, True, False),
    "poison, partial responses": (True, True, True),
}


def _poison(*, bisect: bool, queue: bool, reports: bool) -> World:
    world = World(3, faults=NO_FAULTS)
    orders = world.table("Orders")

    def handler(event: Any, context: Any) -> Any:
        context.spend(0.2)
        for record in event["Records"]:
            if record["dynamodb"]["Keys"]["pk"]["S"] == "6" and not reports:
                raise ValueError
            if record["dynamodb"]["Keys"]["pk"]["S"] == "6":
                number = record["dynamodb"]["SequenceNumber"]
                return {"batchItemFailures": [{"itemIdentifier": number}]}
        return {"batchItemFailures": []}

    settings = MappingSettings(
        batch_size=8,
        retry_attempts=3,
        bisect_batch_on_error=bisect,
        report_batch_item_failures=reports,
        on_failure=QUEUE if queue else None,
    )
    world.consumer("audit", handler, table=orders, settings=settings)
    for number in range(20):
        orders.put({"pk": str(number)})
        world.run_for(timedelta(milliseconds=50))
    world.run()
    return world


def _broken() -> World:
    """Three shards under faults; an invariant breaks past the end of a phone's screen."""
    world = World(9)
    orders, seen = world.table("Orders", shards=3), list[Any]()
    world.consumer("stock", lambda event, _context: seen.extend(event["Records"]), table=orders)
    world.always(lambda: len(seen) < 25, name="stock is never negative")
    for number in range(60):
        at = timedelta(seconds=number)
        world.call_after(at, partial(orders.put, {"pk": str(number)}))
    with pytest.raises(InvariantBroken):
        world.run()
    return world


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of each world's page."""
    folder, addresses = tmp_path_factory.mktemp("pages"), {}
    worlds = {
        name: _poison(bisect=bisect, queue=queue, reports=reports)
        for name, (bisect, queue, reports) in POISON.items()
    }
    worlds["a broken invariant"] = _broken()
    for number, (name, world) in enumerate(worlds.items()):
        file = folder / f"{number}.html"
        file.write_text(timeline_html(world, title=name), encoding="utf-8")
        addresses[name] = file.as_uri()
    return addresses


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A browser's page; an error in its console fails the test that caused it."""
    if not CHROMIUM:
        pytest.skip("no Chromium on the PATH; install the system's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        made = browser.new_page()
        yield made
        browser.close()


@pytest.fixture(autouse=True)
def _nothing_is_loaded_and_no_error_is_logged(page: Page) -> Iterator[None]:
    requests, errors = list[str](), list[str]()
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield
    assert errors == []
    assert {each.partition(":")[0] for each in requests} <= {"file"}


def _open(page: Page, address: str, size: tuple[int, int], scheme: Any = "light") -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)
    page.goto("about:blank")
    page.goto(address)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_cause_is_in_view_when_the_page_opens(
    page: Page, pages: dict[str, str], size: tuple[int, int]
) -> None:
    for name, address in pages.items():
        _open(page, address, size)
        cause = page.locator("#causes button").first
        box, mark = cause.bounding_box(), page.locator(".mark.chosen .ring").bounding_box()
        symbol = page.evaluate("kindOf(chosen).symbol")

        assert symbol == ("!" if "invariant" in name else "x"), name
        for each in (box, mark):
            assert each is not None, name
            assert each["x"] >= 0, name
            assert each["x"] + each["width"] <= size[0], name
            assert each["y"] + each["height"] <= size[1], name
        pane = page.locator("#laneScroll").bounding_box()
        assert mark is not None
        assert pane is not None
        assert pane["x"] <= mark["x"] <= pane["x"] + pane["width"] - mark["width"], name


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nothing_is_wider_than_the_window(
    page: Page, pages: dict[str, str], size: tuple[int, int]
) -> None:
    for address in pages.values():
        _open(page, address, size)
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES[:2], ids=str)
def test_axe_finds_nothing_serious(
    page: Page, pages: dict[str, str], size: tuple[int, int], scheme: str
) -> None:
    for name in ("poison, bisect, queue", "a broken invariant"):
        _open(page, pages[name], size, scheme)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")
        assert len(found["passes"]) > 10
        assert [
            (each["id"], each["nodes"][0]["html"])
            for each in found["violations"]
            if each["impact"] in {"serious", "critical"}
        ] == [], name


def test_the_two_schemes_differ(page: Page, pages: dict[str, str]) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        _open(page, pages["a broken invariant"], SIZES[1], scheme)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.locator("#theme").click()
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


@pytest.mark.parametrize("name", ["poison, bisect, queue", "a broken invariant"])
def test_every_event_is_reached_by_keyboard(page: Page, pages: dict[str, str], name: str) -> None:
    _open(page, pages[name], SIZES[0])
    page.locator(".mark.chosen").focus()
    reached: set[int] = set()

    def press(key: str) -> int:
        page.keyboard.press(key)
        at = int(page.evaluate("document.activeElement.dataset.index"))
        reached.add(at)
        return at

    def along(key: str) -> None:
        before = -1
        while (at := press(key)) != before:
            before = at

    along("ArrowUp")
    for _ in range(page.evaluate("new Set(run.events.map((_, index) => laneOf(index))).size")):
        along("ArrowLeft")
        along("ArrowRight")
        press("ArrowDown")

    assert reached == set(range(page.evaluate("run.events.length")))
    assert press("Home") == 0
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("00:00:00.000: an item was inserted; Orders")


def test_a_record_is_followed_by_key_by_click_and_by_link(
    page: Page, pages: dict[str, str]
) -> None:
    address = pages["poison, bisect, queue"]
    _open(page, address, SIZES[1])
    page.locator(".mark.chosen").focus()
    page.keyboard.press("Enter")
    by_key, link = page.locator("#rows tr").all_text_contents(), page.url
    page.locator("#unfollow").click()
    unfollowed = page.locator("#rows tr").count()
    page.locator("#detail .record").first.click()
    by_click = page.locator("#rows tr").all_text_contents()
    _open(page, link, SIZES[1])
    by_link = page.locator("#rows tr").all_text_contents()

    assert "#record=" in link
    # A write, seven calls of which the last four are of the poison alone, its failure record.
    assert [row[12] for row in by_key] == ["+", "x", "x", "x", "x", "x", "x", "F"]
    assert by_key == by_click == by_link
    assert unfollowed > len(by_key)


def test_a_link_goes_to_a_moment(page: Page, pages: dict[str, str]) -> None:
    _open(page, pages["a broken invariant"] + "#t=0", SIZES[0])
    assert "00:00:00.000" in (page.locator("#detail").text_content() or "")


def test_events_of_one_moment_have_a_place_each(page: Page, pages: dict[str, str]) -> None:
    for name, address in pages.items():
        _open(page, address, SIZES[2])
        boxes = page.evaluate(
            "[...document.querySelectorAll('.mark .ring')].map((each) => "
            "`${each.getAttribute('x')} ${each.getAttribute('y')}`)"
        )
        assert len(boxes) == len(set(boxes)) == page.evaluate("run.events.length"), name


def test_spread_by_time_counts_what_lies_together(page: Page, pages: dict[str, str]) -> None:
    _open(page, pages["poison, bisect, queue"], SIZES[0])
    page.locator("#scale").select_option("time")
    marks = page.locator(".mark").count()
    sizes = page.locator("text.size").all_text_contents()
    together = [int(each[1:]) for each in sizes if each.startswith("\N{MULTIPLICATION SIGN}")]
    assert together
    events = page.evaluate("run.events.length")
    assert sum(together) + marks - len(together) == events


def test_a_broken_invariant_crosses_every_lane_and_plot(page: Page, pages: dict[str, str]) -> None:
    _open(page, pages["a broken invariant"], SIZES[1])
    rules = page.evaluate(
        "[...document.querySelectorAll('.scroll > svg')].map((svg) => [...svg.querySelectorAll("
        '\'line[stroke="var(--bad)"][stroke-width="2"]\')].map((line) => '
        "line.getAttribute('y2') === svg.getAttribute('height')))"
    )
    assert rules == [[True]] * (1 + page.evaluate("run.plots.length"))
    assert len(rules) > 2
