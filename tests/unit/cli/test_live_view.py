from __future__ import annotations

import io
import time
from typing import Any

import pytest
from rich.console import Console

from cdk_streams.cli._local.live_view import LiveView
from cdk_streams.lambda_local import InvokeResponse, LogLine
from cdk_streams.live import InvocationFinished
from cdk_streams.poller import (
    CallOutcome,
    CallResult,
    FailureSent,
    Invoke,
    SendFailure,
    Settled,
    WakeAt,
)

AUDIT = "AuditMapping12345678"
BODY: dict[str, Any] = {
    "requestContext": {"condition": "RetryAttemptsExhausted"},
    "DDBStreamBatchInfo": {"batchSize": 2},
}


class Shown:
    """A view and what it has printed so far."""

    def __init__(self, width: int = 200) -> None:
        self._file = io.StringIO()
        self._console = Console(file=self._file, width=width, color_system=None)
        self.view = LiveView(self._console)

    @property
    def text(self) -> str:
        return self._file.getvalue()

    def table(self) -> str:
        with self._console.capture() as captured:
            self._console.print(self.view.table())
        return captured.get()

    def log(self, text: str, *, is_report: bool = False) -> None:
        self.view.log(AUDIT, LogLine("audit", "r-1", text, is_report))

    def call(self, outcome: CallOutcome, response: InvokeResponse) -> None:
        invoke = Invoke("s", 0, 1, "r-1", 1, ())
        for notice in (InvocationFinished(invoke, response), CallResult("s", 0, 1, outcome)):
            self.view.notice(AUDIT, 0, notice)


def test_what_a_function_prints_is_text_and_no_markup() -> None:
    shown = Shown()
    shown.log("[/id] [a-z] [red]loud[/red] :smile:")
    assert "Audit r-1 [/id] [a-z] [red]loud[/red] :smile:" in shown.text


def test_a_handlers_control_sequences_do_not_reach_the_terminal() -> None:
    shown = Shown()
    shown.log("a\x1b[2Jb\x1b[31mc\x1b]0;title\x07d")
    assert "\x1b" not in shown.text
    assert "\x07" not in shown.text


def test_an_error_is_printed_with_its_call_and_not_with_the_log() -> None:
    shown = Shown()
    failed = InvokeResponse(
        "r-1",
        b'{"errorType":"ValueError","errorMessage":"no [quantity]"}',
        function_error="Unhandled",
        error_type="ValueError",
    )
    shown.log("[ERROR] ValueError: no [quantity]", is_report=True)
    shown.log("Traceback (most recent call last):", is_report=True)
    assert shown.text == ""
    shown.call("failed", failed)
    shown.call("failed", failed)
    first, second = shown.text.splitlines()
    assert first.endswith("failed: no records: ValueError: no [quantity]")
    assert "ValueError again" in second


def test_records_that_failed_are_printed_with_the_calls_verdict() -> None:
    shown = Shown()
    shown.log('[ERROR]\tt\tr-1\t{"message": "stream record failed", "error_type": "KeyError"}')
    shown.call("partial", InvokeResponse("r-1", b"{}"))
    assert shown.text.strip().endswith("handled in part: no records: KeyError")


def test_discarded_records_are_counted_and_their_destination_named() -> None:
    shown = Shown()
    arn = "arn:aws:sqs:us-east-1:000000000000:failed"
    shown.view.notice(AUDIT, 0, SendFailure("s", 0, 1, BODY, arn))
    shown.view.notice(AUDIT, 0, FailureSent("s", 0, 1))
    assert (
        "discarded: 2 records, RetryAttemptsExhausted; failure record sent to failed" in shown.text
    )


def test_discarded_records_without_a_destination_are_said_to_be_lost() -> None:
    shown = Shown()
    shown.view.notice(AUDIT, 0, SendFailure("s", 0, 1, BODY, None))
    assert (
        "discarded: 2 records, RetryAttemptsExhausted; no failure destination, LOST" in shown.text
    )


def test_the_table_says_for_which_retry_a_consumer_waits() -> None:
    shown = Shown()
    in_a_minute = time.time_ns() // 1_000_000 + 51_000
    invoke = Invoke("s", 0, 1, "r-1", 9, ())
    for notice in (invoke, CallResult("s", 0, 1, "failed"), WakeAt("s", 0, 1, in_a_minute)):
        shown.view.notice(AUDIT, 0, notice)
    heading, row = shown.table().splitlines()
    assert heading.split()[-1] == "waiting"
    assert row.rstrip().endswith("51 s for retry 9")


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (160, set()),
        (110, {"sub-batches", "partial"}),
        (80, {"filtered", "retries", "read"}),
    ],
)
def test_a_narrow_terminal_gets_fewer_columns_and_no_cut_number(
    width: int, left_out: set[str]
) -> None:
    shown = Shown(width)
    records = tuple({"dynamodb": {"SequenceNumber": str(number)}} for number in range(1_200))
    shown.view.notice(AUDIT, 0, Settled("s", "handled", records))
    heading, row = shown.table().splitlines()
    assert not left_out & set(heading.split())
    assert {"consumer", "handled", "discarded", "lag"} <= set(heading.split())
    assert "1,200" in row
    assert len(row) <= width
