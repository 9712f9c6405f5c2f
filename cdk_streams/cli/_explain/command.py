"""The command line of `cdk-streams explain`."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cdk_streams.cli._command import CommandError, command
from cdk_streams.cli._explain.explained_json import explained_json
from cdk_streams.cli._explain.sentences import as_text
from cdk_streams.cli._options import FiniteRange, json_option
from cdk_streams.cli._templates import (
    NamedTemplate,
    in_template_words,
    parameter_option,
    read_templates,
    refuse_undeclared,
    templates_argument,
)
from cdk_streams.cli._terminal_lines import fitted

if TYPE_CHECKING:
    from cdk_streams.analysis import Explanation, RunnableMapping, RunnableMappings
    from cdk_streams.template import StackTemplate

__all__ = ["explain"]


def _settings(
    _context: click.Context, _option: click.Parameter, given: Sequence[str]
) -> dict[str, Any]:
    from cdk_streams.mapping import MappingSettings  # noqa: PLC0415 - not for --help

    of_property = {prop: name for name, prop in MappingSettings.property_names().items()}
    found: dict[str, Any] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--with must be SETTING=VALUE, got {each!r}")
        name = of_property.get(name, name)
        if name in found:
            raise click.UsageError(f"--with must name each setting once, got {name} twice")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return ast.literal_eval({"true": "True", "false": "False"}.get(text, text))
    except (ValueError, SyntaxError):
        return text


@command(short_help="Say what each mapping does with failures, in numbers.")
@templates_argument
@parameter_option
@click.option(
    "--consumer",
    help="This mapping only, by its logical id or its function's, or the beginning of it.",
)
@click.option(
    "--with",
    "changes",
    multiple=True,
    callback=_settings,
    metavar="SETTING=VALUE",
    help="Explain the mapping with this setting, beside today's; a setting goes by our name or the "
    "template's (`BatchSize`). May be given several times.",
)
@click.option(
    "--writes-per-second",
    type=FiniteRange(min=0, min_open=True),
    help="Work out, from counts, the outage at this many writes a second to the whole table over "
    "24 hours, too.",
)
@json_option
def explain(
    templates: Sequence[str],
    parameters: Mapping[str, str],
    consumer: str | None,
    changes: Mapping[str, Any],
    writes_per_second: float | None,
    *,
    as_json: bool,
) -> None:
    """Say what each event source mapping of a TEMPLATE does, with numbers of the simulator.

    For a poison record (one that always fails), an outage of an hour and a handler of 10 s for each
    batch: how long the shard stands still, what is discarded and where it goes, until when it can
    be read back, and when each alarm goes off. Filters are taken to match every record. A TEMPLATE
    is a file, a folder such as cdk.out (the default), or - for standard input.
    """
    given = read_templates(templates)
    refuse_undeclared(parameters, given)
    found = [_read(each, parameters) for each in given]
    chosen, left_out = _chosen(found, consumer)
    explained = [each for one in chosen for each in _explanations(one, changes, writes_per_second)]
    if as_json:
        _print_json(explained, left_out)
    else:
        _print_text(explained, left_out, has_rate=writes_per_second is not None)
    if not explained:
        raise CommandError(
            "no mapping was explained; the reasons are above"
            if left_out
            else "the template must have an event source mapping that reads a DynamoDB stream, "
            "got none; name another template"
        )


class _Template(NamedTuple):
    name: str
    stack: StackTemplate
    found: RunnableMappings


class _Explained(NamedTuple):
    """An explanation, the template it is from, and what was changed; empty: nothing was."""

    template: str
    change: str
    is_beside: bool
    found: Explanation


class _LeftOut(NamedTuple):
    template: str
    mapping: str
    why: str


def _read(template: NamedTemplate, parameters: Mapping[str, str]) -> _Template:
    from cdk_streams.analysis import runnable_mappings  # noqa: PLC0415 - not for --help
    from cdk_streams.template import read  # noqa: PLC0415 - the same

    stack = read(template.values, parameters=template.parameters(parameters))
    return _Template(template.name, stack, runnable_mappings(stack))


def _chosen(
    templates: Sequence[_Template], consumer: str | None
) -> tuple[list[tuple[_Template, RunnableMapping]], list[_LeftOut]]:
    """Return the mappings to explain with their templates, and those that cannot be."""
    from cdk_streams.analysis import RunnableMappings  # noqa: PLC0415 - not for --help

    pairs = [(one, mapping) for one in templates for mapping in one.found.mappings]
    left_out = [
        _LeftOut(one.name, name, in_template_words(why))
        for one in templates
        for name, why in one.found.left_out.items()
    ]
    if consumer is None:
        return pairs, left_out
    every = RunnableMappings(
        tuple(mapping for _, mapping in pairs), {each.mapping: each.why for each in left_out}
    )
    named = every.named(consumer)
    return [pair for pair in pairs if pair[1] is named], []


def _explanations(
    chosen: tuple[_Template, RunnableMapping],
    changes: Mapping[str, Any],
    writes_per_second: float | None,
) -> Iterator[_Explained]:
    from cdk_streams.analysis import explain_mapping, proposed  # noqa: PLC0415 - not for --help

    template, mapping = chosen
    is_beside = bool(changes)
    other = proposed(mapping, changes)  # Refused before anything runs.
    today = explain_mapping(mapping, template.stack, writes_per_second=writes_per_second)
    yield _Explained(template.name, "", is_beside, today)
    if changes:
        label = "with " + ", ".join(f"{name}={value}" for name, value in changes.items())
        beside = explain_mapping(other, template.stack, writes_per_second=writes_per_second)
        yield _Explained(template.name, label, is_beside, beside)


def _print_json(explained: Sequence[_Explained], left_out: Sequence[_LeftOut]) -> None:
    mappings = [
        {"template": each.template, **explained_json(each.found), "proposed": bool(each.change)}
        for each in explained
    ]
    skipped = [
        {"template": each.template, "mapping": each.mapping, "reason": each.why}
        for each in left_out
    ]
    click.echo(json.dumps({"mappings": mappings, "skipped": skipped}, indent=2))


def _print_text(
    explained: Sequence[_Explained], left_out: Sequence[_LeftOut], *, has_rate: bool
) -> None:
    names = {*(each.template for each in explained), *(each.template for each in left_out)}
    several = len(names) > 1
    parts = []
    for each in explained:
        label = (each.change or "today") if each.is_beside else ""
        text = as_text(label, each.found, has_rate=has_rate)
        parts.append(f"{each.template}: {text}" if several else text)
    parts += [
        f"{f'{each.template}: ' if several else ''}{each.mapping} is not explained: {each.why}"
        for each in left_out
    ]
    if parts:
        click.echo(fitted("\n\n".join(parts)))
