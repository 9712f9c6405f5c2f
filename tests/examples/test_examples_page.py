"""docs/examples.md lists every example, and says truly which ones can be copied."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PAGE = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| .+ \| \[(\w+)\]\(\.\./(\S+)\) \| .+ \|$", PAGE, re.MULTILINE))
FOLDERS = sorted(each.name for each in EXAMPLES.iterdir() if (each / "app.py").is_file())
ALONE = [
    name
    for name in FOLDERS
    if (app := EXAMPLES / name / "cdk.json").is_file()
    and json.loads(app.read_text(encoding="utf-8")) == {"app": "python app.py"}
]


def test_each_example_is_a_row() -> None:
    assert sorted(ROWS) == FOLDERS


@pytest.mark.parametrize("name", FOLDERS)
def test_a_row_leads_to_its_page(name: str) -> None:
    assert ROWS[name].startswith(f"examples/{name}/")
    assert (ROOT / ROWS[name]).is_file()


def test_the_page_names_those_that_can_be_copied() -> None:
    (told,) = re.findall(r"^(.+) are projects of their own", PAGE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", told) == ALONE
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"STANDALONE_EXAMPLES := {' '.join(ALONE)}\n" in makefile


@pytest.mark.parametrize("name", ALONE)
def test_one_that_can_be_copied_imports_nothing_of_this_repository(name: str) -> None:
    sources = [*(EXAMPLES / name).rglob("*.py")]
    assert sources
    for source in sources:
        text = source.read_text(encoding="utf-8")
        assert not re.search(r"^(from|import) (examples|tests|tools)\b", text, re.MULTILINE)


@pytest.mark.parametrize("name", FOLDERS)
def test_the_links_and_the_python_lines_of_its_page_are_true(name: str) -> None:
    if not (page := EXAMPLES / name / "README.md").is_file():
        assert ROWS[name].endswith(".py")
        return
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert (page.parent / link).exists(), link
    sources = (each.read_text(encoding="utf-8") for each in (EXAMPLES / name).rglob("*.py"))
    code = "".join(map(squeezed, sources))
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        assert squeezed(block) in code, block


def squeezed(code: str) -> str:
    """Return code without spaces and last commas, which a page lays out as it likes."""
    return "".join(code.split()).replace(",)", ")")
