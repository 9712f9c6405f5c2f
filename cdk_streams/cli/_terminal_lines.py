"""Text on a terminal: long lines broken between words, what others wrote made harmless."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import Final

__all__ = ["fitted", "printable"]

_NARROWEST: Final = 40


def fitted(text: str) -> str:
    """Break lines at the width of the terminal; what goes to a file or a pipe is not broken."""
    if not sys.stdout.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    return "\n".join(_broken(line, width) for line in text.splitlines())


def printable(text: str) -> str:
    """Replace what could control the terminal, or look like another line."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


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
