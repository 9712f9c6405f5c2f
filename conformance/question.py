"""A question to Lambda's poller: a scenario, and the assumption that its outcome decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from cdk_streams.poller import Assumptions
from tests.bench.scenario import Scenario

__all__ = ["AssumedValue", "Question"]

AssumedValue: TypeAlias = str | int | bool | None
"""One value of a field of `Assumptions`."""


@dataclass(frozen=True, slots=True)
class Question:
    """A scenario that is put to a poller.

    Attributes:
        scenario: Its name, settings, records and handler. `scenario.expected` is what the simulator
            does under the default assumptions.
        assumption: The field of `Assumptions` that the outcome decides; None for a rule.
        values: The values of that field that the outcome distinguishes, the default among them.
        timed: Whether the waits between calls are compared, within bounds.
        throttled_s: How long after its start the function may not run (reserved concurrency 0).
        quiet_s: How long the run waits after the last expected call for calls that must not come.
        waits_s: How long the poller itself waits in this scenario, by the default assumptions.

    """

    scenario: Scenario
    assumption: str | None = None
    values: tuple[AssumedValue, ...] = ()
    timed: bool = False
    throttled_s: int = 0
    quiet_s: int = 30
    waits_s: int = 0

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.scenario.name

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
        """Return how long the scenario takes on AWS once it is deployed, in seconds."""
        scenario = self.scenario
        return (
            max(scenario.written_s, default=0)
            + scenario.late_s
            + self.waits_s
            + self.throttled_s
            + self.quiet_s
        )
