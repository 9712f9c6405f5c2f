"""What a simulated mapping did: its calls, failure records, checkpoints, metrics and timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from cdk_streams.simulator._timeline.events import TimelineEvent
from cdk_streams.simulator._timeline.timeline_setup import NOTHING_KNOWN, TimelineSetup

__all__ = ["Counts", "Delivery", "FailureRecords", "Invocation", "InvocationOutcome", "Run"]

InvocationOutcome: TypeAlias = Literal["handled", "partial", "failed", "timeout"]
"""`handled`: all of the batch. `partial`: the records before the lowest number reported."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of the handler.

    `attempt` is 1 for the first call of this very batch; retries keep the `request_id`. `at` is
    when it began, since the start of the run, and `took` is virtual time. `error` is what the
    handler raised, what kept its answer from being JSON, or why its answer failed the batch (then
    a ValueError, such as for an identifier that is not in the batch).
    """

    sequence_numbers: tuple[str, ...]
    request_id: str
    attempt: int
    at: timedelta
    outcome: InvocationOutcome
    shard_id: str
    took: timedelta = timedelta(0)
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A failure record on its way to the configured destination.

    `text` is what is sent, to the byte: the SQS body, the SNS message, the S3 object. `key` is the
    S3 object's key. `delivered` is False when the destination refused it: then it is lost.
    """

    destination: str
    text: str
    key: str | None
    delivered: bool


class FailureRecords(list[dict[str, Any]]):
    """Every failure record that Lambda made, as its destination gets it.

    It is a list of `delivered`, those that reached their destination, and `lost`, those that were
    refused or had no destination.
    """

    def __init__(self) -> None:
        super().__init__()
        self._delivered: list[bool] = []

    @property
    def delivered(self) -> list[dict[str, Any]]:
        """Those that reached their destination."""
        return [body for body, arrived in zip(self, self._delivered, strict=True) if arrived]

    @property
    def lost(self) -> list[dict[str, Any]]:
        """Those that were refused, or that a mapping without a destination dropped."""
        return [body for body, arrived in zip(self, self._delivered, strict=True) if not arrived]

    def add(self, body: dict[str, Any], *, delivered: bool, keep: int | None = None) -> None:
        """Add a failure record, and drop the oldest ones past `keep`."""
        self.append(body)
        self._delivered.append(delivered)
        if keep is not None:
            excess = max(0, len(self) - keep)
            del self[:excess], self._delivered[:excess]


@dataclass(frozen=True, slots=True)
class Counts:
    """How the records that were read ended; together they are all of them.

    `handled`: a call succeeded. `filtered`: no pattern matched. `failed`, `age_exceeded`: in a
    failure record. `trimmed`: older than the stream's 24 hours. `skipped`: before `LATEST`.
    `waiting`: not settled when the run ended.
    """

    handled: int = 0
    filtered: int = 0
    failed: int = 0
    age_exceeded: int = 0
    trimmed: int = 0
    skipped: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """The result of `simulate`; a consumer of a world has the same attributes.

    Attributes:
        invocations: The handler's calls, in the order in which they began.
        failures: Every failure record that Lambda made, as a destination gets it (as a queue does
            when there is none): `failures.delivered` and `failures.lost` are its two parts.
        deliveries: What was sent to the configured destination; empty without one.
        checkpoints: The last sequence number that each shard is done with.
        metrics: The sum of each CloudWatch metric that has a point, by its name: those of the
            mapping (as if EventCount were on), and of the function Invocations, Errors and
            Throttles; of `IteratorAge` the maximum, in milliseconds.
        counts: How the records ended.
        took: How long the run lasted, in virtual time.
        timeline: What happened, one event for each line of the timeline.
        timeline_setup: The mapping's settings, for a page of the run.

    """

    invocations: Sequence[Invocation]
    failures: FailureRecords
    deliveries: Sequence[Delivery]
    checkpoints: Mapping[str, str]
    metrics: Mapping[str, int]
    counts: Counts
    took: timedelta
    timeline: Sequence[TimelineEvent] = ()
    timeline_setup: TimelineSetup = NOTHING_KNOWN
