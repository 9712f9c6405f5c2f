"""Write the repository's address, and that of the published pages, where a release names them.

    python tools/set_address.py https://git.example/owner/cdk-streams https://pages.example/cdk-streams/

It writes `[project.urls]`, makes README's links and pictures on a package index absolute (they name
the version's tag), and lets findings and alarms name the published pages instead of files. Run it
once, or again with another address. `/blob/` and `/raw/` before a tag are GitHub's.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
URLS = """\
[project.urls]
Documentation = "{site}"
Repository = "{address}"
Issues = "{address}/issues"
Changelog = "{address}/blob/main/CHANGELOG.md"

"""
# Pictures first: what is absolute already is no longer one of the links.
SUBSTITUTIONS = """\
[[tool.hatch.metadata.hooks.fancy-pypi-readme.substitutions]]
pattern = '!\\[([^\\]]*)\\]\\((?!https://)([^)]+)\\)'
replacement = '![\\1]({address}/raw/v$HFPR_VERSION/\\2)'

[[tool.hatch.metadata.hooks.fancy-pypi-readme.substitutions]]
pattern = '\\[([^\\]]+)\\]\\((?!https://)([^)]+)\\)'
replacement = '[\\1]({address}/blob/v$HFPR_VERSION/\\2)'

"""


def with_address(pyproject: str, address: str, site: str) -> str:
    """Return the text of pyproject.toml with both addresses."""
    text = re.sub(r"\[project\.urls\]\n(?:.+\n)*\n", "", pyproject)
    text = text.replace("[project.scripts]\n", f"{URLS}[project.scripts]\n")
    table = r"\[\[tool\.hatch\.metadata\.hooks\.fancy-pypi-readme\.substitutions\]\]\n"
    text = re.sub(rf"(?:{table}(?:.+\n)+\n)+", lambda _: SUBSTITUTIONS, text)
    text = re.sub(r"# A relative link leads nowhere.*\n# docs/releasing\.md .*\n", COMMENT, text)
    return text.replace("{address}", address).replace("{site}", site)


COMMENT = "# A relative link leads nowhere on a package index; tools/set_address.py wrote these.\n"


def main(addresses: list[str]) -> int:
    """Write both files; 1 when the addresses are not two that begin with https://."""
    if len(addresses) != 2 or not all(each.startswith("https://") for each in addresses):  # noqa: PLR2004 - the two of the first lines
        print(
            "expected the repository's address and that of the published pages, both beginning "
            f"with https://, got {addresses}",
            file=sys.stderr,
        )
        return 1
    address, site = addresses[0].rstrip("/"), addresses[1].rstrip("/") + "/"
    pyproject, pages = ROOT / "pyproject.toml", ROOT / "cdk_streams" / "_documentation.py"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(with_address(text, address, site), encoding="utf-8")
    text = pages.read_text(encoding="utf-8")
    pages.write_text(
        re.sub(r'^SITE: Final = ".*"$', f'SITE: Final = "{site}"', text, flags=re.MULTILINE),
        encoding="utf-8",
    )
    print("written; now: pytest --snapshot-update, make api, make pictures, make release-check")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
