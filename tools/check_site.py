"""Checks of the built site: search finds what readers look for, and every link inside it ends.

Run as `python tools/check_site.py build/site`, after `mkdocs build`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

PHRASES = ("poison", "partial batch response", "iterator age", "on-failure destination", "redrive")
_SECTION = re.compile(r"^### (\w+)$", re.MULTILINE)
_LINK = re.compile(r'(?:href|src)="([^"]+)"')
_ANCHOR = re.compile(r'\bid="([^"]+)"')
_TAG = re.compile(r"<[^>]+>")


def check_ids(page: str) -> list[str]:
    """Return the id of each check that has a section on docs/checks.md."""
    return _SECTION.findall(page)


def not_found(site: Path, phrases: list[str]) -> Iterator[str]:
    """Yield a sentence for each phrase that the site's search would not find."""
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    texts = [
        unescape(_TAG.sub(" ", f"{each['title']} {each['text']}")).lower() for each in index["docs"]
    ]
    for phrase in phrases:
        if not any(phrase.lower() in text for text in texts):
            yield f"search finds no {phrase!r}; name it on a page"


def dead_links(site: Path) -> Iterator[str]:
    """Yield a sentence for each link to a page, a file or an anchor that the site does not have."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}
    anchors = {path: {*_ANCHOR.findall(text)} for path, text in pages.items()}
    for page, text in pages.items():
        if page.name == "404.html":  # Served for any address, so its links begin at the root.
            continue
        for link in sorted({*_LINK.findall(text)}):
            url = urlsplit(unescape(link))
            if url.scheme or url.netloc:
                continue
            target = (page.parent / unquote(url.path)).resolve() if url.path else page.resolve()
            if not target.exists():
                yield f"{page.relative_to(site)}: {link} leads to no file"
            elif (
                url.fragment and target in anchors and unquote(url.fragment) not in anchors[target]
            ):
                yield f"{page.relative_to(site)}: {link} leads to no place on its page"


def main(arguments: list[str]) -> int:
    """Print each fault of the site in the folder named; 1 when there is any."""
    site = Path(arguments[0]).resolve()
    page = Path(__file__).resolve().parents[1] / "docs" / "checks.md"
    ids = check_ids(page.read_text(encoding="utf-8"))
    found = [*not_found(site, [*PHRASES, *ids]), *dead_links(site)]
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(f"docs: search finds {len(PHRASES) + len(ids)} phrases, and no link is dead")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
