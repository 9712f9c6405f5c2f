"""A terminal as SVG: what a command really printed, in the reader's light or dark setting.

rich draws it; the format here is rich's without the font that it would load.
"""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

WIDTH: Final = 84
LIGHT: Final = TerminalTheme((255, 255, 255), (31, 35, 40), [(31, 35, 40)] * 8)
FORMAT: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>TITLE</title>
<desc>DESCRIPTION</desc>
<style>
.{unique_id}-matrix{{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;\
font-size:{char_height}px;line-height:{line_height}px;font-variant-east-asian:full-width}}
{styles}
.{unique_id}-chrome>rect{{stroke:#d0d7de}}
@media (prefers-color-scheme:dark){{.{unique_id}-matrix text{{fill:#e6edf3}}\
.{unique_id}-chrome>rect{{fill:#0d1117;stroke:#3d444d}}}}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
<g class="{unique_id}-chrome">{chrome}</g>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def printed(*arguments: str, folder: Path) -> str:
    """Run `cdk-streams` on a terminal of `WIDTH` columns in a folder; return what it printed.

    The terminal is a `dumb` one, which cannot go back: of a changing line the last state stays.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "cdk_streams", *arguments],
        cwd=folder,
        env=os.environ | {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    text = bytearray()
    while part := _part(ours):
        text += part
    os.close(ours)
    process.wait()
    return text.decode().replace("\r\n", "\n")


def picture(command: str, text: str, description: str) -> str:
    """Return the SVG of a terminal in which a command has printed a text."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), legacy_windows=False)
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text(f"{text.rstrip()}\n"))
    drawn = console.export_svg(title="", theme=LIGHT, code_format=FORMAT, unique_id="terminal")
    return drawn.replace("TITLE", command, 1).replace("DESCRIPTION", description, 1)


def _part(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so at the end of the other side.
        return b""
