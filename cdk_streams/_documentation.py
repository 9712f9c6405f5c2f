"""Where the pages of the documentation are, for messages that name one."""

from __future__ import annotations

from typing import Final

__all__ = ["page"]

SITE: Final = ""
"""The address of the published site, with a slash at its end; empty while there is none."""


def page(name: str, anchor: str, *, site: str = SITE) -> str:
    """Return the address of a page's section: `docs/checks.md#nostream`, or that on the site.

    Without a published site it is the file in the tree of the source code.
    """
    place = f"#{anchor.lower()}"
    return f"{site}{name}.html{place}" if site else f"docs/{name}.md{place}"
