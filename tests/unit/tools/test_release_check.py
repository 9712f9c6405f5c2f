"""The release check names each problem that prevents a release."""

from __future__ import annotations

from pathlib import Path

from tools.release_check import PAGES, undecided, unpublished

PROJECT = {"version": "0.1.0", "urls": {"Repository": "https://git.example/x"}}
DATED = "# Changelog\n\n## [0.1.0] - 2027-01-31\n"


def test_nothing_is_left_of_a_dated_version_with_an_address() -> None:
    assert undecided(PROJECT, DATED, []) == []
    assert undecided(PROJECT, DATED, ["v0.1.0"]) == []


def test_a_section_without_its_day_is_named() -> None:
    (found,) = undecided(PROJECT, "## [0.1.0] - Unreleased\n", [])
    assert "put the date behind '## [0.1.0]'" in found


def test_a_missing_address_is_named() -> None:
    (found,) = undecided({"version": "0.1.0"}, DATED, [])
    assert "tools/set_address.py" in found


def test_a_tag_of_another_version_is_named() -> None:
    (found,) = undecided(PROJECT, DATED, ["v0.2.0"])
    assert found == "tag the version of pyproject.toml, v0.1.0, got ['v0.2.0']"


def test_a_sentence_about_a_version_that_is_not_published_is_found() -> None:
    assert unpublished("No version has been published yet.") == ["No version has been published"]
    assert unpublished("Install it with pip.") == []


def test_no_page_has_such_a_sentence_but_those_that_are_looked_at() -> None:
    root = Path(__file__).parents[3]
    found = {
        each.relative_to(root).as_posix()
        for each in (root / "README.md", *(root / "docs").glob("*.md"))
        if unpublished(each.read_text(encoding="utf-8"))
    }
    assert found - set(PAGES) == set()
