"""A rule: an id, the reason behind it, the fix, and a function that detects it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from cdk_streams._documentation import page
from cdk_streams.checks._facts import Consumer

__all__ = ["Finding", "Level", "Rule", "rule", "section_of"]

PREFIX: Final = "cdk-streams:"

Level: TypeAlias = Literal["error", "warning"]
"""`error`: the deployment fails, or records are lost at once. `warning`: everything else."""

Detect: TypeAlias = Callable[[Consumer, Sequence[Consumer]], "str | None"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule broken by one consumer.

    `id` is what an acknowledgement names (`cdk-streams:NoFailureDestination`), `what` says what
    is wrong, `reason` what follows from it and `fix` what to do. `level` is that of its rule.
    """

    id: str
    consumer: str
    what: str
    reason: str
    fix: str
    level: Level = "warning"

    def __str__(self) -> str:
        """Return the finding as one line for a terminal or a CDK annotation."""
        return f"{self.what}: {self.reason}. {self.fix}. See {section_of(self.id)}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One check; `detect` returns what is wrong, or None when there is nothing to report.

    `template_fix` says in the words of a CloudFormation template what to do; empty where `fix`
    names no more than settings, which have a property each.
    """

    id: str
    reason: str
    fix: str
    detect: Detect
    template_fix: str = ""
    level: Level = "warning"

    def apply(self, consumer: Consumer, others: Sequence[Consumer]) -> Finding | None:
        """Return the finding when this consumer, among all of them, breaks the rule."""
        what = self.detect(consumer, others)
        if what is None:
            return None
        return Finding(self.id, consumer.name, what, self.reason, self.fix, self.level)


def rule(
    name: str, *, reason: str, fix: str, template_fix: str = "", level: Level = "warning"
) -> Callable[[Detect], Rule]:
    """Make a rule of a function; `name` is the public id without its prefix.

    An id is what acknowledgements name: it never changes, whatever the function is called.
    """
    return lambda detect: Rule(PREFIX + name, reason, fix, detect, template_fix, level)


def section_of(id: str) -> str:  # noqa: A002 - what it is called everywhere
    """Return where the documentation explains a check: `docs/checks.md#nofailuredestination`.

    `id` is that of a rule, with or without `cdk-streams:`; it is not looked up.
    """
    return page("checks", id.removeprefix(PREFIX))
