"""Checks: what Lambda accepts and a team regrets.

`check(consumers)` returns findings and never raises. The constructs show them as CDK warnings that
can be acknowledged by id; `check_template` and `cdk-streams check` find them in any CloudFormation
template, and `assert_no_findings` makes a test of it. docs/checks.md has a section for
every rule: its reason, its fix, an example with the finding and one without.
"""

from __future__ import annotations

from cdk_streams.checks._facts import Consumer, Destination, Function, LastMapping, Source
from cdk_streams.checks._rule import Finding, Rule, section_of
from cdk_streams.checks._rules import RULES, check
from cdk_streams.checks._template_check import (
    TemplateFinding,
    TemplateReport,
    assert_no_findings,
    check_template,
)

__all__ = [
    "RULES",
    "Consumer",
    "Destination",
    "Finding",
    "Function",
    "LastMapping",
    "Rule",
    "Source",
    "TemplateFinding",
    "TemplateReport",
    "assert_no_findings",
    "check",
    "check_template",
    "section_of",
]
