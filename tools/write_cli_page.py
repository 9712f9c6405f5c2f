"""Write what docs/cli.md says of the command's options, between its markers, from click.

The list of commands stands between `<!-- commands -->` and `<!-- end -->`; the usage line and the
options of `cdk-streams local` between `<!-- options: local -->` and `<!-- end -->`. All else on the
page is written by hand. A test compares the page with the commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from cdk_streams.cli import main

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
PROGRAM = "cdk-streams"
# Options that every command has; the page says them once.
EVERYWHERE = frozenset({"debug", "help"})
MARKED = re.compile(r"<!-- (commands|options: [\w -]+) -->\n.*?<!-- end -->", re.DOTALL)


def contexts(parent: click.Context | None = None) -> Iterator[click.Context]:
    """Yield each command that does something, those of groups too, as click would call it."""
    parent = parent or click.Context(main, info_name=PROGRAM, **main.context_settings)
    assert isinstance(parent.command, click.Group)  # noqa: S101 - only groups are gone into
    for name in parent.command.list_commands(parent):
        command = parent.command.commands[name]
        context = click.Context(command, info_name=name, parent=parent)
        if isinstance(command, click.Group):
            yield from contexts(context)
        else:
            yield context


def words(context: click.Context) -> str:
    """Return a command without the program's name: `local`, or `failures list`."""
    return context.command_path.removeprefix(PROGRAM).strip()


def options(context: click.Context) -> Iterator[click.Option]:
    """Yield a command's own options, in the order of its help."""
    for each in context.command.params:
        if isinstance(each, click.Option) and each.name not in EVERYWHERE:
            yield each


def section(context: click.Context) -> str:
    """Return the usage line of a command and the table of its options."""
    usage = " ".join([context.command_path, *context.command.collect_usage_pieces(context)])
    rows = [
        f"| {' | '.join(_cells(each, context))} |".replace("|  |", "| |")
        for each in options(context)
    ]
    table = ["", "| option | default | meaning |", "|---|---|---|", *rows] if rows else []
    return "\n".join([f"Usage: `{usage}`", *table])


def _cells(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    extra = option.get_help_extra(context)
    default = extra.get("default", "required" if "required" in extra else "")
    if default.startswith("("):
        default = default[1:-1]  # Told in words, such as "that of the source".
    elif default and "default" in extra:
        default = f"`{default}`"
    meaning = _marked(option.help or "")
    if isinstance(option.type, click.Choice):
        meaning += f" One of {', '.join(f'`{each}`' for each in option.type.choices)}."
    if isinstance(option.type, (click.IntRange, click.FloatRange)):
        meaning += f" {_range(option.type)}."
    name = " ".join([option.opts[0], *([option.metavar] if option.metavar else [])])
    return f"`{name}`", default, meaning.replace("|", r"\|")


def _range(numbers: click.IntRange | click.FloatRange) -> str:
    if numbers.min is not None and numbers.max is not None:
        return f"{numbers.min:,} to {numbers.max:,}"
    return f"More than {numbers.min:,}" if numbers.min_open else f"{numbers.min:,} or more"


def _marked(text: str) -> str:
    """Put the names of options into code."""
    return re.sub(r"(?<![`\w-])(--[a-z][\w-]*)(?!\w|`)", r"`\1`", " ".join(text.split()))


def commands() -> str:
    """Return the table of all commands, under the headings of the help."""
    heading_of = {each.name: title for title, listed in main.headings.items() for each in listed}
    rows: list[str] = []
    last = None
    for each in contexts():
        name = words(each)
        heading = heading_of[name.split()[0]]
        link = f"[`{name}`](#{PROGRAM}-{name.replace(' ', '-')})"
        short = each.command.get_short_help_str(limit=200)
        rows.append(f"|{f' {heading} ' if heading != last else ' '}| {link} | {short} |")
        last = heading
    return "\n".join(["| | command | what it does |", "|---|---|---|", *rows])


def written(text: str) -> str:
    """Return the page with what is between its markers as the commands have it."""
    sections = {f"options: {words(each)}": section(each) for each in contexts()}
    sections["commands"] = commands()

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        if name not in sections:
            raise SystemExit(f"{PAGE.name}: <!-- {name} --> names no command; remove it")
        return f"<!-- {name} -->\n{sections[name]}\n<!-- end -->"

    return MARKED.sub(replaced, text)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"docs/{PAGE.name}: written")
