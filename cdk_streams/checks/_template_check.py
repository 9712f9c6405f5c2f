"""`check_template` and `assert_no_findings`: the checks on a CloudFormation template."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cdk_streams._argument_checks import list_of_names
from cdk_streams.checks._rule import PREFIX, Finding, Level, section_of
from cdk_streams.checks._rules import RULES, check
from cdk_streams.checks._template_facts import consumers_of
from cdk_streams.mapping import MappingSettings
from cdk_streams.template import Document, MappingResource, load, read

__all__ = ["TemplateFinding", "TemplateReport", "assert_no_findings", "check_template"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFinding:
    """One rule broken by one event source mapping of a template.

    Args:
        id: The rule: `cdk-streams:NoFailureDestination`.
        level: How bad it is.
        mapping: The logical id of the mapping.
        place: Where the mapping stands: `Resources.AuditMapping`.
        what: What is wrong.
        reason: What follows from it.
        fix: What to do.

    """

    id: str
    level: Level
    mapping: str
    place: str
    what: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.place}: {self.id}: {self.sentences}"

    @property
    def sentences(self) -> str:
        """What is wrong, why it matters, what to do, and the section of the documentation."""
        return f"{self.what}: {self.reason}. {self.fix}. See {self.section}"

    @property
    def section(self) -> str:
        """Where the documentation explains it: `docs/checks.md#nofailuredestination`."""
        return section_of(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateReport:
    """The findings of one template, how many mappings were checked, and which were not.

    `skipped` has, by logical id, the reason why a mapping was not checked: it is not created, or a
    condition depends on a parameter without a value. A resource that CloudFormation refuses for its
    shape is there too.
    """

    findings: tuple[TemplateFinding, ...]
    mappings: int
    skipped: Mapping[str, str]


def check_template(
    document: Document,
    *,
    parameters: Mapping[str, Any] | None = None,
    ignore: Collection[str] = (),
    last: Document | None = None,
    last_parameters: Mapping[str, Any] | None = None,
) -> TemplateReport:
    """Check every event source mapping of a template that reads a DynamoDB stream.

    Args:
        document: The template as a dict, as text or as a path: JSON, or YAML with short tags.
        parameters: Values for the template's parameters, in place of their defaults.
        ignore: Ids of rules to leave out, with or without `cdk-streams:`.
        last: The template that is deployed now: what would replace a mapping or its stream is found
            (`MappingReplaced`, `StreamReplaced`).
        last_parameters: The values that its parameters have; those of `parameters` unless given.

    A value that only a deployment knows makes the rules about it say nothing.

    Raises:
        TemplateError: It is no template, or a parameter's value is refused.

    """
    stack = read(document, parameters=parameters)
    values = parameters if last_parameters is None else last_parameters
    before = None if last is None else read(last, parameters=_declared(load(last), values))
    found = consumers_of(stack, before)
    ignored = {
        PREFIX + name.removeprefix(PREFIX)
        for name in list_of_names("ignore", ignore, what="ids of checks")
    }
    mappings = {each.logical_id: each for each in found.mappings}
    return TemplateReport(
        findings=tuple(
            _finding(each, mappings[each.consumer])
            for each in check([*found.readers, *found.consumers])
            if each.consumer in mappings and each.id not in ignored
        ),
        mappings=len(found.mappings),
        skipped=found.skipped,
    )


def assert_no_findings(
    document: Document,
    *,
    parameters: Mapping[str, Any] | None = None,
    ignore: Collection[str] = (),
) -> None:
    """Fail a test when a template has findings; takes what `check_template` takes.

        assert_no_findings(Template.from_stack(stack).to_json(), ignore=["Disabled"])

    Raises:
        AssertionError: With a line for each finding; also when the template has no mapping to
            check, so that a test does not pass because it looks at the wrong template.

    """
    report = check_template(document, parameters=parameters, ignore=ignore)
    if report.findings:
        raise AssertionError("\n".join(str(each) for each in report.findings))
    if not report.mappings:
        skipped = "; ".join(report.skipped.values())
        raise AssertionError(
            "the template must have an event source mapping that reads a DynamoDB stream, got "
            f"none that is created{': ' if skipped else ''}{skipped}"
        )


def _declared(template: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return those of the parameters that another template declares too."""
    names = template.get("Parameters")
    declared = names if isinstance(names, Mapping) else {}
    return {name: value for name, value in (given or {}).items() if name in declared}


def _finding(found: Finding, mapping: MappingResource) -> TemplateFinding:
    """Say it in the words of a `StreamConsumer`, or of CloudFormation where there is none."""
    is_ours = (mapping.construct or "").endswith(_OUR_CONSTRUCT)
    fix = found.fix if is_ours else _TEMPLATE_FIXES[found.id] or found.fix
    say = _with_properties if is_ours else _in_properties
    return TemplateFinding(
        id=found.id,
        level=found.level,
        mapping=found.consumer,
        place=mapping.place,
        what=say(found.what),
        reason=say(found.reason),
        fix=say(fix),
    )


def _with_properties(text: str) -> str:
    """Name the property of a template behind each setting: `retry_attempts (Maximum…)`."""
    return re.sub(
        rf"{_SETTING}(?! \()(?!=)", lambda found: f"{found[0]} ({_PROPERTIES[found[0]]})", text
    )


def _in_properties(text: str) -> str:
    """Name the property of a template in place of each setting: `MaximumRetryAttempts`."""
    words = _PROPERTIES | {"report_batch_item_failures": "ReportBatchItemFailures"}
    said = re.sub(rf"{_SETTING}( \(\w+\))?", lambda found: words[found[1]], text)
    return said.replace("filters[", "FilterCriteria.Filters[")


# The construct path of the mapping inside of a StreamConsumer.
_OUR_CONSTRUCT: Final = "/Mapping"
_PROPERTIES: Final = {
    name: prop for name, prop in MappingSettings.property_names().items() if "_" in name
}
_SETTING: Final = rf"\b({'|'.join(_PROPERTIES)})\b"
_TEMPLATE_FIXES: Final = {each.id: each.template_fix for each in RULES}
