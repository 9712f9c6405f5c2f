"""A picture as SVG text: rows from top to bottom, 400 units wide, as a phone is.

It brings its own background and follows the reader's light or dark setting; it loads nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH = 400
MARGIN = 16
CELL = 26
ROW = 30
STYLE = """
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#1f2328}
.head{font-weight:600}.note{fill:#57606a;font-size:12px}.mid{text-anchor:middle}
.card{fill:#fff;stroke:#d0d7de}.line{stroke:#57606a;fill:none}.tip{fill:#57606a}
.box{fill:#f6f8fa;stroke:#8c959f}.handled{fill:#c8ecd0;stroke:#1a7f37}
.failed{fill:#ffd8d3;stroke:#cf222e;stroke-width:2}.left{fill:#fff3c4;stroke:#9a6700}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9da7b3}
.card{fill:#0d1117;stroke:#3d444d}.line{stroke:#9da7b3}.tip{fill:#9da7b3}
.box{fill:#1b222b;stroke:#768390}.handled{fill:#11391f;stroke:#3fb950}
.failed{fill:#561b1b;stroke:#f85149}.left{fill:#4a3a10;stroke:#d29922}}
"""


class Picture:
    """Rows that are added from top to bottom; `svg()` is the file's text."""

    def __init__(self, title: str, description: str) -> None:
        self._title = title
        self._description = description
        self._parts: list[str] = []
        self._y = MARGIN
        self.heading(title)

    def heading(self, text: str) -> None:
        """Add a line in bold."""
        self._text(MARGIN, self._y + 15, text, "head")
        self._y += 24

    def note(self, text: str) -> None:
        """Add a line of explanation, at most about 62 characters."""
        self._text(MARGIN, self._y + 13, text, "note")
        self._y += 20

    def gap(self, height: int = 10) -> None:
        """Leave room."""
        self._y += height

    def cells(self, cells: Sequence[tuple[str, str]], text: str = "", places: int = 6) -> None:
        """Add a row of records, each a label and a kind of the style, with a text to their right.

        A record without a kind leaves its place empty.
        """
        for place, (label, kind) in enumerate(cells):
            if kind:
                x = MARGIN + place * (CELL + 4)
                self._rect(x, self._y, CELL, CELL, kind)
                self._text(x + CELL // 2, self._y + 18, label, "mid")
        self._text(MARGIN + places * (CELL + 4) + 8, self._y + 18, text, "note")
        self._y += ROW

    def table(self, rows: Sequence[Sequence[tuple[str, str]]], widths: Sequence[int]) -> None:
        """Add rows of boxes of these widths, each a text and a kind of the style, or none."""
        for row in rows:
            x = MARGIN
            for (text, kind), width in zip(row, widths, strict=True):
                if kind:
                    self._rect(x, self._y, width - 4, CELL, kind)
                self._text(x + 6 * bool(kind), self._y + 18, text, "" if kind else "note")
                x += width
            self._y += ROW

    def box(self, text: str, note: str = "", kind: str = "box") -> None:
        """Add a box over the whole width, with a text and a second line."""
        self._rect(MARGIN, self._y, WIDTH - 2 * MARGIN, 44, kind)
        self._text(MARGIN + 12, self._y + 18, text, "head")
        self._text(MARGIN + 12, self._y + 36, note, "note")
        self._y += 44

    def arrow(self, text: str) -> None:
        """Add an arrow down from one box to the next, with what goes along it."""
        x = MARGIN + 24
        self._parts.append(
            f'<path class="line" d="M{x} {self._y + 2}v20"/>'
            f'<path class="tip" d="M{x - 5} {self._y + 20}h10l-5 8z"/>'
        )
        self._text(x + 14, self._y + 19, text, "note")
        self._y += 30

    def spans(self, spans: Sequence[tuple[float, float, str]], kind: str, label: str) -> None:
        """Add a row of bars behind a label: where each begins, its length, both of 1, its text."""
        room = WIDTH - 2 * MARGIN - 92
        self._text(MARGIN, self._y + 18, label, "note")
        for begin, length, text in spans:
            x = MARGIN + 92 + begin * room
            self._rect(round(x), self._y, round(length * room) - 3, CELL, kind)
            self._text(round(x + length * room / 2), self._y + 18, text, "mid")
        self._y += ROW

    def svg(self) -> str:
        """Return the text of the file."""
        height = self._y + MARGIN - 4
        body = "\n".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img">\n'
            f"<title>{escape(self._title)}</title>\n<desc>{escape(self._description)}</desc>\n"
            f"<style>{STYLE}</style>\n"
            f'<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>\n'
            f"{body}\n</svg>\n"
        )

    def _rect(self, x: int, y: int, width: int, height: int, kind: str) -> None:
        self._parts.append(
            f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>'
        )

    def _text(self, x: int, y: int, text: str, kind: str) -> None:
        if text:
            self._parts.append(f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>')
