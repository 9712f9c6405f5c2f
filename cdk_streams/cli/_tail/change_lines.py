"""A change as lines for a terminal: what the item is, and what of it has changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from cdk_streams.cli._terminal_lines import printable
from lambda_runtime import ABSENT, Change, Modify, Remove, to_json

__all__ = ["change_lines"]

_COLORS = {"Insert": "green", "Modify": "yellow", "Remove": "red"}


def change_lines(change: Change) -> Iterator[str]:
    """Yield a line about the change, and one for each attribute that it has changed."""
    kind = type(change).__name__
    keys = " ".join(f"{printable(name)}={_text(value)}" for name, value in change.keys.items())
    expired = " (expired)" if isinstance(change, Remove) and change.expired else ""
    yield (
        f"{change.created_at:%H:%M:%S} {click.style(kind.upper(), fg=_COLORS[kind], bold=True)} "
        f"{change.source.table} {keys}{expired}"
    )
    if isinstance(change, Modify) and change.has_new and change.has_old:
        for name, (before, after) in change.changes().items():
            yield _changed(name, before, after)
        return
    image: Mapping[str, Any] = (
        change.new if change.has_new else change.old if change.has_old else {}
    )
    sign, color = ("-", "red") if isinstance(change, Remove) else ("+", "green")
    for name, value in image.items():
        if name not in change.keys:
            yield click.style(f"    {sign} {printable(name)}: {_text(value)}", fg=color)


def _changed(name: str, before: Any, after: Any) -> str:
    if before is ABSENT:
        return click.style(f"    + {printable(name)}: {_text(after)}", fg="green")
    if after is ABSENT:
        return click.style(f"    - {printable(name)}: {_text(before)}", fg="red")
    old, new = click.style(_text(before), fg="red"), click.style(_text(after), fg="green")
    return f"    ~ {printable(name)}: {old} -> {new}"


def _text(value: Any) -> str:
    return to_json(value)  # ASCII: nothing in it controls the terminal.
