"""What a person sees of a local run: a line for what needs attention, a table of all consumers."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from cdk_streams.cli._timeline_recorder import TimelineRecorder
from cdk_streams.live import InvocationFinished, Notice, Problem, Progress
from cdk_streams.poller import CallResult, FailureSent, Invoke, SendFailure, sequence_number
from cdk_streams.simulator._timeline.events import name_records

if TYPE_CHECKING:
    from rich.console import Console

    from cdk_streams.lambda_local import LogLine

__all__ = ["LiveView", "shown"]

_COLUMNS = (
    "read",
    "handled",
    "filtered",
    "given up",
    "calls",
    "failed",
    "partial",
    "retries",
    "splits",
)


class LiveView:
    """Watches a run from its threads and shows it; `table` is drawn again and again.

    `every_call` prints a line for each call, not only for those that fail; `logs` what functions
    print.
    """

    def __init__(self, console: Console, *, every_call: bool = False, logs: bool = True) -> None:
        self.progress: dict[str, Progress] = {}
        self.recorder = TimelineRecorder()
        self._console = console
        self._every_call = every_call
        self._logs = logs
        self._lock = threading.Lock()
        self._finished: dict[tuple[str, str, int], InvocationFinished] = {}
        self._sending: dict[tuple[str, str, int], SendFailure] = {}

    def notice(self, consumer: str, at_ms: int, notice: Notice) -> None:
        """Count a notice, and print it when it is worth a line."""
        self.recorder.take(shown(consumer), at_ms, notice)
        with self._lock:
            progress = self.progress.setdefault(consumer, Progress())
            splits = progress.splits
            progress.take(at_ms, notice)
            line = self._line(consumer, notice, split=progress.splits > splits)
        if line is not None:
            self._say(at_ms, consumer, line)

    def log(self, consumer: str, line: LogLine) -> None:
        """Print a line that a function printed."""
        if not self._logs:
            return
        head = f"{shown(consumer)} {line.request_id[:8]} "
        self._console.print(Text.assemble((head, "dim cyan"), line.text), soft_wrap=True)

    def table(self) -> Table:
        """Return the table of consumers as it is now."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("consumer")
        for name in _COLUMNS:
            table.add_column(name, justify="right")
        table.add_column("failure records", justify="right")
        table.add_column("lag", justify="right")
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            for name, progress in sorted(self.progress.items()):
                table.add_row(shown(name), *_cells(progress, now_ms))
        return table

    def caught_up(self, consumers: set[str], since_ms: int) -> bool:
        """Tell whether all of these consumers have dealt with what was written before then."""
        with self._lock:
            return all(
                name in self.progress and self.progress[name].caught_up(since_ms)
                for name in consumers
            )

    def _line(self, consumer: str, notice: Notice, *, split: bool) -> Text | None:
        match notice:
            case Invoke() if notice.attempt > 1 or split:
                what = f"retry {notice.attempt - 1}" if notice.attempt > 1 else "a part"
                return Text(f"{what}: {_records(notice)}", "yellow")
            case InvocationFinished(invoke):
                self._finished[consumer, invoke.shard_id, invoke.lane] = notice
            case CallResult(shard_id, lane):
                finished = self._finished.pop((consumer, shard_id, lane), None)
                return None if finished is None else self._call(finished, notice)
            case SendFailure():
                self._sending[consumer, notice.shard_id, notice.lane] = notice
            case FailureSent():
                return self._sent(consumer, notice)
            case Problem():
                return Text(notice.what, "bold red")
            case _:
                pass
        return None

    def _call(self, finished: InvocationFinished, result: CallResult) -> Text | None:
        answer, records = finished.answer, _records(finished.invoke)
        if result.outcome == "throttled":
            return Text(f"throttled: {records}", "magenta")
        if answer.function_error is not None:
            return Text(f"failed with {answer.error_type}: {records}", "red")
        if result.outcome == "failed":
            return Text(f"failed, {result.reason}: {records}", "red")
        if result.outcome == "partial":
            return Text(f"handled in part: {records}", "yellow")
        if not self._every_call:
            return None
        return Text(f"answered in {answer.duration_s * 1000:.0f} ms: {records}", "green")

    def _sent(self, consumer: str, event: FailureSent) -> Text:
        sent = self._sending.pop((consumer, event.shard_id, event.lane), None)
        if sent is None:
            return Text("a failure record was sent", "red")
        request, batch = sent.body["requestContext"], sent.body["DDBStreamBatchInfo"]
        count = batch.get("batchSize", 0)
        where = "sent to" if event.delivered else "LOST, refused by"
        return Text(
            f"given up: {count} record{'s' * (count != 1)}, {request['condition']}; failure record "
            f"{where} {str(sent.destination).rsplit(':', 1)[1]}",
            "bold red",
        )

    def _say(self, at_ms: int, consumer: str, line: Text) -> None:
        clock = time.strftime("%H:%M:%S", time.localtime(at_ms / 1000))
        head = f"{clock}.{at_ms % 1000:03} {shown(consumer)} "
        self._console.print(Text.assemble((head, "dim"), line), soft_wrap=True)


def shown(logical_id: str) -> str:
    """Return a name for people: `Inventory` for `InventoryMappingB760B3A6`."""
    return re.sub(r"(Mapping)?[0-9A-F]{8}$", "", logical_id) or logical_id


def _records(invoke: Invoke) -> str:
    return name_records(tuple(sequence_number(record) for record in invoke.records))


def _cells(progress: Progress, now_ms: int) -> list[str]:
    counts = (
        progress.read,
        progress.handled,
        progress.filtered,
        progress.given_up,
        progress.calls,
        progress.errors,
        progress.partial,
        progress.retries,
        progress.splits,
    )
    failures = f"{progress.sent:,}"
    if progress.refused:
        failures += f" ({progress.refused:,} lost)"
    lag = f"{progress.lag_ms(now_ms) / 1000:.1f} s" if progress.waiting else "0 s"
    return [*(f"{count:,}" for count in counts), failures, lag]
