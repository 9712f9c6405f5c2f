"""Long sentences on a terminal: broken between words, with the indent of their line."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import Final

__all__ = ["fitted"]

_NARROWEST: Final = 40


def fitted(text: str) -> str:
    """Break lines at the width of the terminal; what goes to a file or a pipe is not broken."""
    if not sys.stdout.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    return "\n".join(_broken(line, width) for line in text.splitlines())


def _broken(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
