"""The templates that `check`, `explain` and `simulate` are given, and the parameters for them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from cdk_streams.cli._command import CommandError

__all__ = [
    "NamedTemplate",
    "in_template_words",
    "parameter_option",
    "read_templates",
    "refuse_undeclared",
    "templates_argument",
]

_STDIN: Final = "-"
_DEFAULT: Final = "cdk.out"
_ARGUMENT: Final = re.compile(r"parameters=\{'(\w+)': …\}")


class NamedTemplate(NamedTuple):
    """A template as plain values, by the path of its file or the name of its stack."""

    name: str
    values: Mapping[str, Any]
    # Of a stack, the values that its parameters have; those it hides (NoEcho) are left out.
    deployed: Mapping[str, str] = {}

    @property
    def declared(self) -> Mapping[str, Any]:
        """The parameters that the template declares."""
        found = self.values.get("Parameters")
        return found if isinstance(found, Mapping) else {}

    def parameters(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the values of the parameters that the template declares, the given ones first."""
        values = {**self.deployed, **given}
        return {name: value for name, value in values.items() if name in self.declared}


def _named(
    _context: click.Context, _option: click.Parameter, given: Sequence[str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--parameter must be NAME=VALUE, got {each!r}")
        if name in found:
            raise click.UsageError(f"--parameter must name each parameter once, got {name} twice")
        found[name] = value
    return found


templates_argument = click.argument("templates", nargs=-1, metavar="[TEMPLATE]...")
parameter_option = click.option(
    "--parameter",
    "parameters",
    multiple=True,
    callback=_named,
    metavar="NAME=VALUE",
    help="Value of a template's parameter in place of its default; may be given several times.",
)


def read_templates(
    names: Sequence[str], unreadable: list[str] | None = None
) -> list[NamedTemplate]:
    """Read files, the templates of folders and standard input (`-`); without a name, `cdk.out`.

    A folder's template that cannot be read is an error, or a sentence more in `unreadable`.
    """
    return [
        each
        for name in names or (_DEFAULT,)
        for each in _templates(name, is_given=bool(names), unreadable=unreadable)
    ]


def refuse_undeclared(parameters: Mapping[str, str], templates: Sequence[NamedTemplate]) -> None:
    """Refuse a parameter that no template declares."""
    declared = {name for each in templates for name in each.declared}
    for name in parameters:
        if name not in declared:
            there = ", ".join(sorted(declared)) or "none"
            raise click.UsageError(
                f"--parameter must name a parameter of the template, got {name}; there is {there}"
            )


def in_template_words(sentence: str) -> str:
    """Return a sentence of the Python API in the words of a template and the command line."""
    from cdk_streams.mapping import MappingSettings  # noqa: PLC0415 - not for --help

    properties = {
        name: prop for name, prop in MappingSettings.property_names().items() if "_" in name
    }
    setting = rf"\b({'|'.join(properties)})\b( \(\w+\))?"
    said = re.sub(setting, lambda found: properties[found[1]], sentence)
    said = said.replace("filters[", "FilterCriteria.Filters[")
    return _ARGUMENT.sub(r"--parameter \1=…", said)


def _templates(
    name: str, *, is_given: bool, unreadable: list[str] | None
) -> Iterator[NamedTemplate]:
    from cdk_streams.errors import TemplateError  # noqa: PLC0415 - not for --help
    from cdk_streams.template import load  # noqa: PLC0415 - not for --help

    path = Path(name)
    if not name:
        # A shell's variable that is not set must not mean the current folder.
        raise CommandError("TEMPLATE must be a file, a folder or -, got ''; name one")
    if name == _STDIN:
        # With a line end it is a text, whatever it holds, and no path.
        yield NamedTemplate("standard input", load(_stdin() + "\n", name="standard input"))
    elif path.is_dir():
        found = sorted(path.rglob("*.template.json"))
        if not found:
            raise CommandError(
                f"{name} must hold templates (*.template.json), got none; run cdk synth first"
            )
        for each in found:
            try:
                values = load(each)
            except TemplateError as error:
                if unreadable is None:
                    raise
                unreadable.append(str(error))
                continue
            yield NamedTemplate(str(each), values)
    elif path.exists():
        yield NamedTemplate(name, load(path))
    else:
        advice = "another template" if is_given else "a template"
        raise CommandError(f"{name} is not there; name {advice}, or run cdk synth first")


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(
            "standard input must be a template in JSON or YAML, got what is no UTF-8 text"
        ) from None
