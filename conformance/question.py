"""A question to Lambda's poller: a scenario, and the assumption that its outcome decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Assumptions, MetricName
from tests.bench.scenario import Scenario

__all__ = [
    "MEMORY_MB",
    "SPLIT_S",
    "STACK",
    "TIMEOUT_S",
    "AssumedValue",
    "Question",
    "Split",
    "Update",
]

AssumedValue: TypeAlias = str | int | bool | None
"""One value of a field of `Assumptions`."""
STACK: Final = "CdkStreamsConformance"
"""The name of the stack that holds what all questions need."""
SPLIT_S: Final = 1_200
"""Seconds that a table is given to split its shards, at most."""
TIMEOUT_S: Final = 10
"""The timeout of every function, in seconds."""
MEMORY_MB: Final = 128
"""The memory of every function, in MB."""


@dataclass(frozen=True, slots=True)
class Update:
    """An update of the mapping while it runs: its settings from `after_s` seconds on."""

    after_s: int
    settings: MappingSettings


@dataclass(frozen=True, slots=True)
class Split:
    """A raise of the table's warm throughput to `write_units`, after the record `after` is written.

    The next record is written when the stream has more shards than before.
    """

    after: int
    write_units: int


@dataclass(frozen=True, slots=True)
class Question:
    """A scenario that is put to a poller.

    Attributes:
        scenario: Its name, settings, records and handler. `scenario.expected` is what the simulator
            does under the default assumptions.
        assumption: The field of `Assumptions` that the outcome decides; None for a rule.
        values: The values of that field that the outcome distinguishes, the default among them.
        timed: Whether the waits between calls are compared, within bounds.
        metric: The metric of the mapping whose sum is compared, too.
        throttled_s: How long after its start the function may not run (reserved concurrency 0).
        update: An update of the mapping in mid-run. When it takes effect is not known, so of equal
            calls in a row the first is compared, and not how many there were.
        split: A split of the table's shards between two records.
        denied: Actions on the stream that the function's role is denied.
        has_destination: Whether the mapping has an on-failure destination.
        quiet_s: How long the run waits after the last expected call for calls that must not come.
        waits_s: How long the poller itself waits in this scenario, by the default assumptions.

    """

    scenario: Scenario
    assumption: str | None = None
    values: tuple[AssumedValue, ...] = ()
    timed: bool = False
    metric: MetricName | None = None
    throttled_s: int = 0
    update: Update | None = None
    split: Split | None = None
    denied: tuple[str, ...] = ()
    has_destination: bool = True
    quiet_s: int = 30
    waits_s: int = 0

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.scenario.name

    @property
    def construct_id(self) -> str:
        """The name as construct ids are written: `RaiseRetry` of `raise_retry`."""
        return "".join(each.capitalize() for each in self.name.split("_"))

    def assumptions(self) -> dict[str, Assumptions]:
        """Return the assumptions to simulate under, by the value of the field; one for a rule."""
        if self.assumption is None:
            return {"the rule": Assumptions()}
        field_name = self.assumption
        return {
            f"{field_name}={value!r}": Assumptions(**{field_name: value})  # type: ignore[arg-type] # a field and one of its values
            for value in self.values
        }

    def seconds(self) -> int:
        """Return how long the scenario takes on AWS once it is deployed, in seconds, at most."""
        scenario = self.scenario
        return (
            max(scenario.written_s, default=0)
            + scenario.late_s
            + self.waits_s
            + self.throttled_s
            + self.quiet_s
            + (0 if self.update is None else self.update.after_s)
            + (0 if self.split is None else SPLIT_S)
        )
