"""All rules in one table, and the one loop that applies them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cdk_streams.checks import _capacity, _delivery, _failure_handling, _filter_patterns
from cdk_streams.checks._facts import Consumer
from cdk_streams.checks._rule import Finding, Rule

__all__ = ["RULES", "check"]

RULES: Final[tuple[Rule, ...]] = (
    *_delivery.RULES,
    *_failure_handling.RULES,
    *_capacity.RULES,
    *_filter_patterns.RULES,
)
"""All checks, in the order of docs/checks.md."""


def check(consumers: Sequence[Consumer]) -> list[Finding]:
    """Return what is unwise about the consumers of one app or template, in their order.

    `check([Consumer(name="Audit", settings=MappingSettings())])[0].id` is
    `"cdk-streams:InfiniteRetries"`.
    """
    found = (rule.apply(each, consumers) for each in consumers for rule in RULES)
    return [finding for finding in found if finding is not None]
