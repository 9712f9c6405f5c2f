"""docs/data-movement.md is true: its blocks run one after the other, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "data-movement.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
LINKS = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in link]
# A block that begins so is a file of the reader's app.
FILE = re.compile(r"# (handlers/\w+\.py)\n")


def test_every_block_runs(
    stack: cdk.Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "handlers").mkdir()
    monkeypatch.chdir(tmp_path)
    for block in BLOCKS:
        if file := FILE.match(block):
            Path(file[1]).write_text(block, encoding="utf-8")
    names: dict[str, Any] = {"stack": stack, "__name__": "page"}
    for block in BLOCKS:
        exec(compile(block, "data-movement.md", "exec", dont_inherit=True), names)  # noqa: S102 - the page's own code


@pytest.mark.parametrize("link", LINKS)
def test_every_link_leads_somewhere(link: str) -> None:
    path, _, part = link.partition("#")
    assert (DOCS / path).exists()
    if not path:
        titles = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
        assert part in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
