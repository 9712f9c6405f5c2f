"""Gathers what one simulated mapping does, as its run or its consumer shows it."""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Callable

from cdk_streams.poller import Checkpoint, Measure, SendFailure, failure_text
from cdk_streams.simulator._engine.record_fates import Fates
from cdk_streams.simulator._results import Delivery, FailureRecords, Invocation

__all__ = ["Recorder"]


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
        self.invocations: list[Invocation] = []
        self.failures = FailureRecords()
        self.deliveries: deque[Delivery] = deque(maxlen=keep)
        self.checkpoints: dict[str, str] = {}
        self.metrics: dict[str, int] = {}
        self._keep = keep
        self._observe = observe
        self._begun = 0
        self._order: list[int] = []

    def begin(self) -> int:
        """Count a call that begins; return its place among all calls."""
        self._begun += 1
        self.count("Invocations")
        return self._begun

    def end(self, place: int, invocation: Invocation) -> None:
        """Add a call that has ended, where it began."""
        order, index = self._order, len(self._order)
        if order and place < order[-1]:
            index = bisect(order, place)
        order.insert(index, place)
        self.invocations.insert(index, invocation)
        if self._keep is not None and len(order) > self._keep:
            del order[0], self.invocations[0]
        if self._observe is not None:
            self._observe(invocation)

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
