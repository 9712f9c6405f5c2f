"""The check of the built site: what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdk_streams.checks import RULES
from tools import check_site

ROOT = Path(__file__).parents[3]


def site_of(folder: Path, text: str, page: str = "") -> Path:
    (folder / "search").mkdir()
    index = {"docs": [{"title": "A <em>page</em>", "text": text}]}
    (folder / "search" / "search_index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "index.html").write_text(page, encoding="utf-8")
    (folder / "other.html").write_text('<h2 id="there">There</h2>', encoding="utf-8")
    return folder


def test_a_phrase_is_found_whatever_its_case_and_markup(tmp_path: Path) -> None:
    site = site_of(tmp_path, "<p>A <code>Poison</code> record &amp; more</p>")
    assert list(check_site.not_found(site, ["poison", "record & more"])) == []
    assert list(check_site.not_found(site, ["redrive"])) == [
        "search finds no 'redrive'; name it on a page"
    ]


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("other.html#there", None),
        ("#here", None),
        ("https://example.com/none.html", None),
        ("none.html", "index.html: none.html leads to no file"),
        ("other.html#nowhere", "index.html: other.html#nowhere leads to no place on its page"),
        ("#nowhere", "index.html: #nowhere leads to no place on its page"),
    ],
)
def test_a_link_ends_at_a_file_and_a_place(link: str, fault: str | None, tmp_path: Path) -> None:
    site = site_of(tmp_path, "", f'<h1 id="here">x</h1><a href="{link}">y</a>')
    assert list(check_site.dead_links(site)) == ([] if fault is None else [fault])


def test_each_check_is_looked_for() -> None:
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert {rule.id.rpartition(":")[2] for rule in RULES} <= {*check_site.check_ids(page)}


def test_the_site_is_checked_where_it_is_built() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "tools/check_site.py build/site" in makefile.partition("mkdocs build")[2]
