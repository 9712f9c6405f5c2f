"""The words of the field: CONTRIBUTING.md lists them, and what they replace stays out."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# Chosen so that no sentence about DynamoDB or Lambda needs them; comments are free.
REFUSED = (
    *("befalls?", "befell", "furnish(es|ed)?", "happenings?", "whoever", "seldom", "at hand"),
    *("told of", "tells nobody", "speaks? of", "what became of", "lets? go of", "glance"),
    *("own words", "the hands that", "poison pill", "(is|are|was|were) told"),
)


@cache
def _texts() -> list[tuple[str, str]]:
    """Return the strings of the sources and the users' pages, each with its place."""
    pages = (
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "examples").glob("*/README.md"),
        *(ROOT / "conformance").glob("*.md"),
        ROOT / "README.md",
    )
    return [
        *(
            (f"{path.relative_to(ROOT)}", path.read_text(encoding="utf-8"))
            for path in sorted(pages)
        ),
        *_strings(),
    ]


def _strings() -> list[tuple[str, str]]:
    """Return docstrings, messages and every other string of the sources."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node.value)
        for package in ("cdk_streams", "lambda_runtime")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.mark.parametrize("word", REFUSED)
def test_a_word_of_our_own_stays_out_of_docstrings_messages_and_pages(word: str) -> None:
    wanted = re.compile(rf"\b{word}\b".replace(" ", r"\s+"), re.IGNORECASE)
    found = [place for place, text in _texts() if wanted.search(text)]
    assert found == [], f"{word!r} is in the word list of CONTRIBUTING.md"


def test_the_word_list_says_what_each_term_replaces() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", CONTRIBUTING, re.MULTILINE)
    terms = [term for term, _, _ in rows]
    for term in (
        *("event source mapping", "stream record", "invocation", "checkpoint", "failure record"),
        *("on-failure destination", "partial batch response", "poison record", "iterator age"),
        *("assumption", "timeline event"),
    ):
        assert term in terms
