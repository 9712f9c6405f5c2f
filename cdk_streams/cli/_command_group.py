"""The `cdk-streams` command itself: its subcommands stand under headings, in the order of use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

__all__ = ["CommandGroup"]


class CommandGroup(click.Group):
    """A group whose help lists its commands under headings.

    `headings` are the commands by the heading they stand under: {"Data": [backfill, compare]}.
    """

    def __init__(
        self, *args: Any, headings: Mapping[str, Iterable[click.Command]], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.headings = {heading: tuple(commands) for heading, commands in headings.items()}
        for commands in self.headings.values():
            for command in commands:
                self.add_command(command)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the headings."""
        return list(self.commands)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write a section for each heading, all with the same width of names."""
        width = max(map(len, self.commands))
        room = formatter.width - width - 6
        for heading, commands in self.headings.items():
            rows = [
                (str(each.name).ljust(width), each.get_short_help_str(room)) for each in commands
            ]
            with formatter.section(heading):
                formatter.write_dl(rows)
