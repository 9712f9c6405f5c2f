"""The terminal's view of a local run: a line for what needs attention, a table of all consumers.

Whatever the app, its functions and its stack's outputs hold is shown as text, never as markup.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text

from cdk_streams.cli._local.consumer_table import ConsumerTable
from cdk_streams.cli._local.handler_errors import (
    HandlerError,
    HandlerErrors,
    logged_failure,
    response_error,
)
from cdk_streams.cli._local.timeline_recorder import TimelineRecorder
from cdk_streams.live import DeployedConsumer, InvocationFinished, Notice, Problem, Progress
from cdk_streams.poller import CallResult, FailureSent, Invoke, SendFailure, sequence_number
from cdk_streams.simulator._timeline.events import name_records

if TYPE_CHECKING:
    from rich.console import Console

    from cdk_streams.lambda_local import LogLine

__all__ = ["LiveView", "display_name"]


class LiveView:
    """Observes a run from its threads and prints it; `table` is drawn again and again.

    `every_call` prints a line for each call, not only for those that fail; `logs` what functions
    print beside their errors.
    """

    def __init__(self, console: Console, *, every_call: bool = False, logs: bool = True) -> None:
        self.progress: dict[str, Progress] = {}
        self.recorder = TimelineRecorder()
        self._console = console
        self._every_call = every_call
        self._logs = logs
        self._lock = threading.Lock()
        self._errors = HandlerErrors()
        # What a request's handler has logged of records that failed, until its call is judged.
        self._logged: dict[tuple[str, str], HandlerError] = {}
        self._finished: dict[tuple[str, str, int], InvocationFinished] = {}
        self._sending: dict[tuple[str, str, int], SendFailure] = {}

    def introduce(self, consumers: Iterable[DeployedConsumer]) -> None:
        """Show the settings of these consumers on the page of the timeline."""
        for each in consumers:
            self.recorder.introduce(display_name(each.name), each)

    @property
    def discarded(self) -> int:
        """How many records were discarded, by all consumers."""
        with self._lock:
            return sum(each.discarded for each in self.progress.values())

    def notice(self, consumer: str, at_ms: int, notice: Notice) -> None:
        """Count a notice, and print it when it is worth a line."""
        self.recorder.take(display_name(consumer), at_ms, notice)
        with self._lock:
            progress = self.progress.setdefault(consumer, Progress())
            splits = progress.splits
            progress.take(at_ms, notice)
            line = self._line(consumer, notice, split=progress.splits > splits)
        if line is not None:
            self._print(at_ms, consumer, line)

    def log(self, consumer: str, line: LogLine) -> None:
        """Print a line that a function printed; what it says of an error waits for its call."""
        if (error := logged_failure(line.text)) is not None:
            with self._lock:
                self._logged.setdefault((consumer, line.request_id), error)
            return
        if not self._logs or line.is_error_report:
            return
        head = f"{display_name(consumer)} {line.request_id[:8]} "
        # Colors of a handler's own are kept, other control sequences are not.
        self._console.print(
            Text.assemble((head, "dim cyan"), Text.from_ansi(line.text)), soft_wrap=True
        )

    def table(self) -> ConsumerTable:
        """Return the table of consumers as it is now, for rich to print."""
        with self._lock:
            rows = [(display_name(name), each) for name, each in sorted(self.progress.items())]
            return ConsumerTable(rows, time.time_ns() // 1_000_000)

    def summary(self) -> str:
        """Return the consumers in one line: `Audit handled 480 of 487 read, Mail …`."""
        with self._lock:
            return ", ".join(
                f"{display_name(name)} handled {each.handled:,} of {each.read:,} read"
                for name, each in sorted(self.progress.items())
            )

    def caught_up(self, consumers: set[str], since_ms: int) -> bool:
        """Tell whether these consumers have settled all that was written before `since_ms`."""
        with self._lock:
            return all(
                name in self.progress and self.progress[name].caught_up(since_ms)
                for name in consumers
            )

    def _line(self, consumer: str, notice: Notice, *, split: bool) -> Text | None:
        match notice:
            case Invoke() if notice.attempt > 1 or split:
                what = f"retry {notice.attempt - 1}" if notice.attempt > 1 else "sub-batch"
                return Text(f"{what}: {_records(notice)}", "yellow")
            case InvocationFinished(invoke):
                self._finished[consumer, invoke.shard_id, invoke.lane] = notice
            case CallResult(shard_id, lane):
                finished = self._finished.pop((consumer, shard_id, lane), None)
                return None if finished is None else self._call(consumer, finished, notice)
            case SendFailure(destination=None):
                return Text(f"{_discarded(notice)}; no failure destination, LOST", "bold red")
            case SendFailure():
                self._sending[consumer, notice.shard_id, notice.lane] = notice
            case FailureSent():
                return self._sent(consumer, notice)
            case Problem():
                return Text(notice.what, "bold red")
            case _:
                pass
        return None

    def _call(self, consumer: str, finished: InvocationFinished, result: CallResult) -> Text | None:
        response, records = finished.response, _records(finished.invoke)
        logged = self._logged.pop((consumer, response.request_id), None)
        error = response_error(response) or logged
        described = "" if error is None else f": {self._errors.describe(consumer, error)}"
        match result.outcome:
            case "throttled":
                return Text(f"throttled: {records}", "magenta")
            case "failed":
                return Text(f"failed: {records}{described or f': {result.reason}'}", "red")
            case "partial":
                return Text(f"handled in part: {records}{described}", "yellow")
        if error is not None:
            return Text(f"handled, a record {error.verb}: {records}{described}", "yellow")
        if not self._every_call:
            return None
        return Text(f"answered in {response.duration_s * 1000:.0f} ms: {records}", "green")

    def _sent(self, consumer: str, event: FailureSent) -> Text:
        sent = self._sending.pop((consumer, event.shard_id, event.lane), None)
        if sent is None:
            return Text("a failure record was sent", "red")
        where = "sent to" if event.delivered else "LOST, refused by"
        name = re.split("[:/]", str(sent.destination))[-1]
        return Text(f"{_discarded(sent)}; failure record {where} {name}", "bold red")

    def _print(self, at_ms: int, consumer: str, line: Text) -> None:
        clock = time.strftime("%H:%M:%S", time.localtime(at_ms / 1000))
        head = f"{clock}.{at_ms % 1000:03} {display_name(consumer)} "
        self._console.print(Text.assemble((head, "dim"), line), soft_wrap=True)


def display_name(logical_id: str) -> str:
    """Return a name for people: `Inventory` for `InventoryMappingB760B3A6`."""
    return re.sub(r"(Mapping)?[0-9A-F]{8}$", "", logical_id) or logical_id


def _records(invoke: Invoke) -> str:
    return name_records(tuple(sequence_number(record) for record in invoke.records))


def _discarded(failure: SendFailure) -> str:
    count = failure.body["DDBStreamBatchInfo"].get("batchSize", 0)
    condition = failure.body["requestContext"]["condition"]
    return f"discarded: {count} record{'s' * (count != 1)}, {condition}"
