"""A rule: an id, the reason behind it, the fix, and a function that sees it broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from cdk_streams.checks._facts import Consumer

__all__ = ["Finding", "Rule", "rule"]

PREFIX: Final = "cdk-streams:"

See: TypeAlias = Callable[[Consumer, Sequence[Consumer]], "str | None"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule broken by one consumer.

    `id` is what an acknowledgement names (`cdk-streams:NoFailureDestination`), `what` says what
    was seen, `reason` what follows from it and `fix` what to do.
    """

    id: str
    consumer: str
    what: str
    reason: str
    fix: str

    def __str__(self) -> str:
        """Return the finding as one line for a terminal or a CDK annotation."""
        return f"{self.what}: {self.reason}. {self.fix}."


@dataclass(frozen=True, slots=True)
class Rule:
    """One piece of advice; `see` returns what it saw, or None when there is nothing to say."""

    id: str
    reason: str
    fix: str
    see: See

    def apply(self, consumer: Consumer, others: Sequence[Consumer]) -> Finding | None:
        """Return the finding when this consumer, among all of them, breaks the rule."""
        what = self.see(consumer, others)
        if what is None:
            return None
        return Finding(self.id, consumer.name, what, self.reason, self.fix)


def rule(*, reason: str, fix: str) -> Callable[[See], Rule]:
    """Make a rule of a function; its name in CamelCase is the id."""

    def make(see: See) -> Rule:
        name = "".join(word.capitalize() for word in see.__name__.split("_"))
        return Rule(PREFIX + name, reason, fix, see)

    return make
