"""The command line of `cdk-streams check`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from cdk_streams.cli._check.formats import FORMATS, Checked
from cdk_streams.cli._command import CommandError, command
from cdk_streams.cli._options import aws_options, refuse_empty
from cdk_streams.cli._templates import (
    NamedTemplate,
    in_template_words,
    parameter_option,
    read_templates,
    refuse_undeclared,
    templates_argument,
)

if TYPE_CHECKING:
    from cdk_streams.template import Document

__all__ = ["check"]

# What CloudFormation answers in place of the value of a parameter with NoEcho.
_HIDDEN: Final = "****"
_FAILING: Final = {"warning": {"warning", "error"}, "error": {"error"}, "never": set[str]()}


@command(short_help="Check the stream consumers of CloudFormation templates.")
@templates_argument
@click.option(
    "--stack",
    callback=refuse_empty,
    help="Check the template of this deployed stack, as CloudFormation has it after transforms; "
    "with a TEMPLATE, compare that with it.",
)
@parameter_option
@click.option(
    "--ignore",
    multiple=True,
    metavar="ID",
    help="Leave out a check by its id, such as LagNotAlarmed; may be given several times.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["warning", "error", "never"]),
    default="warning",
    show_default=True,
    help="The lowest level of a finding that ends the command with 1.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(FORMATS)),
    default="text",
    show_default=True,
    help="What is printed: `sarif` is for code scanning, `github` for annotations of a workflow.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as `--format json`.")
@aws_options
def check(templates: Sequence[str], parameters: Mapping[str, str], **options: Any) -> None:
    """Check every event source mapping that reads a DynamoDB stream.

    A TEMPLATE is a file in JSON or YAML, a folder such as cdk.out, or - for standard input: a
    template of CDK, SAM, Serverless or one written by hand. Without one, cdk.out is checked.
    With --stack alone, the stack's own template is; with both, the template is compared with it.
    Ends with 1 when there are findings, and with 2 when a template cannot be read; the others of
    its folder are checked all the same.
    """
    _refuse_contradictions(options)
    ignore = options["ignore"]
    _check_ids(ignore)
    before = None if options["stack"] is None else _deployed(options)
    unreadable: list[str] = []
    if before is None:
        given = read_templates(templates, unreadable)
    elif templates:
        compared = _of_stack(options["stack"], read_templates(templates))
        given = [compared._replace(deployed=before.deployed)]
    else:
        given = [before]
    refuse_undeclared(parameters, given)
    checked = [_checked(each, parameters, ignore, before) for each in given]
    click.echo(FORMATS["json" if options["as_json"] else options["form"]](checked))
    if unreadable:
        raise CommandError("; ".join(unreadable))
    levels = {each.level for one in checked for each in one.report.findings}
    raise SystemExit(1 if levels & _FAILING[options["fail_on"]] else 0)


def _checked(
    template: NamedTemplate,
    parameters: Mapping[str, str],
    ignore: Sequence[str],
    before: NamedTemplate | None,
) -> Checked:
    """Check one template; of the parameters, it takes those that it declares."""
    from cdk_streams.checks import check_template  # noqa: PLC0415 - not for --help

    report = check_template(
        template.values,
        parameters=template.parameters(parameters),
        ignore=ignore,
        last=None if before is None else before.values,
        last_parameters=None if before is None else before.deployed,
    )
    skipped = {name: in_template_words(why) for name, why in report.skipped.items()}
    return Checked(template.name, replace(report, skipped=skipped))


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    form = click.get_current_context().get_parameter_source("form")
    if options["as_json"] and form is ParameterSource.COMMANDLINE and options["form"] != "json":
        raise click.UsageError(f"--json and --format {options['form']} exclude each other")
    for name in ("profile", "region", "endpoint_url") if options["stack"] is None else ():
        if options[name] is not None:
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option} needs --stack: templates are read without AWS")


def _of_stack(stack: str, templates: list[NamedTemplate]) -> NamedTemplate:
    """Return the one template that is compared with the stack: of several, that of its name."""
    named = [each for each in templates if Path(each.name).name == f"{stack}.template.json"]
    found = templates if len(templates) == 1 else named
    if len(found) == 1:
        return found[0]
    raise click.UsageError(
        f"--stack must be compared with one template, got {len(templates)}: "
        f"{', '.join(each.name for each in templates)}"
    )


def _deployed(options: Mapping[str, Any]) -> NamedTemplate:
    from cdk_streams.cli import _aws  # noqa: PLC0415 - boto3 only here
    from cdk_streams.template import load  # noqa: PLC0415 - not for --help

    stack = options["stack"]
    cloudformation = _aws.aws_of(options)("cloudformation")
    answer = cloudformation.get_template(StackName=stack, TemplateStage="Processed")
    body: Document = answer["TemplateBody"]
    text = f"{body}\n" if isinstance(body, str) else body
    values = load(text, name=f"the template of the stack {stack}")
    (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    deployed = {
        each["ParameterKey"]: each.get("ResolvedValue", each["ParameterValue"])
        for each in described.get("Parameters", ())
    }
    shown = {name: value for name, value in deployed.items() if value != _HIDDEN}
    return NamedTemplate(stack, values, shown)


def _check_ids(ignore: Sequence[str]) -> None:
    from cdk_streams.checks import RULES  # noqa: PLC0415 - not for --help

    known = [rule.id.partition(":")[2] for rule in RULES]
    for each in ignore:
        name = each.removeprefix("cdk-streams:")
        if name not in known:
            near = get_close_matches(name, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
            raise click.UsageError(f"--ignore must be the id of a check, got {each!r}; {advice}")
