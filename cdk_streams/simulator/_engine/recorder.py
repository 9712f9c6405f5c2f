"""Gathers what one simulated mapping does, as its run or its consumer shows it."""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeAlias

from cdk_streams.poller import Checkpoint, Measure, SendFailure, failure_text
from cdk_streams.simulator._engine.record_fates import Fates
from cdk_streams.simulator._results import (
    Delivery,
    FailureRecords,
    Invocation,
    InvocationOutcome,
)

__all__ = ["Ended", "Recorder"]


Ended: TypeAlias = tuple[
    int, tuple[str, ...], str, int, int, InvocationOutcome, str, int, BaseException | None
]
"""A call's number, then the fields of its `Invocation`, times in milliseconds."""

_MILLISECOND: Final = timedelta(milliseconds=1)


class Recorder:
    """The results of one mapping so far.

    `keep` bounds invocations, failures and deliveries to the newest; None: all. `observe` is
    called with each invocation at its end, also with those not kept.
    """

    def __init__(
        self,
        fates: Fates,
        *,
        keep: int | None = None,
        observe: Callable[[Invocation], None] | None = None,
    ) -> None:
        self.fates = fates
        self.failures = FailureRecords()
        self.deliveries: deque[Delivery] = deque(maxlen=keep)
        self.checkpoints: dict[str, str] = {}
        self.metrics: dict[str, int] = {}
        self._keep = keep
        self._observe = observe
        # Calls that have ended, as bare facts: a value for each is made when somebody asks.
        self._ended: deque[Ended] = deque(maxlen=keep)
        self._invocations: list[Invocation] = []
        self._numbers: list[int] = []

    @property
    def invocations(self) -> list[Invocation]:
        """The calls that have ended, in the order in which they began."""
        made, numbers = self._invocations, self._numbers
        while self._ended:
            ended = self._ended.popleft()
            index = bisect(numbers, ended[0])
            numbers.insert(index, ended[0])
            made.insert(index, _invocation(ended))
        if self._keep is not None:
            excess = max(0, len(made) - self._keep)
            del numbers[:excess], made[:excess]
        return made

    def end(self, ended: Ended) -> None:
        """Add a call that has ended."""
        self._ended.append(ended)
        if self._observe is not None:
            self._observe(_invocation(ended))

    def fail(self, send: SendFailure, *, delivered: bool) -> None:
        """Add a failure record that arrived or was lost."""
        self.failures.add(send.body, delivered=delivered, keep=self._keep)
        if send.destination is not None:
            text = failure_text(send.body)
            self.deliveries.append(Delivery(send.destination, text, send.key, delivered))

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep the newest checkpoint of each shard."""
        self.checkpoints[checkpoint.shard_id] = checkpoint.sequence_number

    def measure(self, measure: Measure) -> None:
        """Add a point to its metric."""
        if measure.metric == "IteratorAge":
            self.metrics["IteratorAge"] = max(self.metrics.get("IteratorAge", 0), measure.value)
        else:
            self.count(measure.metric, measure.value)

    def count(self, metric: str, value: int = 1) -> None:
        """Add to a metric that counts."""
        self.metrics[metric] = self.metrics.get(metric, 0) + value


def _invocation(ended: Ended) -> Invocation:
    _, numbers, request_id, attempt, at_ms, outcome, shard_id, took_ms, error = ended
    at, took = at_ms * _MILLISECOND, took_ms * _MILLISECOND
    return Invocation(numbers, request_id, attempt, at, outcome, shard_id, took, error)
