"""One command gives the project its addresses; README's links then work on a package index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tools.set_address import main, with_address

ROOT = Path(__file__).parents[3]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
ADDRESS = "https://git.example/owner/cdk-streams"
SITE = "https://pages.example/cdk-streams/"


def readme_on_an_index(pyproject: str) -> str:
    hooks = tomllib.loads(pyproject)["tool"]["hatch"]["metadata"]["hooks"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for each in hooks["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(each["pattern"], each["replacement"], text)
    return text


def test_the_metadata_names_both_addresses() -> None:
    urls = tomllib.loads(with_address(PYPROJECT, ADDRESS, SITE))["project"]["urls"]
    assert urls["Repository"] == ADDRESS
    assert urls["Documentation"] == SITE


def test_each_link_and_picture_of_readme_becomes_a_file_of_the_versions_tag() -> None:
    text = readme_on_an_index(with_address(PYPROJECT, ADDRESS, SITE))
    links = re.findall(r"(!?)\[[^\]]+\]\(([^)]+)\)", text)
    pictures = [link for mark, link in links if mark]
    assert len(pictures) == len(re.findall(r"!\[", text)) > 0
    for mark, link in links:
        begin = f"{ADDRESS}/{'raw' if mark else 'blob'}/v$HFPR_VERSION/"
        assert link.startswith(begin)
        assert (ROOT / link.removeprefix(begin).partition("#")[0]).exists()


def test_without_an_address_no_link_is_left_that_leads_nowhere() -> None:
    text = readme_on_an_index(PYPROJECT)
    assert re.findall(r"\]\((?!https://)", text) == []


def test_another_address_replaces_the_first() -> None:
    before = with_address(PYPROJECT, "https://git.example/before", "https://before.example/")
    assert with_address(before, ADDRESS, SITE) == with_address(PYPROJECT, ADDRESS, SITE)


@pytest.mark.parametrize("addresses", [[], [ADDRESS], [ADDRESS, "pages.example"]])
def test_what_is_no_pair_of_addresses_is_refused(
    addresses: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(addresses) == 1
    assert f"got {addresses}" in capsys.readouterr().err
