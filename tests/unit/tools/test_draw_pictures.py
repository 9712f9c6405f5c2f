"""The pictures of the pages are what the simulator does today."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from tools.draw_pictures import FOLDER, PICTURES
from tools.take_screenshots import LOCAL, POISON, SCREENSHOTS, poisoned

# How a terminal is drawn is the decision of the locked version of rich.
PINNED = {"check": pytest.mark.pinned}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=PINNED.get(name, ())) for name in PICTURES]
)
def test_a_picture_is_what_the_simulator_does(name: str) -> None:
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == PICTURES[name](), "make pictures"


def test_no_picture_is_left_that_nothing_draws() -> None:
    drawn = {f"{name}.svg" for name in PICTURES}
    assert {path.name for path in FOLDER.iterdir()} == drawn | SCREENSHOTS.keys() | {LOCAL}


def test_every_picture_is_on_a_page() -> None:
    pages = [path.read_text(encoding="utf-8") for path in FOLDER.parent.glob("*.md")]
    assert [path.name for path in FOLDER.iterdir() if path.name not in "".join(pages)] == []


def test_the_run_in_the_screenshots_isolates_one_record() -> None:
    consumer = poisoned().consumers["audit"]
    assert [each["dynamodb"]["Keys"]["pk"]["S"] for each in consumer.records("failed")] == [POISON]
    assert len(consumer.records("handled")) == 19


def test_the_local_run_in_a_terminal_is_the_tutorials() -> None:
    tutorial = (FOLDER.parent / "tutorial.md").read_text(encoding="utf-8")
    shown = ET.parse(FOLDER / LOCAL).getroot()  # noqa: S314 - our own file
    text = "".join(shown.itertext()).replace("\xa0", " ")
    command = "cdk-streams local --run 'python seed.py' --allow-failures"
    for each in (command, "every consumer has caught up"):
        assert each in text
        assert each in tutorial


@pytest.mark.parametrize("name", [*PICTURES, "local"])
def test_a_picture_describes_itself_and_loads_nothing(name: str) -> None:
    text = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    root = ET.fromstring(text)  # noqa: S314 - our own text
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert root.findtext("svg:title", namespaces=space)
    assert root.findtext("svg:desc", namespaces=space)
    assert "prefers-color-scheme:dark" in text
    assert re.findall(r"href=|src=|@import|url\((?!#)", text) == []
