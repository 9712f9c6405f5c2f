"""A live run as lines of the simulator's timeline, so that both are drawn the same way."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from cdk_streams.live import DeployedConsumer, InvocationFinished, Notice
from cdk_streams.poller import (
    CallResult,
    FailureSent,
    RecordsRead,
    SendFailure,
    Settled,
    sequence_number,
)
from cdk_streams.simulator._timeline.events import (
    FATE_KINDS,
    EventKind,
    TimelineEvent,
    clock_text,
    describe_failure,
    write_kind,
)
from cdk_streams.simulator._timeline.timeline_setup import ConsumerSetup, TimelineSetup

__all__ = ["TimelineRecorder"]

# The page stays quick to open; a longer run keeps its first lines, and says how many it left out.
_MOST_LINES: Final = 50_000


class TimelineRecorder:
    """Gathers a run's lines; times count from its first notice."""

    def __init__(self) -> None:
        self._lines: list[TimelineEvent] = []
        self._lock = threading.Lock()
        self._start_ms: int | None = None
        self._written: set[tuple[str, str]] = set()
        self._finished: dict[tuple[str, str, int], InvocationFinished] = {}
        self._sending: dict[tuple[str, str, int], SendFailure] = {}
        self._tables: dict[tuple[str, str], str] = {}
        # Those of the newest failure record of a shard, which names the first and the last only.
        self._discarded: dict[tuple[str, str, str], tuple[str, ...]] = {}
        self._consumers: dict[str, ConsumerSetup] = {}
        self._left_out = 0
        self._complete_ms = 0

    def introduce(self, name: str, consumer: DeployedConsumer) -> None:
        """Show a consumer's settings on the page; the newest ones, after a new deployment."""
        function = consumer.function
        with self._lock:
            self._consumers[name] = ConsumerSetup(
                name,
                consumer.mapping.settings,
                timedelta(seconds=function.timeout_s),
                function.reserved_concurrency,
            )

    @property
    def timeline_setup(self) -> TimelineSetup:
        """The settings of the consumers that were introduced."""
        with self._lock:
            return TimelineSetup(tuple(self._consumers.values()))

    @property
    def timeline(self) -> Sequence[TimelineEvent]:
        """What happened, in order."""
        with self._lock:
            return tuple(self._lines)

    @property
    def left_out(self) -> str:
        """One sentence about the events that were too many; empty when all are there."""
        with self._lock:
            if not self._left_out:
                return ""
            return (
                f"only the first {_MOST_LINES:,} events, up to {clock_text(self._complete_ms)}, "
                f"are on the timeline; {self._left_out:,} later ones are left out"
            )

    def take(self, consumer: str, at_ms: int, notice: Notice) -> None:
        """Add what a notice is worth telling."""
        with self._lock:
            if self._start_ms is None:
                self._start_ms = at_ms
            told = self._told(consumer, at_ms - self._start_ms, notice)
            room = max(0, _MOST_LINES - len(self._lines))
            self._lines += told[:room]
            self._left_out += len(told[room:])
            if not self._left_out:
                self._complete_ms = at_ms - self._start_ms

    def _told(self, consumer: str, at_ms: int, notice: Notice) -> list[TimelineEvent]:
        match notice:
            case RecordsRead():
                return self._writes(consumer, at_ms, notice)
            case InvocationFinished(invoke):
                self._finished[consumer, invoke.shard_id, invoke.lane] = notice
            case CallResult(shard_id, lane):
                finished = self._finished.pop((consumer, shard_id, lane), None)
                return [] if finished is None else [self._call(consumer, at_ms, finished, notice)]
            case Settled():
                return self._settled(consumer, at_ms, notice)
            case SendFailure(destination=None):
                return [self._failure(consumer, at_ms, notice, "lost", "there is no destination")]
            case SendFailure():
                self._sending[consumer, notice.shard_id, notice.lane] = notice
            case FailureSent():
                return self._answered(consumer, at_ms, notice)
            case _:
                pass
        return []

    def _settled(self, consumer: str, at_ms: int, notice: Settled) -> list[TimelineEvent]:
        shard_id, fate, numbers = notice.shard_id, notice.fate, _numbers(notice.records)
        if fate == "handled":
            self._count_handled(consumer, shard_id, len(numbers))
        if fate in {"failed", "age_exceeded"} and numbers:
            self._discarded[consumer, shard_id, numbers[0]] = numbers
        if fate not in FATE_KINDS:
            return []
        table = self._tables.get((consumer, shard_id), "")
        return [TimelineEvent(at_ms, FATE_KINDS[fate], table, shard_id, consumer, numbers)]

    def _count_handled(self, consumer: str, shard_id: str, count: int) -> None:
        """Say of the call that was just judged how many records its partial response settled."""
        for place in range(len(self._lines) - 1, -1, -1):
            line = self._lines[place]
            if (line.consumer, line.shard_id) == (consumer, shard_id):
                if line.kind == "partial" and line.handled is None:
                    self._lines[place] = line._replace(handled=count)
                return

    def _answered(self, consumer: str, at_ms: int, notice: FailureSent) -> list[TimelineEvent]:
        sent = self._sending.pop((consumer, notice.shard_id, notice.lane), None)
        if sent is None:
            return []
        kind: EventKind = "sent" if notice.delivered else "lost"
        why = "" if notice.delivered else "the destination refused it"
        return [self._failure(consumer, at_ms, sent, kind, why)]

    def _failure(
        self, consumer: str, at_ms: int, sent: SendFailure, kind: EventKind, why: str = ""
    ) -> TimelineEvent:
        first = sent.body["DDBStreamBatchInfo"].get("startSequenceNumber", "")
        return TimelineEvent(
            at_ms,
            kind,
            self._tables.get((consumer, sent.shard_id), ""),
            sent.shard_id,
            consumer,
            self._discarded.pop((consumer, sent.shard_id, first), ()),
            detail=": ".join(filter(None, (describe_failure(sent.body), why))),
        )

    def _writes(self, consumer: str, at_ms: int, event: RecordsRead) -> list[TimelineEvent]:
        lines: list[TimelineEvent] = []
        for record in event.records:
            table = _table(record)
            self._tables[consumer, event.shard_id] = table
            number = sequence_number(record)
            # Each consumer reads the record; it was written once.
            if (event.shard_id, number) in self._written:
                continue
            self._written.add((event.shard_id, number))
            lines.append(
                TimelineEvent(at_ms, write_kind(record), table, event.shard_id, "", (number,))
            )
        return lines

    def _call(
        self, consumer: str, at_ms: int, finished: InvocationFinished, result: CallResult
    ) -> TimelineEvent:
        invoke, answer = finished.invoke, finished.response
        timed_out = answer.error_type == "Sandbox.Timedout"
        took_ms = round((answer.init_s + answer.duration_s) * 1000)
        last = invoke.records[-1]["dynamodb"] if invoke.records else {}
        created_s = last.get("ApproximateCreationDateTime")
        begun_ms = (self._start_ms or 0) + at_ms - took_ms
        return TimelineEvent(
            at_ms,
            "timeout" if timed_out else result.outcome,
            self._tables.get((consumer, invoke.shard_id), ""),
            invoke.shard_id,
            consumer,
            _numbers(invoke.records),
            took_ms=took_ms,
            attempt=invoke.attempt,
            age_ms=None if created_s is None else max(0, begun_ms - round(created_s * 1000)),
            detail=answer.error_type or result.reason,
        )


def _numbers(records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(sequence_number(record) for record in records)


def _table(record: Mapping[str, Any]) -> str:
    """Return the table's name: `orders` of `…:table/orders/stream/2026-…`."""
    return str(record["eventSourceARN"]).split("/")[1]
