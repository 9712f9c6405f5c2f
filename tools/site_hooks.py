"""Pages of the site that are no file of docs/: README as its start, the changes, the API.

mkdocs calls these functions by their names. The API's pages are written from the docstrings of what
each public package lists, so that docs/ holds nothing but Markdown that reads on a code host too.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files  # type: ignore[import-not-found] # in its own environment

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.write_api_page import listed, module_name, public_modules  # noqa: E402 - as a hook, it has no package

IMAGE = re.compile(r"(?<=\]\()docs/(?=pictures/)")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?![a-z]+:|#)([^)\s#]*)(#[^)\s]*)?\)")
# A batch of records in a table, which is no link: [1,2] [3].
BATCH = re.compile(r"(?<=[| ])\[([\d,]+)\]")
# A bar in the code of a table's cell. A code host needs the backslash; the site would show it.
ESCAPED_BAR = re.compile(r"^\|.*\\\|.*$", re.MULTILINE)
# Their home is another page: what the first lists, the others list too.
ELSEWHERE = ("cdk_streams.constructs",)
FROM_ROOT = {"index.md": "README.md", "changelog.md": "CHANGELOG.md"}


def api_pages() -> dict[str, str]:
    """Return the text of each API page: {"reference/cdk_streams.filters.md": ...}."""
    pages = {}
    for path in public_modules():
        module = module_name(path)
        if module not in ELSEWHERE:
            names = "\n".join(f"::: {module}.{name}\n" for name in listed(path))
            pages[f"reference/{module}.md"] = f"# {module}\n\n{names}"
    return pages


def on_config(config: Any) -> Any:
    """Add the API's pages to the navigation."""
    (reference,) = (part["Reference"] for part in config["nav"] if "Reference" in part)
    pages = {path: f"`{Path(path).stem}`" for path in api_pages()}
    reference.append({"API": [{Path(path).stem: path} for path in pages]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are no file of docs/, and what search needs in pages of a folder."""
    shim = (ROOT / "tools/site/node_modules/iframe-worker/shim/index.js").read_text("utf-8")
    files.append(File.generated(config, "assets/iframe-worker.js", content=shim))
    for name, source in FROM_ROOT.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(
            File.generated(config, name, content=IMAGE.sub("", LINK.sub(_from_docs, text)))
        )
    for name, text in api_pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001 - mkdocs names them
    """Leave the words of a link that leads out of the site: the repository has no address yet."""
    folder = posixpath.dirname(page.file.src_uri)

    def kept(link: re.Match[str]) -> str:
        words, path, _ = link.groups()
        found = files.get_file_from_path(posixpath.normpath(posixpath.join(folder, path)))
        return link[0] if found is not None and found.inclusion.is_included() else words

    markdown = ESCAPED_BAR.sub(lambda row: row[0].replace(r"\|", "|"), markdown)
    return LINK.sub(kept, BATCH.sub(r"\\[\1\\]", markdown))


def _from_docs(link: re.Match[str]) -> str:
    """Return a link of a page of the root as docs/ would say it."""
    words, path, part = link.groups()
    path = path.removeprefix("docs/") if path.startswith("docs/") else f"../{path}"
    return f"[{words}]({path}{part or ''})"
