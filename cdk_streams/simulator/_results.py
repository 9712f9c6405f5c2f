"""What a simulated run comes to: its calls, its failure records, its positions and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias

__all__ = ["CallOutcome", "Counts", "Delivery", "Invocation", "Run"]

CallOutcome: TypeAlias = Literal["handled", "partial", "failed", "timeout"]
"""`handled`: all of the batch. `partial`: the records before the lowest number reported."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of the handler.

    `attempt` is 1 for the first call of this very batch; retries keep the `request_id`. `at` is
    when it began, since the start of the run, and `took` is virtual time. `error` is what the
    handler raised, or what kept its answer from being JSON.
    """

    sequence_numbers: tuple[str, ...]
    request_id: str
    attempt: int
    at: timedelta
    outcome: CallOutcome
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


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records that were read from `records`; together they are all of them.

    `handled`: a call succeeded. `filtered`: no pattern matched. `failed`, `expired`: in a failure
    record. `trimmed`: older than the stream's 24 hours. `skipped`: before `LATEST`. `waiting`:
    not dealt with when the run ended.
    """

    handled: int = 0
    filtered: int = 0
    failed: int = 0
    expired: int = 0
    trimmed: int = 0
    skipped: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """What `simulate` returns.

    Attributes:
        invocations: The handler's calls, in the order in which they began.
        failures: The failure records, as the destination gets them (as a queue does when there is
            no destination, or when it refused them).
        deliveries: What was sent to the configured destination; empty without one.
        checkpoints: The last sequence number that each shard is done with.
        metrics: The sum of each CloudWatch metric that has a point, by its name: those of the
            mapping (as if EventCount were on), and of the function Invocations, Errors and
            Throttles; of `IteratorAge` the maximum, in milliseconds.
        counts: What became of the records.
        took: How long the run lasted, in virtual time.

    """

    invocations: Sequence[Invocation]
    failures: Sequence[dict[str, Any]]
    deliveries: Sequence[Delivery]
    checkpoints: Mapping[str, str]
    metrics: Mapping[str, int]
    counts: Counts
    took: timedelta
