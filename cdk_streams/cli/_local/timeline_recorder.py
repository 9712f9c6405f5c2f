"""A live run as lines of the simulator's timeline, so that both are drawn the same way."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cdk_streams.live import InvocationFinished, Notice
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
    describe_failure,
    write_kind,
)

__all__ = ["TimelineRecorder"]

# The page stays quick to open; a longer run keeps its first lines.
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

    @property
    def timeline(self) -> Sequence[TimelineEvent]:
        """What happened, in order."""
        with self._lock:
            return tuple(self._lines)

    def take(self, consumer: str, at_ms: int, notice: Notice) -> None:
        """Add what a notice is worth telling."""
        with self._lock:
            if self._start_ms is None:
                self._start_ms = at_ms
            if len(self._lines) < _MOST_LINES:
                self._lines += self._told(consumer, at_ms - self._start_ms, notice)

    def _told(self, consumer: str, at_ms: int, notice: Notice) -> list[TimelineEvent]:
        match notice:
            case RecordsRead():
                return self._writes(consumer, at_ms, notice)
            case InvocationFinished(invoke):
                self._finished[consumer, invoke.shard_id, invoke.lane] = notice
            case CallResult(shard_id, lane):
                finished = self._finished.pop((consumer, shard_id, lane), None)
                return [] if finished is None else [self._call(consumer, at_ms, finished, notice)]
            case Settled(shard_id, fate, records) if fate in FATE_KINDS:
                table = self._tables.get((consumer, shard_id), "")
                return [
                    TimelineEvent(
                        at_ms, FATE_KINDS[fate], table, shard_id, consumer, _numbers(records)
                    )
                ]
            case SendFailure():
                self._sending[consumer, notice.shard_id, notice.lane] = notice
            case FailureSent():
                return [self._failure(consumer, at_ms, notice)]
            case _:
                pass
        return []

    def _failure(self, consumer: str, at_ms: int, event: FailureSent) -> TimelineEvent:
        sent = self._sending.pop((consumer, event.shard_id, event.lane), None)
        table = self._tables.get((consumer, event.shard_id), "")
        kind: EventKind = "sent" if event.delivered else "lost"
        detail = "" if sent is None else describe_failure(sent.body)
        return TimelineEvent(at_ms, kind, table, event.shard_id, consumer, detail=detail)

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
