"""What a run of the kit makes, how long it takes and what it costs at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from cdk_streams.capacity import Prices as LambdaPrices
from conformance.metrics import FUNCTION_METRICS, MAPPING_METRICS
from conformance.question import MEMORY_MB, TIMEOUT_S, Question
from conformance.simulated import simulated

__all__ = ["DEPLOY_MINUTES", "METRICS_S", "PRICES", "START_S", "Plan", "Prices", "plan_of"]

DEPLOY_MINUTES: Final = 30
"""Minutes that deploying and removing the stack are given together, at most."""
START_S: Final = 120
"""Seconds that a mapping is given to begin to poll after it was enabled."""
METRICS_S: Final = 180
"""Seconds that CloudWatch is given to show the last data points of a scenario."""
_RESOURCES_EACH: Final = 8
# The queue and its policy.
_RESOURCES_OF_DESTINATION: Final = 2
_LOG_BYTES_EACH: Final = 4_000
# Polls of a queue and of the logs while a scenario is watched, one in two seconds each at most.
_POLLS_A_SECOND: Final = 1.0


# An on-demand table begins with these write units a second.
_NEW_TABLE_UNITS: Final = 4_000
_LARGEST_UNITS: Final = 400


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars of us-east-1 without a free tier, and where each is published.

    Those beside Lambda's were written down from memory and not read on that page: compare them
    before a run of many questions, and give others where they differ.

    Attributes:
        functions: Of Lambda.
        dynamodb_write_unit: https://aws.amazon.com/dynamodb/pricing/on-demand/
        warm_write_unit: Of a write unit by which a table's warm throughput is raised, once.
        sqs_request: https://aws.amazon.com/sqs/pricing/
        logs_gb: Of log data taken in; https://aws.amazon.com/cloudwatch/pricing/
        metric_hour: Of one metric of a mapping, 0.30 a month; the same page.
        metric_request: Of one request for a metric; the same page.
        as_of: When they were written down.

    """

    functions: LambdaPrices = field(default_factory=LambdaPrices)
    dynamodb_write_unit: float = 0.625e-6
    warm_write_unit: float = 0.001
    sqs_request: float = 0.40e-6
    logs_gb: float = 0.50
    metric_hour: float = 0.30 / 730
    metric_request: float = 0.01 / 1_000
    as_of: date = date(2026, 11, 26)


PRICES: Final = Prices()
"""The prices that the plan takes; another region's are given as another value."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Upper bounds: `resources` of the stack, `calls` of functions, `minutes`, `dollars`."""

    questions: int
    resources: int
    calls: int
    minutes: int
    dollars: float
    prices: Prices

    def text(self) -> str:
        """Return the plan for people."""
        return (
            f"{self.questions} scenarios: {self.resources} resources in one stack, up to "
            f"{self.calls} invocations, {self.minutes} minutes at most, less than "
            f"${self.dollars:.2f} (prices of us-east-1 as assumed on {self.prices.as_of}, "
            "without a free tier). "
            "The stack is removed at the end, also after an interruption."
        )


def plan_of(questions: Sequence[Question], prices: Prices = PRICES) -> Plan:
    """Return the plan; calls are the most that the simulator makes under any value."""
    calls = sum(_calls(each) for each in questions)
    longest_s = max((each.seconds() for each in questions), default=0) + START_S + METRICS_S
    writes = sum(_write_units(each) for each in questions)
    polls = _POLLS_A_SECOND * longest_s * len(questions)
    metrics = len(MAPPING_METRICS) * len(questions)
    asked_metrics = (len(MAPPING_METRICS) + len(FUNCTION_METRICS)) * len(questions)
    # A metric is paid for each hour that has a data point, begun or not.
    hours = -(-longest_s // 3_600) + 1
    dollars = (
        prices.functions.cost(calls, calls * TIMEOUT_S * MEMORY_MB / 1024)
        + writes * prices.dynamodb_write_unit
        + (polls + calls) * prices.sqs_request
        + metrics * hours * prices.metric_hour
        + asked_metrics * prices.metric_request
        + calls * _LOG_BYTES_EACH / 1e9 * prices.logs_gb
        + sum(_warm_units(each) for each in questions) * prices.warm_write_unit
    )
    return Plan(
        len(questions),
        sum(_resources(each) for each in questions),
        calls,
        DEPLOY_MINUTES + -(-longest_s // 60),
        # A bound is rounded up, to the cent.
        (int(dollars * 100) + 1) / 100,
        prices,
    )


def _calls(question: Question) -> int:
    """Return the most calls that are expected: a rule has one outcome, an assumption several."""
    if question.assumption is None:
        return len(question.scenario.expected.calls)
    outcomes = (simulated(question, each).recording for each in question.assumptions().values())
    return max(len(each.calls) for each in outcomes)


def _resources(question: Question) -> int:
    return _RESOURCES_EACH - (0 if question.has_destination else _RESOURCES_OF_DESTINATION)


def _write_units(question: Question) -> int:
    """Return the write units of the records: one for each KB of an item, 400 for the largest."""
    return question.scenario.count * (_LARGEST_UNITS if question.scenario.large else 1)


def _warm_units(question: Question) -> int:
    """Return the write units that are warmed beyond those of every new table."""
    return 0 if question.split is None else question.split.write_units - _NEW_TABLE_UNITS
