"""The course of one run: drives a mapping's poller through virtual time over its shards.

What the poller asks is planned on an queue, never done on the spot, so that things happen in the
order of their times and a run of a million records is as flat as one of three.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from cdk_streams.mapping import STREAM_RETENTION
from cdk_streams.poller import (
    CallEnded,
    CallResult,
    Checkpoint,
    Event,
    EventSourceMapping,
    FailureSent,
    Invoke,
    Measure,
    Patience,
    Read,
    RecordsRead,
    SendFailure,
    Settled,
    ShardDone,
    ShardSeen,
    ShardsListed,
    Throttled,
    WakeAt,
    Woken,
    begin,
    failure_text,
    invocation_event,
    payload_bytes_at_most,
    sequence_number,
    step,
)
from cdk_streams.simulator._engine.event_queue import EventQueue
from cdk_streams.simulator._engine.handler_calls import (
    Answer,
    Context,
    FunctionConfiguration,
    Handler,
    fresh,
    invoke_handler,
)
from cdk_streams.simulator._engine.shard_source import ShardSource
from cdk_streams.simulator._results import Counts, Delivery, Invocation, Run

__all__ = ["Course", "Terms"]

# Nothing of a stream is left so long after its newest record: only a call that is repeated for
# ever (Assumptions.failed_final_call="suspend") could still be under way.
_SILENCE_MS: Final = round((STREAM_RETENTION + timedelta(hours=1)).total_seconds() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What `simulate` was asked, with times in milliseconds."""

    handler: Handler
    host: FunctionConfiguration
    duration_ms: Callable[[dict[str, Any]], int]
    throttled: Callable[[timedelta], bool] | None
    destination_denied: bool
    parents: Mapping[str, tuple[str, ...]]
    closed: bool
    start_ms: int
    until_ms: int | None
    keep: int | None
    observe: Callable[[Invocation], None] | None


class Course:
    """One run under way."""

    def __init__(
        self, mapping: EventSourceMapping, sources: Mapping[str, ShardSource], terms: Terms
    ) -> None:
        self._mapping = mapping
        self._sources = sources
        self._terms = terms
        self._queue = EventQueue(terms.start_ms)
        self._poller = begin(enabled=mapping.settings.enabled)
        self._done: set[str] = set()
        self._pinned: set[str] = set()
        self._parents = {parent for each in terms.parents.values() for parent in each}
        self._invocations: deque[tuple[int, Invocation]] = deque(maxlen=terms.keep)
        self._failures: deque[dict[str, Any]] = deque(maxlen=terms.keep)
        self._deliveries: deque[Delivery] = deque(maxlen=terms.keep)
        self._checkpoints: dict[str, str] = {}
        self._metrics: dict[str, int] = {}
        self._fates: Counter[str] = Counter()
        self._begun = 0
        self._outcome: Any = "handled"
        self._room = mapping.settings.batch_size * mapping.settings.parallelization_factor
        self._hands: dict[type, Callable[[Any], None]] = {
            Read: self._read,
            Invoke: self._invoke,
            SendFailure: self._send,
            CallResult: self._judged,
            Checkpoint: self._checkpoint,
            WakeAt: self._wake,
            ShardDone: self._shard_done,
            Settled: self._settled,
            Measure: self._measure,
        }

    def run(self) -> Run:
        """Run until nothing is planned, or until the last moment asked for."""
        self._describe()
        queue, last_ms = self._queue, self._last_ms()
        while (next_ms := queue.next_ms()) is not None:
            if next_ms > last_ms:
                # Iterators have brought younger records since this was worked out.
                last_ms = self._last_ms()
                if next_ms > last_ms:
                    break
            queue.step()
        return self._result()

    def _last_ms(self) -> int:
        """Return when the run stops at the latest."""
        if self._terms.until_ms is not None:
            return self._terms.until_ms
        arrivals = [source.last_arrival_ms for source in self._sources.values()]
        return max(arrivals, default=self._terms.start_ms) + _SILENCE_MS

    def _feed(self, event: Event) -> None:
        self._poller, effects = step(self._mapping, self._poller, event, self._queue.now_ms)
        for effect in effects:
            self._hands[type(effect)](effect)

    def _plan(self, event: Event, at_ms: int) -> None:
        self._queue.add(at_ms, lambda: self._feed(event))

    def _describe(self) -> None:
        """Tell the poller of the shards that exist by now: children begin when parents end."""
        now_ms = self._queue.now_ms
        over = {name for name in self._parents if name in self._done or self._over(name)}
        seen = [
            ShardSeen(name, self._terms.parents.get(name, ()), closed=name in over)
            for name in self._sources
            if over.issuperset(self._terms.parents.get(name, ()))
        ]
        self._plan(ShardsListed(tuple(seen)), now_ms)

    def _over(self, name: str) -> bool:
        """Whether a parent had ended by now; one without records has been trimmed."""
        source = self._sources.get(name)
        if source is None or source.next_arrival_ms is None:
            return True
        last_ms = source.last_created_ms
        return last_ms is not None and last_ms <= self._queue.now_ms

    def _read(self, read: Read) -> None:
        """Plan the answer for the first poll that finds something; empty polls change nothing."""
        source = self._sources[read.shard_id]
        now_ms = self._queue.now_ms
        if read.start == "LATEST" and read.after is None and read.shard_id not in self._pinned:
            source.skip_to(now_ms)
        self._pinned.add(read.shard_id)
        arrival_ms = source.next_arrival_ms
        if arrival_ms is None and not self._ends(read.shard_id):
            return
        at_ms = self._poll_ms(read.at_ms, arrival_ms or 0)
        self._queue.add(at_ms, partial(self._answer, read, [], 0))

    def _answer(self, read: Read, records: list[dict[str, Any]], weight: int) -> None:
        """Poll; the records are those of polls before, which the poller can wait for."""
        source, now_ms = self._sources[read.shard_id], self._queue.now_ms
        # Reading no more than is called at once keeps a long run's memory small.
        found = source.read(min(read.limit, self._room), now_ms)
        records += found
        next_ms = source.next_arrival_ms
        more = next_ms is not None and next_ms <= now_ms
        if read.patience is not None and next_ms is not None and not more:
            at_ms = self._poll_ms(now_ms, next_ms)
            weight += payload_bytes_at_most(found)
            if self._may_hold(read.patience, len(records), weight, at_ms):
                # A step of its own, as if answered, keeps the order of what happens at once.
                self._queue.add(at_ms, partial(self._answer, read, records, weight))
                return
        closed = next_ms is None and self._ends(read.shard_id)
        self._feed(RecordsRead(read.shard_id, read.read, records, more=more, closed=closed))

    def _poll_ms(self, from_ms: int, arrival_ms: int) -> int:
        """Return when a shard polled at a moment and from then on shows what arrives."""
        interval_ms = self._mapping.assumptions.poll_interval_ms
        return from_ms + -(-max(0, arrival_ms - from_ms) // interval_ms) * interval_ms

    def _may_hold(self, patience: Patience, count: int, weight: int, next_ms: int) -> bool:
        """Whether the poller and the run's result may miss what was read until the next poll."""
        until_ms = self._terms.until_ms
        return (
            count < patience.enough
            and next_ms < patience.until_ms
            and weight <= patience.room_bytes
            and (until_ms is None or next_ms <= until_ms)
        )

    def _ends(self, shard_id: str) -> bool:
        return self._terms.closed or shard_id in self._parents

    def _invoke(self, invoke: Invoke) -> None:
        at_ms, terms = self._queue.now_ms, self._terms
        if terms.throttled is not None and terms.throttled(self._since_start(at_ms)):
            self._count("Throttles")
            outcome = CallEnded(invoke.shard_id, invoke.lane, invoke.call, Throttled())
            self._plan(outcome, at_ms)
            return
        self._count("Invocations")
        self._begun += 1
        event = fresh(invocation_event(invoke, self._mapping.stream_arn))
        context = Context(terms.host, invoke.request_id)
        answer = invoke_handler(terms.handler, event, context, terms.duration_ms(event))
        place = self._begun
        self._queue.add(at_ms + answer.took_ms, lambda: self._ended(invoke, answer, at_ms, place))

    def _ended(self, invoke: Invoke, answer: Answer, began_ms: int, place: int) -> None:
        self._feed(CallEnded(invoke.shard_id, invoke.lane, invoke.call, answer.outcome))
        outcome: Any = "timeout" if answer.timed_out else self._outcome
        if answer.error is not None or answer.timed_out:
            self._count("Errors")
        invocation = Invocation(
            tuple([sequence_number(each) for each in invoke.records]),
            invoke.request_id,
            invoke.attempt,
            self._since_start(began_ms),
            outcome,
            invoke.shard_id,
            timedelta(milliseconds=answer.took_ms),
            answer.error,
        )
        self._invocations.append((place, invocation))
        if self._terms.observe is not None:
            self._terms.observe(invocation)

    def _send(self, send: SendFailure) -> None:
        self._failures.append(send.body)
        if send.destination is None:
            return
        delivered = not self._terms.destination_denied
        text = failure_text(send.body)
        self._deliveries.append(Delivery(send.destination, text, send.key, delivered))
        self._plan(FailureSent(send.shard_id, send.lane, send.call, delivered), self._queue.now_ms)

    def _judged(self, result: CallResult) -> None:
        self._outcome = result.outcome

    def _wake(self, wake: WakeAt) -> None:
        self._plan(Woken(wake.shard_id, wake.lane, wake.timer), wake.at_ms)

    def _checkpoint(self, checkpoint: Checkpoint) -> None:
        self._checkpoints[checkpoint.shard_id] = checkpoint.sequence_number

    def _shard_done(self, done: ShardDone) -> None:
        self._done.add(done.shard_id)
        self._describe()

    def _settled(self, settled: Settled) -> None:
        self._fates[settled.fate] += len(settled.records)

    def _measure(self, measure: Measure) -> None:
        if measure.metric == "IteratorAge":
            age_ms = max(self._metrics.get("IteratorAge", 0), measure.value)
            self._metrics["IteratorAge"] = age_ms
        else:
            self._count(measure.metric, measure.value)

    def _count(self, metric: str, value: int = 1) -> None:
        self._metrics[metric] = self._metrics.get(metric, 0) + value

    def _since_start(self, at_ms: int) -> timedelta:
        return timedelta(milliseconds=at_ms - self._terms.start_ms)

    def _result(self) -> Run:
        sources = self._sources.values()
        fates = Counter(self._fates)
        fates["trimmed"] += sum(source.trimmed for source in sources)
        fates["skipped"] += sum(source.skipped for source in sources)
        waiting = sum(source.taken for source in sources) - fates.total()
        return Run(
            invocations=[each for _, each in sorted(self._invocations, key=lambda pair: pair[0])],
            failures=list(self._failures),
            deliveries=list(self._deliveries),
            checkpoints=self._checkpoints,
            metrics=self._metrics,
            counts=Counts(**fates, waiting=waiting),
            took=self._since_start(self._queue.now_ms),
        )
