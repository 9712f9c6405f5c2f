"""Writes that follow from other writes, through consumers: when they go round, nothing ends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cdk_streams.poller import sequence_number

__all__ = ["WriteChains"]

# So many writes in a row, each made by a handler that was given the one before.
_MOST_IN_A_ROW: Final = 1_000
# So many writes in all that some consumer made of what it had itself made: a chain that forks.
_MOST_REPEATED: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Link:
    """A write that a consumer made; `before` is the latest write that it was called with."""

    consumer: str
    table: str
    length: int
    before: _Link | None


class WriteChains:
    """Follows writes back through the consumers that made them.

    `loop` says which consumers go round, once they have for long enough; "" until then.
    """

    def __init__(self) -> None:
        self.loop = ""
        self._links: dict[tuple[str, str], _Link] = {}
        self._repeated = 0
        self._consumers: set[str] = set()
        self._calling: tuple[str, str, Sequence[Any]] | None = None

    def begin(self, consumer: str, table: str, records: Sequence[Any]) -> None:
        """Say whose handler is called with which records of a table."""
        self._calling = consumer, table, records

    def end(self) -> None:
        """Say that the handler has returned: writes are the scenario's own again."""
        self._calling = None

    def written(self, table: str, number: str) -> None:
        """Take a write and its sequence number."""
        if self._calling is None:
            return
        consumer, source, records = self._calling
        self._consumers.add(consumer)
        links = (self._links.get((source, sequence_number(each))) for each in records)
        before = max((each for each in links if each), key=lambda link: link.length, default=None)
        link = _Link(consumer, table, 1 if before is None else before.length + 1, before)
        self._links[table, number] = link
        # A chain longer than there are consumers has been through one of them twice.
        self._repeated += link.length > len(self._consumers)
        if link.length > _MOST_IN_A_ROW or self._repeated > _MOST_REPEATED:
            self.loop = self.loop or _describe(link)


def _describe(link: _Link) -> str:
    """`copy writes to Copies, back writes to Orders`: each consumer of the loop once."""
    steps: dict[str, str] = {}
    step: _Link | None = link
    while step is not None and step.consumer not in steps:
        steps[step.consumer] = f"{step.consumer} writes to {step.table}"
        step = step.before
    return ", ".join(reversed(steps.values()))
