"""One batch of records, handled in order up to the first failure, and the response to Lambda.

Lambda continues a stream at the lowest sequence number that a response names, and delivers
everything from there on again. So nothing may run behind a failed record: it would run early, and
then a second time.
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

from __future__ import annotations

import os

from lambda_runtime.errors import DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from lambda_runtime._batches.deadlines import Watch

    # Handles a record at its position; returns None, or why it failed.
    Take = Callable[[Any, int], "Failure | None"]
    # Reports a failed record; returns None when the batch can go on all the same.
    ReportFailure = Callable[["Failure"], "Failure | None"]

__all__ = [
    "PARTIAL_RESPONSE",
    "Failure",
    "answer",
    "in_order",
    "is_traced",
    "retried",
    "sequence_number",
    "takes_partial_responses",
]

PARTIAL_RESPONSE = "STREAM_PARTIAL_RESPONSE"
"""The environment variable that is "1" when the mapping has ReportBatchItemFailures."""


class Failure:
    """The record that ended a batch, and why.

    Positions count from 0. `unhandled` is the first record of the batch that is not handled, where
    Lambda is to go on: in order, that is `position` itself. `route` is the name of the handler that
    failed, None outside of one. `error` is None when the deadline was near: nothing was tried.
    """

    __slots__ = ("error", "position", "route", "unhandled")

    def __init__(self, position: int, error: BaseException | None, route: str | None) -> None:
        self.position = position
        self.unhandled = position
        self.error = error
        self.route = route


def takes_partial_responses() -> bool:
    """Whether the mapping reads which record failed, so that a batch need not count as a whole."""
    return os.environ.get(PARTIAL_RESPONSE) == "1"


def is_traced() -> bool:
    """Whether X-Ray samples this invocation, and the daemon is there."""
    sampled = "Sampled=1" in os.environ.get("_X_AMZN_TRACE_ID", "")
    return sampled and "AWS_XRAY_DAEMON_ADDRESS" in os.environ


def in_order(records: Sequence[Any], take: Take, watch: Watch | None) -> Failure | None:
    """Take each record in turn; the first one that fails or comes too late ends the batch.

    Args:
        records: Raw stream records.
        take: Handles `(record, position)`; returns None, or why it failed.
        watch: Watches the function's deadline; None when there is none.
    """
    near = None if watch is None else watch()
    for position, record in enumerate(records):
        if near is not None and near():
            return Failure(position, None, None)
        failure = take(record, position)
        if failure is not None:
            return failure
    return None


def answer(records: Sequence[Any], failure: Failure | None) -> dict[str, Any]:
    """What the function returns to Lambda: nothing failed, or the first unhandled record.

    Raises:
        Exception: the failure itself, when no partial response is possible: the mapping does not
            ask for one, so Lambda would take any answer for success, or the record has no
            sequence number to name. A note on the exception says which.
        DeadlineError: the same, when the deadline was near.
    """
    if failure is None:
        return {"batchItemFailures": []}
    if not takes_partial_responses():
        raise retried(
            records,
            failure,
            f"{PARTIAL_RESPONSE} is not 1: set it, and report_batch_item_failures=True on the "
            "mapping, to continue at the first unhandled record",
        )
    number = sequence_number(records[failure.unhandled])
    if number is None:
        raise retried(
            records,
            failure,
            "the first unhandled record has no sequence number that a partial response could name",
        )
    return {"batchItemFailures": [{"itemIdentifier": number}]}


def retried(records: Sequence[Any], failure: Failure, why: str) -> BaseException:
    """The error to raise when the whole batch is to be tried again, with a note that says why.

    It is the handler's own, or a DeadlineError when nothing failed but the time.
    """
    error = failure.error or DeadlineError(
        f"stopped before record {failure.unhandled + 1} of {len(records)}, because the function's "
        "deadline is near; set a longer timeout or a smaller batch_size"
    )
    note = f"Lambda retries the whole batch, also the records that were handled, because {why}"
    # The error may be one object that a handler raises again and again.
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    return error


def sequence_number(record: Any) -> str | None:
    """What a partial response names a record by; None when the record has no such number."""
    try:
        number = record["dynamodb"]["SequenceNumber"]
    except (KeyError, TypeError):
        return None
    # Lambda takes an identifier that is no sequence number for a failure of the whole batch.
    return number if isinstance(number, str) and number.isascii() and number.isdigit() else None
