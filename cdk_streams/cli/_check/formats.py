"""What `cdk-streams check` prints: text, JSON, SARIF or annotations of a GitHub workflow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cdk_streams.cli._printed_numbers import counted
from cdk_streams.cli._terminal_lines import fitted

if TYPE_CHECKING:
    from cdk_streams.checks import TemplateFinding, TemplateReport

__all__ = ["FORMATS", "Checked"]

_SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"


class Checked(NamedTuple):
    """A template by its path or the name of its stack, and what was found in it."""

    name: str
    report: TemplateReport


def _text(checked: Sequence[Checked]) -> str:
    lines: list[str] = []
    for name, report in checked:
        lines += [f"{name}: not checked: {why}" for why in report.skipped.values()]
        for each in report.findings:
            lines += [
                f"{name}: {each.place}",
                f"  {each.level} {each.id}",
                f"  {each.what}: {each.reason}.",
                f"  {each.fix}.",
                f"  See {each.section}",
                "",
            ]
    findings = sum(len(each.report.findings) for each in checked)
    mappings = sum(each.report.mappings for each in checked)
    lines.append(
        f"{counted(findings, 'finding')} in {counted(mappings, 'event source mapping')} "
        f"of {counted(len(checked), 'template')}"
    )
    return fitted("\n".join(lines))


def _json(checked: Sequence[Checked]) -> str:
    return json.dumps(
        {
            "findings": [
                {
                    "id": each.id,
                    "level": each.level,
                    "template": name,
                    "mapping": each.mapping,
                    "place": each.place,
                    "what": each.what,
                    "reason": each.reason,
                    "fix": each.fix,
                    "section": each.section,
                }
                for name, report in checked
                for each in report.findings
            ],
            "skipped": [
                {"template": name, "mapping": mapping, "reason": why}
                for name, report in checked
                for mapping, why in report.skipped.items()
            ],
            "mappings": sum(each.report.mappings for each in checked),
            "templates": len(checked),
        },
        indent=2,
        ensure_ascii=False,
    )


def _sarif(checked: Sequence[Checked]) -> str:
    from cdk_streams.checks import RULES, section_of  # noqa: PLC0415 - not for --help

    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": f"{rule.reason[:1].upper()}{rule.reason[1:]}."},
            "help": {"text": f"{rule.fix}. See {section_of(rule.id)}"},
        }
        for rule in RULES
    ]
    results = [_sarif_result(name, each) for name, report in checked for each in report.findings]
    tool = {"driver": {"name": "cdk-streams check", "rules": rules}}
    run = {"tool": tool, "results": results, "columnKind": "unicodeCodePoints"}
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2)


def _sarif_result(name: str, finding: TemplateFinding) -> Mapping[str, Any]:
    return {
        "ruleId": finding.id,
        "level": finding.level,
        "message": {"text": finding.sentences},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": name.replace("\\", "/")}},
                "logicalLocations": [{"fullyQualifiedName": finding.place, "kind": "resource"}],
            }
        ],
    }


def _github(checked: Sequence[Checked]) -> str:
    """Return one workflow command a finding; GitHub shows it at the file."""
    return "\n".join(
        f"::{each.level} file={_property(name)},title={_property(each.id)}::"
        f"{_message(f'{each.place}: {each.sentences}')}"
        for name, report in checked
        for each in report.findings
    )


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Final[Mapping[str, Callable[[Sequence[Checked]], str]]] = {
    "text": _text,
    "json": _json,
    "sarif": _sarif,
    "github": _github,
}
"""The formats by the word for them on the command line."""
