"""The release check names each problem that prevents a release."""

from __future__ import annotations

from tools.release_check import undecided

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
