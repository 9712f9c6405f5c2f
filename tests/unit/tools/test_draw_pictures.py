"""The pictures of the pages are what the simulator does today."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tools.draw_pictures import FOLDER, PICTURES

# How a terminal is drawn is the decision of the locked version of rich.
PINNED = {"check": pytest.mark.pinned}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=PINNED.get(name, ())) for name in PICTURES]
)
def test_a_picture_is_what_the_simulator_does(name: str) -> None:
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == PICTURES[name](), "make pictures"


def test_no_picture_is_left_that_nothing_draws() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.svg" for name in PICTURES}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_describes_itself_and_loads_nothing(name: str) -> None:
    text = PICTURES[name]()
    root = ET.fromstring(text)  # noqa: S314 - our own text
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert root.findtext("svg:title", namespaces=space)
    assert root.findtext("svg:desc", namespaces=space)
    assert "prefers-color-scheme:dark" in text
    assert "://" not in text.replace(space["svg"], "")
