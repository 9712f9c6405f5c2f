"""The command line of `cdk-streams check`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cdk_streams.cli._check.formats import FORMATS, Checked
from cdk_streams.cli._command import CommandError, command

if TYPE_CHECKING:
    from cdk_streams.template import Document

__all__ = ["check"]

_STDIN: Final = "-"
_FAILING: Final = {"warning": {"warning", "error"}, "error": {"error"}, "never": set[str]()}


@command(short_help="Check the stream consumers of CloudFormation templates.")
@click.argument("templates", nargs=-1, metavar="[TEMPLATE]...")
@click.option(
    "--stack",
    help="Check the template of this deployed stack, as CloudFormation has it after transforms.",
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Value of a template's parameter in place of its default; may be given several times.",
)
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
@click.option("--profile", help="With --stack: profile of the AWS configuration.")
@click.option("--region", help="With --stack: its AWS Region.")
@click.option("--endpoint-url", help="With --stack: another endpoint than AWS.")
def check(templates: Sequence[str], **options: Any) -> None:
    """Check every event source mapping that reads a DynamoDB stream.

    A TEMPLATE is a file in JSON or YAML, a folder such as cdk.out, or - for standard input: a
    template of CDK, SAM, Serverless or one written by hand. Without one, cdk.out is checked.
    Ends with 1 when there are findings, and with 2 when a template cannot be read.
    """
    ignore = options["ignore"]
    _check_ids(ignore)
    given = dict(_named(each) for each in options["parameters"])
    documents = list(_documents(templates, options))
    checked = [_checked(name, document, given, ignore) for name, document in documents]
    click.echo(FORMATS["json" if options["as_json"] else options["form"]](checked))
    levels = {each.level for one in checked for each in one.report.findings}
    raise SystemExit(1 if levels & _FAILING[options["fail_on"]] else 0)


def _checked(
    name: str, document: Document, parameters: dict[str, str], ignore: Sequence[str]
) -> Checked:
    """Check one template; of the parameters, it takes those that it declares."""
    from cdk_streams.checks import check_template  # noqa: PLC0415 - not for --help
    from cdk_streams.template import load  # noqa: PLC0415 - not for --help

    template = load(document)
    declared = template.get("Parameters") or {}
    given = {each: value for each, value in parameters.items() if each in declared}
    return Checked(name, check_template(template, parameters=given, ignore=ignore))


def _documents(
    templates: Sequence[str], options: Mapping[str, Any]
) -> Iterator[tuple[str, Document]]:
    stack = options["stack"]
    if stack is not None:
        yield stack, _deployed(stack, options)
    for name in templates or (() if stack else ("cdk.out",)):
        path = Path(name)
        if name == _STDIN:
            # With a line end it is a text, whatever it holds, and no path.
            yield "standard input", sys.stdin.read() + "\n"
        elif path.is_dir():
            found = sorted(path.rglob("*.template.json"))
            if not found:
                raise CommandError(
                    f"{name} must hold templates (*.template.json), got none; run cdk synth first"
                )
            yield from ((str(each), each) for each in found)
        elif path.is_file():
            yield name, path
        else:
            advice = "" if templates else "; name a template, or run cdk synth first"
            raise CommandError(f"{name} is not there{advice}")


def _deployed(stack: str, options: Mapping[str, Any]) -> Document:
    from cdk_streams.cli import _aws  # noqa: PLC0415 - boto3 only here

    cloudformation = _aws.aws_of(options)("cloudformation")
    answer = cloudformation.get_template(StackName=stack, TemplateStage="Processed")
    body: Document = answer["TemplateBody"]
    return body


def _named(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.UsageError(f"--parameter must be NAME=VALUE, got {text!r}")
    return name, value


def _check_ids(ignore: Sequence[str]) -> None:
    from cdk_streams.checks import RULES  # noqa: PLC0415 - not for --help

    known = {rule.id.partition(":")[2] for rule in RULES}
    for each in ignore:
        if each.removeprefix("cdk-streams:") not in known:
            raise click.UsageError(f"--ignore must be the id of a check, got {each!r}")
